<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ja" sourcelanguage="en">
<context>
    <name>About</name>
    <message>
        <source>About bedside</source>
        <translation>bedside について</translation>
    </message>
    <message>
        <source>A streaming bedside-monitor simulator for teaching and development. It is no medical device.</source>
        <translation>教育と開発のためのベッドサイドモニタ・シミュレータです。医療機器ではありません。</translation>
    </message>
    <message>
        <source>Recordings: MIT-BIH Arrhythmia Database, from PhysioNet, Open Data Commons Attribution License 1.0. Please cite:</source>
        <translation>記録: MIT-BIH Arrhythmia Database(PhysioNet、Open Data Commons Attribution License 1.0)。引用文献:</translation>
    </message>
    <message>
        <source>bedside itself: MIT licence.</source>
        <translation>bedside 本体: MIT ライセンス。</translation>
    </message>
    <message>
        <source>It uses {list}.</source>
        <translation>使用ライブラリ: {list}。</translation>
    </message>
</context>
<context>
    <name>AlarmBanner</name>
    <message>
        <source>no active alarm</source>
        <translation>アラームなし</translation>
    </message>
    <message>
        <source>{alarm}: over, not acknowledged yet</source>
        <translation>{alarm}: 終了、未確認</translation>
    </message>
    <message>
        <source>{alarm}: acknowledged by {who}</source>
        <translation>{alarm}: {who} が確認済み</translation>
    </message>
    <message>
        <source>ALARMS PAUSED {left}</source>
        <translation>アラーム一時停止中 {left}</translation>
    </message>
    <message>
        <source>AUDIO PAUSED {left}</source>
        <translation>アラーム音停止中 {left}</translation>
    </message>
</context>
<context>
    <name>AlarmList</name>
    <message>
        <source>click: what happened 10 s before and after</source>
        <translation>クリック: 前後 10 秒を表示</translation>
    </message>
    <message>
        <source>{seconds} s, not acknowledged</source>
        <translation>{seconds} 秒、未確認</translation>
    </message>
    <message>
        <source>now, {seconds} s</source>
        <translation>発生中、{seconds} 秒</translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation>{seconds} 秒</translation>
    </message>
</context>
<context>
    <name>BedBar</name>
    <message>
        <source>Central station  (C)</source>
        <translation>セントラル  (C)</translation>
    </message>
</context>
<context>
    <name>BedCard</name>
    <message>
        <source>SYNTHETIC</source>
        <translation>合成波形</translation>
    </message>
    <message>
        <source>SYN</source>
        <translation>合成</translation>
    </message>
</context>
<context>
    <name>BedHeader</name>
    <message>
        <source>SYNTHETIC</source>
        <translation>合成波形</translation>
    </message>
    <message>
        <source>Replay  (V)</source>
        <translation>再生  (V)</translation>
    </message>
    <message>
        <source>forecast, 90 % band</source>
        <translation>予測、90 % 区間</translation>
    </message>
    <message>
        <source>forecast 100 ms before</source>
        <translation>100 ms 前の予測</translation>
    </message>
    <message>
        <source>no bed yet</source>
        <translation>ベッドなし</translation>
    </message>
    <message>
        <source>{record} at {place}</source>
        <translation>{record} の {place}</translation>
    </message>
    <message>
        <source>replayed at ×{speed}</source>
        <translation>再生 ×{speed}</translation>
    </message>
</context>
<context>
    <name>BedPage</name>
    <message>
        <source>amplitude fitted</source>
        <translation>感度自動</translation>
    </message>
</context>
<context>
    <name>Controls</name>
    <message>
        <source>Acknowledge  (A)</source>
        <translation>確認  (A)</translation>
    </message>
    <message>
        <source>Limits  (L)</source>
        <translation>アラーム設定  (L)</translation>
    </message>
    <message>
        <source>Tone on  (P)</source>
        <translation>音を再開  (P)</translation>
    </message>
    <message>
        <source>Pause tone  (P)</source>
        <translation>音を停止  (P)</translation>
    </message>
    <message>
        <source>Alarms on  (O)</source>
        <translation>アラーム再開  (O)</translation>
    </message>
    <message>
        <source>Pause alarms  (O)</source>
        <translation>一時停止  (O)</translation>
    </message>
</context>
<context>
    <name>Footer</name>
    <message>
        <source>SIMULATION — NOT FOR CLINICAL USE</source>
        <translation>シミュレーション — 診療には使用できません</translation>
    </message>
    <message>
        <source>Help (?)</source>
        <translation>ヘルプ (?)</translation>
    </message>
    <message>
        <source>Settings (F2)</source>
        <translation>設定 (F2)</translation>
    </message>
</context>
<context>
    <name>Freezing</name>
    <message>
        <source>Space: live  ·  ← → Home End: move  ·  drag: measure  ·  Esc: no lines</source>
        <translation>Space: 再開  ·  ← → Home End: 移動  ·  ドラッグ: 計測  ·  Esc: 線を消す</translation>
    </message>
    <message>
        <source>FROZEN {clock}</source>
        <translation>波形停止 {clock}</translation>
    </message>
</context>
<context>
    <name>Help</name>
    <message>
        <source>The trace is a recorded ECG, replayed at its own pace: nobody lies in this bed.</source>
        <translation>波形は記録された心電図を実時間で再生したもので、このベッドに患者はいません。</translation>
    </message>
    <message>
        <source>Ahead of it, a network forecasts the next quarter of a second, with its 90 % band.</source>
        <translation>波形の先に、ニューラルネットワークが予測した 0.25 秒先までの波形と 90 % 区間を表示します。</translation>
    </message>
    <message>
        <source>Behind it, what had been forecast stays as a faint line. Where the two part, the strip beneath rises; past its dashed line, an alarm begins.</source>
        <translation>過去の予測は薄い線で残ります。波形が予測から外れると下の逸脱度が上がり、破線を超えるとアラームになります。</translation>
    </message>
    <message>
        <source>Click an alarm in the list to see ten seconds before and after it, and why.</source>
        <translation>一覧のアラームをクリックすると、前後 10 秒の波形と理由を表示します。</translation>
    </message>
    <message>
        <source>What you see</source>
        <translation>画面の見方</translation>
    </message>
    <message>
        <source>any key or click: close</source>
        <translation>キーまたはクリックで閉じる</translation>
    </message>
    <message>
        <source>any key or click: close   ·   ?: all keys</source>
        <translation>キーまたはクリックで閉じる   ·   ?: キー一覧</translation>
    </message>
</context>
<context>
    <name>Keys</name>
    <message>
        <source>Alarms</source>
        <translation>アラーム</translation>
    </message>
    <message>
        <source>acknowledge the alarms of this bed</source>
        <translation>このベッドのアラームを確認</translation>
    </message>
    <message>
        <source>pause the tone, or bring it back</source>
        <translation>アラーム音の停止・再開</translation>
    </message>
    <message>
        <source>pause all alarms, or bring them back</source>
        <translation>全アラームの一時停止・再開</translation>
    </message>
    <message>
        <source>mute this monitor, or let it sound</source>
        <translation>このモニタの音を消す・出す</translation>
    </message>
    <message>
        <source>limits of this bed</source>
        <translation>このベッドのアラーム設定</translation>
    </message>
    <message>
        <source>review of the latest alarm</source>
        <translation>最新アラームの波形を見る</translation>
    </message>
    <message>
        <source>Trace</source>
        <translation>波形</translation>
    </message>
    <message>
        <source>Space</source>
        <translation>Space</translation>
    </message>
    <message>
        <source>freeze, or go on</source>
        <translation>波形の停止・再開</translation>
    </message>
    <message>
        <source>frozen: back and forth</source>
        <translation>停止中: 前後に移動</translation>
    </message>
    <message>
        <source>paper speed</source>
        <translation>掃引速度</translation>
    </message>
    <message>
        <source>amplitude</source>
        <translation>感度</translation>
    </message>
    <message>
        <source>amplitude fitted to the signal</source>
        <translation>感度を自動調整</translation>
    </message>
    <message>
        <source>grid</source>
        <translation>方眼</translation>
    </message>
    <message>
        <source>last hours: heart rate and score</source>
        <translation>トレンド: 心拍数と逸脱度</translation>
    </message>
    <message>
        <source>replay: pause, seek, speed, record</source>
        <translation>再生操作: 一時停止・移動・速度・記録</translation>
    </message>
    <message>
        <source>Beds</source>
        <translation>ベッド</translation>
    </message>
    <message>
        <source>next bed, or the one before</source>
        <translation>次・前のベッド</translation>
    </message>
    <message>
        <source>bed by its place</source>
        <translation>番号でベッドを選ぶ</translation>
    </message>
    <message>
        <source>central station, or one bed</source>
        <translation>セントラル・個別の切替</translation>
    </message>
    <message>
        <source>central station: full view of the bed</source>
        <translation>セントラルでベッドを全表示</translation>
    </message>
    <message>
        <source>Window</source>
        <translation>画面</translation>
    </message>
    <message>
        <source>night, day, colour-blind safe</source>
        <translation>夜間・昼間・色覚対応</translation>
    </message>
    <message>
        <source>settings</source>
        <translation>設定</translation>
    </message>
    <message>
        <source>full screen</source>
        <translation>全画面</translation>
    </message>
    <message>
        <source>about, licences, sources</source>
        <translation>情報、ライセンス、出典</translation>
    </message>
    <message>
        <source>this help</source>
        <translation>このヘルプ</translation>
    </message>
    <message>
        <source>close</source>
        <translation>終了</translation>
    </message>
</context>
<context>
    <name>Limits</name>
    <message>
        <source>Limits of {bed}</source>
        <translation>{bed} のアラーム設定</translation>
    </message>
    <message>
        <source> /min</source>
        <translation> /分</translation>
    </message>
    <message>
        <source>Heart rate, high</source>
        <translation>心拍数 上限</translation>
    </message>
    <message>
        <source>Heart rate, low</source>
        <translation>心拍数 下限</translation>
    </message>
    <message>
        <source>Alarms on</source>
        <translation>有効なアラーム</translation>
    </message>
</context>
<context>
    <name>Numbers</name>
    <message>
        <source>HR</source>
        <translation>HR</translation>
    </message>
    <message>
        <source>1/min</source>
        <translation>回/分</translation>
    </message>
    <message>
        <source>PVC/min {count}</source>
        <translation>VPC/分 {count}</translation>
    </message>
    <message>
        <source>signal {percent}</source>
        <translation>信号品質 {percent}</translation>
    </message>
    <message>
        <source>surprise / alarm from</source>
        <translation>逸脱度 / しきい値</translation>
    </message>
    <message>
        <source>forecast skill, 100 ms ahead</source>
        <translation>予測スキル(100 ms 先)</translation>
    </message>
    <message>
        <source>jitter of the arrivals</source>
        <translation>到着の揺らぎ</translation>
    </message>
    <message>
        <source>gaps · repeats · rejects</source>
        <translation>欠落 · 重複 · 不正</translation>
    </message>
</context>
<context>
    <name>Paper</name>
    <message>
        <source>{scale} · small square {square}</source>
        <translation>{scale} · 1 目盛 {square}</translation>
    </message>
    <message>
        <source>surprise</source>
        <translation>逸脱度</translation>
    </message>
    <message>
        <source>alarm from {score}</source>
        <translation>しきい値 {score}</translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation>{seconds} 秒</translation>
    </message>
    <message>
        <source>onset</source>
        <translation>発生</translation>
    </message>
</context>
<context>
    <name>Phrases</name>
    <message>
        <source>NO BROKER</source>
        <translation>ブローカ未接続</translation>
    </message>
    <message>
        <source>NO BROKER {age} s</source>
        <translation>ブローカ未接続 {age} 秒</translation>
    </message>
    <message>
        <source>WAITING FOR DATA</source>
        <translation>データ待ち</translation>
    </message>
    <message>
        <source>ENDED</source>
        <translation>記録終了</translation>
    </message>
    <message>
        <source>ENDED {age} s</source>
        <translation>記録終了 {age} 秒</translation>
    </message>
    <message>
        <source>NO DATA</source>
        <translation>データなし</translation>
    </message>
    <message>
        <source>NO DATA {age} s</source>
        <translation>データなし {age} 秒</translation>
    </message>
    <message>
        <source>NO WORKER</source>
        <translation>解析なし</translation>
    </message>
    <message>
        <source>NO WORKER {age} s</source>
        <translation>解析なし {age} 秒</translation>
    </message>
    <message>
        <source>NO FORECAST</source>
        <translation>予測なし</translation>
    </message>
    <message>
        <source>NO FORECAST {age} s</source>
        <translation>予測なし {age} 秒</translation>
    </message>
    <message>
        <source>LEARNING</source>
        <translation>学習中</translation>
    </message>
    <message>
        <source>LEARNING {age} s</source>
        <translation>学習中 {age} 秒</translation>
    </message>
    <message>
        <source>LIVE</source>
        <translation>受信中</translation>
    </message>
    <message>
        <source>LIVE {age} s</source>
        <translation>受信中 {age} 秒</translation>
    </message>
    <message>
        <source>PAUSED</source>
        <translation>再生停止中</translation>
    </message>
    <message>
        <source>PAUSED {age} s</source>
        <translation>再生停止中 {age} 秒</translation>
    </message>
    <message>
        <source>the replay is paused</source>
        <translation>再生は一時停止中です</translation>
    </message>
    <message>
        <source>asked for: {wishes} …</source>
        <translation>要求中: {wishes} …</translation>
    </message>
    <message>
        <source>not done: {wishes}</source>
        <translation>実行されませんでした: {wishes}</translation>
    </message>
    <message>
        <source>play</source>
        <translation>再生</translation>
    </message>
    <message>
        <source>pause</source>
        <translation>一時停止</translation>
    </message>
    <message>
        <source>go to {when}</source>
        <translation>{when} へ移動</translation>
    </message>
    <message>
        <source>speed ×{speed}</source>
        <translation>速度 ×{speed}</translation>
    </message>
    <message>
        <source>loop</source>
        <translation>反復</translation>
    </message>
    <message>
        <source>no loop</source>
        <translation>反復なし</translation>
    </message>
    <message>
        <source>record {record}</source>
        <translation>記録 {record}</translation>
    </message>
    <message>
        <source>rhythm</source>
        <translation>調律</translation>
    </message>
    <message>
        <source>reference</source>
        <translation>参照</translation>
    </message>
    <message>
        <source>detected</source>
        <translation>検出</translation>
    </message>
    <message>
        <source>NO CONNECTION TO THE BROKER</source>
        <translation>ブローカに接続されていません</translation>
    </message>
    <message>
        <source>no data yet</source>
        <translation>データ未着</translation>
    </message>
    <message>
        <source>the record has ended</source>
        <translation>記録が終わりました</translation>
    </message>
    <message>
        <source>NO WORKER: no forecast, no alarms</source>
        <translation>解析プロセスなし: 予測もアラームも出ません</translation>
    </message>
    <message>
        <source>the worker is silent: no alarms</source>
        <translation>解析プロセスの応答なし: アラームは出ません</translation>
    </message>
    <message>
        <source>learning this patient: no alarms yet</source>
        <translation>学習中: アラームはまだ出ません</translation>
    </message>
    <message>
        <source>connected to {address}</source>
        <translation>{address} に接続中</translation>
    </message>
    <message>
        <source>connecting to {address} …</source>
        <translation>{address} に接続しています …</translation>
    </message>
    <message>
        <source>connection to {address} lost; trying again</source>
        <translation>{address} との接続が切れました。再接続しています</translation>
    </message>
    <message>
        <source>broker {address} cannot be reached ({problem}): check --broker, or start one with &apos;bedside broker&apos;; trying again</source>
        <translation>ブローカ {address} に接続できません({problem})。--broker を確認するか、&apos;bedside broker&apos; で起動してください。再接続しています</translation>
    </message>
    <message>
        <source>broker {address} refuses this client ({problem}): check user name and password; trying again</source>
        <translation>ブローカ {address} に拒否されました({problem})。ユーザ名とパスワードを確認してください。再接続しています</translation>
    </message>
    <message>
        <source>sinus</source>
        <translation>洞調律</translation>
    </message>
    <message>
        <source>bigeminy</source>
        <translation>二段脈</translation>
    </message>
    <message>
        <source>trigeminy</source>
        <translation>三段脈</translation>
    </message>
    <message>
        <source>paced</source>
        <translation>ペーシング</translation>
    </message>
    <message>
        <source>atrial bigeminy</source>
        <translation>心房性二段脈</translation>
    </message>
    <message>
        <source>atrial flutter</source>
        <translation>心房粗動</translation>
    </message>
    <message>
        <source>ventricular bigeminy</source>
        <translation>心室性二段脈</translation>
    </message>
    <message>
        <source>heart block, second degree</source>
        <translation>2度房室ブロック</translation>
    </message>
    <message>
        <source>idioventricular rhythm</source>
        <translation>心室固有調律</translation>
    </message>
    <message>
        <source>normal sinus rhythm</source>
        <translation>正常洞調律</translation>
    </message>
    <message>
        <source>nodal rhythm</source>
        <translation>房室接合部調律</translation>
    </message>
    <message>
        <source>paced rhythm</source>
        <translation>ペーシング調律</translation>
    </message>
    <message>
        <source>pre-excitation</source>
        <translation>早期興奮</translation>
    </message>
    <message>
        <source>sinus bradycardia</source>
        <translation>洞性徐脈</translation>
    </message>
    <message>
        <source>supraventricular tachyarrhythmia</source>
        <translation>上室性頻脈性不整脈</translation>
    </message>
    <message>
        <source>ventricular trigeminy</source>
        <translation>心室性三段脈</translation>
    </message>
    <message>
        <source>ventricular flutter</source>
        <translation>心室粗動</translation>
    </message>
    <message>
        <source>asystole</source>
        <translation>心静止</translation>
    </message>
    <message>
        <source>ventricular fibrillation</source>
        <translation>心室細動</translation>
    </message>
    <message>
        <source>ventricular tachycardia</source>
        <translation>心室頻拍</translation>
    </message>
    <message>
        <source>extreme tachycardia</source>
        <translation>高度頻脈</translation>
    </message>
    <message>
        <source>extreme bradycardia</source>
        <translation>高度徐脈</translation>
    </message>
    <message>
        <source>pvc run</source>
        <translation>VPC連発</translation>
    </message>
    <message>
        <source>heart rate high</source>
        <translation>心拍数上限</translation>
    </message>
    <message>
        <source>heart rate low</source>
        <translation>心拍数下限</translation>
    </message>
    <message>
        <source>atrial fibrillation</source>
        <translation>心房細動</translation>
    </message>
    <message>
        <source>residual</source>
        <translation>予測逸脱</translation>
    </message>
    <message>
        <source>no data</source>
        <translation>データなし</translation>
    </message>
    <message>
        <source>lead off</source>
        <translation>電極はずれ</translation>
    </message>
    <message>
        <source>saturation</source>
        <translation>入力過大</translation>
    </message>
    <message>
        <source>noise</source>
        <translation>ノイズ混入</translation>
    </message>
    <message>
        <source>Ventricular fibrillation or flutter</source>
        <translation>心室細動または心室粗動</translation>
    </message>
    <message>
        <source>Asystole: no QRS complex for {value} s</source>
        <translation>心静止: {value} 秒間 QRS なし</translation>
    </message>
    <message>
        <source>Ventricular tachycardia: {beats} beats at {value}/min</source>
        <translation>心室頻拍: {beats} 拍 {value}/分</translation>
    </message>
    <message>
        <source>Ventricular tachycardia: up to {beats} beats, up to {value}/min</source>
        <translation>心室頻拍: 最大 {beats} 拍、最大 {value}/分</translation>
    </message>
    <message>
        <source>PVC run: {beats} in a row at {value}/min</source>
        <translation>VPC ラン: {beats} 連発 {value}/分</translation>
    </message>
    <message>
        <source>PVC run: up to {beats} in a row, up to {value}/min</source>
        <translation>VPC ラン: 最大 {beats} 連発、最大 {value}/分</translation>
    </message>
    <message>
        <source>Extreme tachycardia: {value}/min over {beats} beats, above {limit}/min</source>
        <translation>極度の頻脈: {beats} 拍で {value}/分、上限 {limit}/分</translation>
    </message>
    <message>
        <source>Extreme tachycardia: up to {value}/min over {beats} beats</source>
        <translation>極度の頻脈: {beats} 拍で最大 {value}/分</translation>
    </message>
    <message>
        <source>Extreme bradycardia: {value}/min over {beats} beats, below {limit}/min</source>
        <translation>極度の徐脈: {beats} 拍で {value}/分、下限 {limit}/分</translation>
    </message>
    <message>
        <source>Extreme bradycardia: down to {value}/min over {beats} beats</source>
        <translation>極度の徐脈: {beats} 拍で最小 {value}/分</translation>
    </message>
    <message>
        <source>Heart rate high: {value}/min, above {limit}/min</source>
        <translation>心拍数上限: {value}/分、上限 {limit}/分</translation>
    </message>
    <message>
        <source>Heart rate high: up to {value}/min, above {limit}/min</source>
        <translation>心拍数上限: 最大 {value}/分、上限 {limit}/分</translation>
    </message>
    <message>
        <source>Heart rate low: {value}/min, below {limit}/min</source>
        <translation>心拍数下限: {value}/分、下限 {limit}/分</translation>
    </message>
    <message>
        <source>Heart rate low: down to {value}/min, below {limit}/min</source>
        <translation>心拍数下限: 最小 {value}/分、下限 {limit}/分</translation>
    </message>
    <message>
        <source>Atrial fibrillation: the beats come irregularly</source>
        <translation>心房細動: 心拍が不規則</translation>
    </message>
    <message>
        <source>Atrial fibrillation for {seconds} s</source>
        <translation>心房細動 {seconds} 秒間</translation>
    </message>
    <message>
        <source>Ventricular fibrillation or flutter for {seconds} s</source>
        <translation>心室細動・粗動が {seconds} 秒間</translation>
    </message>
    <message>
        <source>Waveform left its forecast: observed {observed} mV where {predicted} mV was expected ({lead}, {ahead} ms ahead)</source>
        <translation>波形が予測から逸脱: 実測 {observed} mV、予測 {predicted} mV({lead}、{ahead} ms 先)</translation>
    </message>
    <message>
        <source>No data for {seconds} s</source>
        <translation>データなし {seconds} 秒間</translation>
    </message>
    <message>
        <source>Lead off: {leads}</source>
        <translation>電極はずれ: {leads}</translation>
    </message>
    <message>
        <source>Signal at the end of the amplifier&apos;s range: {leads}</source>
        <translation>入力過大: {leads}</translation>
    </message>
    <message>
        <source>Noise hides the QRS complexes: {leads}</source>
        <translation>ノイズ混入、QRS 検出不能: {leads}</translation>
    </message>
    <message>
        <source>Switched off by {who}</source>
        <translation>{who} が停止</translation>
    </message>
    <message>
        <source>switched off</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>became {kind}</source>
        <translation>{kind} に移行</translation>
    </message>
    <message>
        <source>not known any more: the signal is not usable</source>
        <translation>信号不良のため判定できません</translation>
    </message>
    <message>
        <source>the signal breaks off</source>
        <translation>信号が途切れました</translation>
    </message>
    <message>
        <source>{what}; {why}</source>
        <translation>{what}、{why}</translation>
    </message>
    <message>
        <source>Alarm</source>
        <translation>アラーム</translation>
    </message>
    <message>
        <source>When</source>
        <translation>日時</translation>
    </message>
    <message>
        <source>Observed</source>
        <translation>実測</translation>
    </message>
    <message>
        <source>Surprise</source>
        <translation>逸脱度</translation>
    </message>
    <message>
        <source>Measured</source>
        <translation>計測値</translation>
    </message>
    <message>
        <source>Seen by</source>
        <translation>確認</translation>
    </message>
    <message>
        <source>Repeats</source>
        <translation>反復</translation>
    </message>
    <message>
        <source>Where</source>
        <translation>場所</translation>
    </message>
    <message>
        <source>{kind}, high priority</source>
        <translation>{kind}、高優先度</translation>
    </message>
    <message>
        <source>{kind}, medium priority</source>
        <translation>{kind}、中優先度</translation>
    </message>
    <message>
        <source>{kind}, low priority</source>
        <translation>{kind}、低優先度</translation>
    </message>
    <message>
        <source>{kind}, technical</source>
        <translation>{kind}、テクニカル</translation>
    </message>
    <message>
        <source>raised {when}, lasts for {seconds} s now</source>
        <translation>{when} に発生、{seconds} 秒継続中</translation>
    </message>
    <message>
        <source>raised {when}, lasted {seconds} s</source>
        <translation>{when} に発生、{seconds} 秒間</translation>
    </message>
    <message>
        <source>raised before this monitor looked, lasts for {seconds} s now</source>
        <translation>このモニタの起動前に発生、{seconds} 秒継続中</translation>
    </message>
    <message>
        <source>raised before this monitor looked, lasted {seconds} s</source>
        <translation>このモニタの起動前に発生、{seconds} 秒間</translation>
    </message>
    <message>
        <source>{observed} mV where {predicted} mV had been forecast</source>
        <translation>{observed} mV(予測 {predicted} mV)</translation>
    </message>
    <message>
        <source>{score}, alarm from {threshold}</source>
        <translation>{score}(しきい値 {threshold})</translation>
    </message>
    <message>
        <source>{value}/min, limit {limit}/min</source>
        <translation>{value}/分、設定値 {limit}/分</translation>
    </message>
    <message>
        <source>{value} s, limit {limit} s</source>
        <translation>{value} 秒、設定値 {limit} 秒</translation>
    </message>
    <message>
        <source>{value}, limit {limit}</source>
        <translation>{value}、設定値 {limit}</translation>
    </message>
    <message>
        <source>{value} s</source>
        <translation>{value} 秒</translation>
    </message>
    <message>
        <source>nobody has acknowledged it</source>
        <translation>未確認</translation>
    </message>
    <message>
        <source>acknowledged by {who} at {when}</source>
        <translation>{who} が {when} に確認</translation>
    </message>
    <message>
        <source>acknowledged by {who}</source>
        <translation>{who} が確認</translation>
    </message>
    <message>
        <source>raised once before, since one was last acknowledged</source>
        <translation>前回の確認後、1 回発生</translation>
    </message>
    <message>
        <source>raised {count} times before, since one was last acknowledged</source>
        <translation>前回の確認後、{count} 回発生</translation>
    </message>
    <message>
        <source>{bed}, {record}, sample {sample} of its session</source>
        <translation>{bed}、{record}、セッションの {sample} サンプル目</translation>
    </message>
    <message>
        <source>No samples of this bed have come.</source>
        <translation>このベッドの波形は届いていません。</translation>
    </message>
    <message>
        <source>The samples of this event are gone: it is of another session.</source>
        <translation>この波形は残っていません: 別のセッションの記録です。</translation>
    </message>
    <message>
        <source>The samples of this event are gone: {why}.</source>
        <translation>この波形は残っていません: {why}。</translation>
    </message>
    <message>
        <source>The first {seconds} s are gone: {why}.</source>
        <translation>最初の {seconds} 秒は残っていません: {why}。</translation>
    </message>
    <message>
        <source>{seconds} s are missing or invalid.</source>
        <translation>{seconds} 秒が欠落または無効です。</translation>
    </message>
    <message>
        <source>The last {seconds} s have not come: {why}.</source>
        <translation>最後の {seconds} 秒が届いていません: {why}。</translation>
    </message>
    <message>
        <source>{seconds} s still to come …</source>
        <translation>あと {seconds} 秒 …</translation>
    </message>
    <message>
        <source>The last {seconds} s never came: the session has ended.</source>
        <translation>最後の {seconds} 秒は届きませんでした: セッションが終わりました。</translation>
    </message>
    <message>
        <source>the monitor keeps 11 minutes</source>
        <translation>保持は 11 分間です</translation>
    </message>
    <message>
        <source>the monitor was opened, or the leads changed, after it</source>
        <translation>その後にモニタが起動したか、誘導が変わりました</translation>
    </message>
    <message>
        <source>other samples are gone: a new session has begun</source>
        <translation>新しいセッションのため他の波形は残っていません</translation>
    </message>
</context>
<context>
    <name>Replay</name>
    <message>
        <source>Replay another record</source>
        <translation>別の記録を再生</translation>
    </message>
    <message>
        <source>number or rhythm, such as 208 or flutter</source>
        <translation>番号または調律(208、粗動 など)</translation>
    </message>
    <message>
        <source>No publisher sends this bed: there is nothing to control. Start one with: bedside replay</source>
        <translation>このベッドに送信中のプロセスがなく、操作できません。起動: bedside replay</translation>
    </message>
    <message>
        <source>The broker is away: nothing can be asked for.</source>
        <translation>ブローカ未接続のため操作できません。</translation>
    </message>
    <message>
        <source>−{seconds} s</source>
        <translation>−{seconds} 秒</translation>
    </message>
    <message>
        <source>+{seconds} s</source>
        <translation>+{seconds} 秒</translation>
    </message>
    <message>
        <source>Loop</source>
        <translation>反復</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>一時停止</translation>
    </message>
    <message>
        <source>Play</source>
        <translation>再生</translation>
    </message>
    <message>
        <source>Again</source>
        <translation>最初から</translation>
    </message>
</context>
<context>
    <name>ResidualStrip</name>
    <message>
        <source>surprise (3: once in 1,000 s by chance)</source>
        <translation>逸脱度(3: 偶然なら 1,000 秒に 1 回)</translation>
    </message>
    <message>
        <source>alarm from {score}</source>
        <translation>しきい値 {score}</translation>
    </message>
</context>
<context>
    <name>Review</name>
    <message>
        <source>Save as</source>
        <translation>保存形式</translation>
    </message>
    <message>
        <source>Speed  (S)</source>
        <translation>速度  (S)</translation>
    </message>
    <message>
        <source>Size  (+ −)</source>
        <translation>感度  (+ −)</translation>
    </message>
    <message>
        <source>Close  (Esc)</source>
        <translation>閉じる  (Esc)</translation>
    </message>
    <message>
        <source>drag on the trace to measure, Esc takes the lines away</source>
        <translation>波形上をドラッグして計測、Esc で線を消す</translation>
    </message>
    <message>
        <source>Save {form}</source>
        <translation>{form} を保存</translation>
    </message>
    <message>
        <source>not saved: {why}</source>
        <translation>保存できません: {why}</translation>
    </message>
    <message>
        <source>not saved: {path} cannot be written ({why}): choose another folder</source>
        <translation>保存できません: {path} に書き込めません({why})。別のフォルダを選んでください</translation>
    </message>
    <message>
        <source>saved {path}</source>
        <translation>{path} に保存しました</translation>
    </message>
    <message>
        <source>Calipers</source>
        <translation>キャリパ</translation>
    </message>
    <message>
        <source>Samples</source>
        <translation>サンプル</translation>
    </message>
</context>
<context>
    <name>Settings</name>
    <message>
        <source>Night</source>
        <translation>夜間</translation>
    </message>
    <message>
        <source>Day</source>
        <translation>昼間</translation>
    </message>
    <message>
        <source>For colour-blind people</source>
        <translation>色覚対応</translation>
    </message>
    <message>
        <source>none</source>
        <translation>なし</translation>
    </message>
    <message>
        <source>1 mm and 5 mm</source>
        <translation>1 mm と 5 mm</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>設定</translation>
    </message>
    <message>
        <source>that of the system</source>
        <translation>システムの言語</translation>
    </message>
    <message>
        <source>fitted to the signal</source>
        <translation>自動調整</translation>
    </message>
    <message>
        <source>Hold a ruler against this bar and enter its length: millimetres are true then.</source>
        <translation>この線に定規を当てて長さを入力すると、画面の mm が実寸になります。</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>言語</translation>
    </message>
    <message>
        <source>Colours</source>
        <translation>配色</translation>
    </message>
    <message>
        <source>Size of letters</source>
        <translation>文字の大きさ</translation>
    </message>
    <message>
        <source>Paper speed</source>
        <translation>掃引速度</translation>
    </message>
    <message>
        <source>Amplitude</source>
        <translation>感度</translation>
    </message>
    <message>
        <source>Grid</source>
        <translation>方眼</translation>
    </message>
    <message>
        <source>This bar is</source>
        <translation>この線の長さ</translation>
    </message>
</context>
<context>
    <name>Station</name>
    <message>
        <source>click or Enter: full view  ·  arrows: choose  ·  C: one bed</source>
        <translation>クリック・Enter: 全表示  ·  矢印: 選択  ·  C: 個別ベッド</translation>
    </message>
    <message>
        <source>1 bed</source>
        <translation>1 床</translation>
    </message>
    <message>
        <source>{count} beds</source>
        <translation>{count} 床</translation>
    </message>
    <message>
        <source>the first {shown} of {count} beds</source>
        <translation>{count} 床中 最初の {shown} 床</translation>
    </message>
    <message>
        <source>CENTRAL STATION</source>
        <translation>セントラルモニタ</translation>
    </message>
    <message>
        <source>{count} in alarm</source>
        <translation>アラーム {count} 床</translation>
    </message>
</context>
<context>
    <name>Trend</name>
    <message>
        <source>high alarm</source>
        <translation>高優先度アラーム</translation>
    </message>
    <message>
        <source>medium alarm</source>
        <translation>中優先度アラーム</translation>
    </message>
    <message>
        <source>low alarm</source>
        <translation>低優先度アラーム</translation>
    </message>
    <message>
        <source>technical alarm</source>
        <translation>テクニカルアラーム</translation>
    </message>
    <message>
        <source>heart rate</source>
        <translation>心拍数</translation>
    </message>
    <message>
        <source>surprise</source>
        <translation>逸脱度</translation>
    </message>
    <message>
        <source>HR {rate}</source>
        <translation>心拍数 {rate}</translation>
    </message>
    <message>
        <source>surprise {score}</source>
        <translation>逸脱度 {score}</translation>
    </message>
</context>
<context>
    <name>Window</name>
    <message>
        <source>bedside monitor — simulation</source>
        <translation>bedside モニタ — シミュレーション</translation>
    </message>
    <message>
        <source>not sent: the broker is away</source>
        <translation>送信できません: ブローカ未接続</translation>
    </message>
    <message>
        <source>no limits known: no worker has told them yet</source>
        <translation>設定値が不明です: 解析プロセスからまだ届いていません</translation>
    </message>
    <message>
        <source>MUTED HERE (M)</source>
        <translation>このモニタは消音中 (M)</translation>
    </message>
    <message>
        <source>sound on (M)</source>
        <translation>音あり (M)</translation>
    </message>
    <message>
        <source>no sound: start with bedside monitor --sound</source>
        <translation>音は出ません: bedside monitor --sound で起動してください</translation>
    </message>
</context>
</TS>
