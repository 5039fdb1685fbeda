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
        <source>A streaming bedside-monitor simulator for teaching and development. It is not a medical device.</source>
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
        <source>{alarm}: ended, not acknowledged</source>
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
        <source>click: review from 10 s before to 10 s after the onset</source>
        <translation>クリック: 発生前後 10 秒を表示</translation>
    </message>
    <message>
        <source>ACTIVE</source>
        <translation>発生中</translation>
    </message>
    <message>
        <source>ENDED, NOT ACKNOWLEDGED</source>
        <translation>終了、未確認</translation>
    </message>
    <message>
        <source>PAST</source>
        <translation>履歴</translation>
    </message>
    <message>
        <source>ACTIVE WHEN LAST KNOWN</source>
        <translation>最終確認時に発生中</translation>
    </message>
    <message>
        <source>lasted {seconds} s</source>
        <translation>持続 {seconds} 秒</translation>
    </message>
    <message>
        <source>lasted {hours} h</source>
        <translation>{hours} 時間継続</translation>
    </message>
    <message>
        <source>now, {seconds} s</source>
        <translation>発生中、{seconds} 秒</translation>
    </message>
    <message>
        <source>now, {hours} h</source>
        <translation>継続中、{hours} 時間</translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation>{seconds} 秒</translation>
    </message>
    <message>
        <source>{hours} h</source>
        <translation>{hours} 時間</translation>
    </message>
    <message>
        <source>{count} advisories since {since}, the last at {last}</source>
        <translation>参考情報、{since} から {count} 回、最終 {last}</translation>
    </message>
</context>
<context>
    <name>AnomalyStrip</name>
    <message>
        <source>anomaly score (3: once in 1,000 s by chance)</source>
        <translation>異常スコア(3: 偶然なら 1,000 秒に 1 回)</translation>
    </message>
    <message>
        <source>unusual from {score}</source>
        <translation>しきい値 {score}</translation>
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
        <source>Early warning  (H)</source>
        <translation>早期警告 (H)</translation>
    </message>
    <message>
        <source>Hours  (H)</source>
        <translation>時間ごと (H)</translation>
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
        <source>{record} at hour {hour}</source>
        <translation>{record} {hour} 時間目</translation>
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
    <name>BedTabs</name>
    <message>
        <source>Central station  (C)</source>
        <translation>セントラル  (C)</translation>
    </message>
</context>
<context>
    <name>BedTile</name>
    <message>
        <source>SYNTHETIC</source>
        <translation>合成波形</translation>
    </message>
    <message>
        <source>SYN</source>
        <translation>合成</translation>
    </message>
    <message>
        <source>{alarm}, ended</source>
        <translation>{alarm}、終了</translation>
    </message>
</context>
<context>
    <name>BedView</name>
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
    <name>FreezeController</name>
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
        <source>The trace is a recorded ECG, replayed in real time: there is no patient in this bed.</source>
        <translation>波形は記録された心電図を実時間で再生したもので、このベッドに患者はいません。</translation>
    </message>
    <message>
        <source>Ahead of it is a forecast of the next second, from a neural network and this patient&apos;s own past, with a 90 % band.</source>
        <translation>波形の先に、ニューラルネットワークとこの患者の過去の波形から予測した 1 秒先までの波形と 90 % 区間を表示します。</translation>
    </message>
    <message>
        <source>Where signal and forecast differ, the anomaly score rises (key E shows it); above its threshold, an alarm is raised.</source>
        <translation>波形が予測から外れると異常スコアが上がり(E キーで表示)、しきい値を超えるとアラームになります。</translation>
    </message>
    <message>
        <source>Click an alarm in the list to review the ten seconds before and after its onset.</source>
        <translation>一覧のアラームをクリックすると、発生前後 10 秒の波形を確認できます。</translation>
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
    <name>Instructor</name>
    <message>
        <source>Rhythm</source>
        <translation>調律</translation>
    </message>
    <message>
        <source>Disturbances</source>
        <translation>アーチファクト・障害</translation>
    </message>
    <message>
        <source>Vital signs</source>
        <translation>バイタルサイン</translation>
    </message>
    <message>
        <source>Score</source>
        <translation>スコア</translation>
    </message>
    <message>
        <source>Scenario</source>
        <translation>シナリオ</translation>
    </message>
    <message>
        <source>No publisher sends this bed.</source>
        <translation>このベッドを送信する配信元がありません。</translation>
    </message>
    <message>
        <source>{count} episodes in records on disk</source>
        <translation>ディスク上の記録に {count} 件</translation>
    </message>
    <message>
        <source>No episodes on disk: bedside data fetch mitdb</source>
        <translation>ディスクに記録がありません: bedside data fetch mitdb</translation>
    </message>
    <message>
        <source>This patient is recorded; only synthetic/live can be steered.</source>
        <translation>この患者は記録です。操作できるのは synthetic/live だけです。</translation>
    </message>
    <message>
        <source>This publisher cannot inject.</source>
        <translation>この配信元はアーチファクトや障害を加えられません。</translation>
    </message>
    <message>
        <source>Nothing can be injected: this bed sends numerics alone.</source>
        <translation>数値だけのベッドなので、アーチファクト・障害は加えられません。</translation>
    </message>
    <message>
        <source>return afterwards to where the record was</source>
        <translation>終了後、元の位置に戻る</translation>
    </message>
    <message>
        <source>note for the debriefing, then Enter</source>
        <translation>振り返り用のメモ(Enter で送信)</translation>
    </message>
    <message>
        <source>This bed sends none of {signals}.</source>
        <translation>このベッドは {signals} を送っていません。</translation>
    </message>
    <message>
        <source>The beds of a large ward share their messages: replay with --detail all.</source>
        <translation>大規模病棟のベッドはメッセージを共有しています。--detail all で再生してください。</translation>
    </message>
    <message>
        <source>bedside — instructor</source>
        <translation>bedside — 指導者</translation>
    </message>
    <message>
        <source>not sent: the broker is not connected</source>
        <translation>送信されませんでした: ブローカーに接続していません</translation>
    </message>
    <message>
        <source>refused: {reason}</source>
        <translation>拒否されました: {reason}</translation>
    </message>
    <message>
        <source>no publisher</source>
        <translation>配信元なし</translation>
    </message>
    <message>
        <source>paused</source>
        <translation>一時停止中</translation>
    </message>
    <message>
        <source>{action}: done after {seconds} s</source>
        <translation>{action}: {seconds} 秒後に実施</translation>
    </message>
    <message>
        <source>{action}: missed</source>
        <translation>{action}: 実施されず</translation>
    </message>
    <message>
        <source>begins</source>
        <translation>開始</translation>
    </message>
    <message>
        <source>ends</source>
        <translation>終了</translation>
    </message>
    <message>
        <source>note: {text}</source>
        <translation>メモ: {text}</translation>
    </message>
    <message>
        <source>scenario {name}</source>
        <translation>シナリオ {name}</translation>
    </message>
    <message>
        <source>no scenario: start one with bedside replay --scenario</source>
        <translation>シナリオなし: bedside replay --scenario で開始</translation>
    </message>
    <message>
        <source>next: {step}</source>
        <translation>次: {step}</translation>
    </message>
    <message>
        <source>Pause scenario</source>
        <translation>シナリオを一時停止</translation>
    </message>
    <message>
        <source>Continue scenario</source>
        <translation>シナリオを再開</translation>
    </message>
    <message>
        <source>change within</source>
        <translation>変化にかける時間</translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation>{seconds} 秒</translation>
    </message>
    <message>
        <source>{what} within {seconds} s</source>
        <translation>{what}({seconds} 秒かけて)</translation>
    </message>
    <message>
        <source>episode: {name}</source>
        <translation>記録中の{name}</translation>
    </message>
    <message>
        <source>{what} for {seconds} s</source>
        <translation>{what}({seconds} 秒間)</translation>
    </message>
    <message>
        <source>end of {name}</source>
        <translation>{name}の終了</translation>
    </message>
    <message>
        <source>student: {action} within {seconds} s</source>
        <translation>学習者: {action}({seconds} 秒以内)</translation>
    </message>
    <message>
        <source>note</source>
        <translation>メモ</translation>
    </message>
    <message>
        <source>the alarm {name}</source>
        <translation>アラーム「{name}」</translation>
    </message>
    <message>
        <source>step {number}</source>
        <translation>ステップ {number}</translation>
    </message>
    <message>
        <source>after {seconds} s of {what}</source>
        <translation>{what}が {seconds} 秒続いた後</translation>
    </message>
    <message>
        <source>{seconds} s after {what}</source>
        <translation>{what}の {seconds} 秒後</translation>
    </message>
    <message>
        <source>after {what}</source>
        <translation>{what}の後</translation>
    </message>
    <message>
        <source>{text}, at {time} at the latest</source>
        <translation>{text}(遅くとも {time})</translation>
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
        <source>pause the tone, or end the pause</source>
        <translation>アラーム音の停止・再開</translation>
    </message>
    <message>
        <source>pause all alarms, or end the pause</source>
        <translation>全アラームの一時停止・再開</translation>
    </message>
    <message>
        <source>mute this monitor, or unmute it</source>
        <translation>このモニタの音を消す・出す</translation>
    </message>
    <message>
        <source>limits of this bed</source>
        <translation>このベッドのアラーム設定</translation>
    </message>
    <message>
        <source>review of the alarm shown, or of the latest</source>
        <translation>表示中または最新のアラームを確認</translation>
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
        <source>freeze, or return to live</source>
        <translation>波形の停止・再開</translation>
    </message>
    <message>
        <source>frozen: move in time</source>
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
        <source>trend of all numbers</source>
        <translation>すべての数値のトレンド</translation>
    </message>
    <message>
        <source>hourly values and forecast, if there is an outlook</source>
        <translation>時間ごとの値と今後の予測(ある場合)</translation>
    </message>
    <message>
        <source>trend: 10 min, 1 h, 8 h; hours: 6, 12, 24, 72</source>
        <translation>トレンド: 10 分、1 時間、8 時間／時間ごとの値: 6、12、24、72 時間</translation>
    </message>
    <message>
        <source>write the trend of 8 h as CSV</source>
        <translation>8 時間のトレンドを CSV に保存</translation>
    </message>
    <message>
        <source>replay: pause, seek, speed, record</source>
        <translation>再生操作: 一時停止・移動・速度・記録</translation>
    </message>
    <message>
        <source>for engineers: anomaly score, arrivals</source>
        <translation>技術者向け: 異常スコア、到着状況</translation>
    </message>
    <message>
        <source>Beds</source>
        <translation>ベッド</translation>
    </message>
    <message>
        <source>next or previous bed</source>
        <translation>次・前のベッド</translation>
    </message>
    <message>
        <source>bed by number</source>
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
        <source>below</source>
        <translation>未満</translation>
    </message>
    <message>
        <source>above</source>
        <translation>超過</translation>
    </message>
    <message>
        <source>1/min</source>
        <translation>回/分</translation>
    </message>
    <message>
        <source>after</source>
        <translation>経過</translation>
    </message>
    <message>
        <source>Heart rate</source>
        <translation>心拍数</translation>
    </message>
    <message>
        <source>SpO₂ low, desaturation</source>
        <translation>SpO₂ 低下、著明な低下</translation>
    </message>
    <message>
        <source>Pressure, systolic</source>
        <translation>収縮期血圧</translation>
    </message>
    <message>
        <source>Pressure, mean</source>
        <translation>平均血圧</translation>
    </message>
    <message>
        <source>Pressure, diastolic</source>
        <translation>拡張期血圧</translation>
    </message>
    <message>
        <source>Respiration</source>
        <translation>呼吸数</translation>
    </message>
    <message>
        <source>Apnoea</source>
        <translation>無呼吸</translation>
    </message>
    <message>
        <source>Limits of {bed}</source>
        <translation>{bed} のアラーム設定</translation>
    </message>
    <message>
        <source>Alarm when the value is</source>
        <translation>アラームの条件</translation>
    </message>
    <message>
        <source>Alarms that are on</source>
        <translation>有効なアラーム</translation>
    </message>
    <message>
        <source>{alarm}: always on</source>
        <translation>{alarm}: 常に有効</translation>
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
        <source>ST mV</source>
        <translation>ST mV</translation>
    </message>
    <message>
        <source>anomaly score / unusual from</source>
        <translation>異常スコア / しきい値</translation>
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
    <message>
        <source>recorded</source>
        <translation>記録値</translation>
    </message>
    <message>
        <source>simulated</source>
        <translation>模擬値</translation>
    </message>
    <message>
        <source>measured</source>
        <translation>計測値</translation>
    </message>
    <message>
        <source>no value for {age}</source>
        <translation>{age} 間 値なし</translation>
    </message>
    <message>
        <source>{count} s</source>
        <translation>{count} 秒</translation>
    </message>
    <message>
        <source>{count} min</source>
        <translation>{count} 分</translation>
    </message>
    <message>
        <source>{count} h</source>
        <translation>{count} 時間</translation>
    </message>
    <message>
        <source>{source}, {age} ago</source>
        <translation>{source}、{age} 前</translation>
    </message>
</context>
<context>
    <name>OtherBeds</name>
    <message>
        <source>click: show this bed</source>
        <translation>クリック: このベッドを表示</translation>
    </message>
    <message>
        <source>{alarm}, ended</source>
        <translation>{alarm}、終了</translation>
    </message>
</context>
<context>
    <name>Outlook</name>
    <message>
        <source>no outlook yet: a worker sends one with each hour</source>
        <translation>見通しはまだありません: worker が 1 時間ごとに送ります</translation>
    </message>
    <message>
        <source>hour {hour}</source>
        <translation>{hour} 時間</translation>
    </message>
    <message>
        <source>+{hours} h</source>
        <translation>+{hours} 時間</translation>
    </message>
    <message>
        <source>now: {hour}</source>
        <translation>現在: {hour}</translation>
    </message>
    <message>
        <source> ({hours} h ago)</source>
        <translation>({hours} 時間前)</translation>
    </message>
    <message>
        <source>forecast:
median,
80 % band</source>
        <translation>予測:
中央値、
80 % 区間</translation>
    </message>
    <message>
        <source>pressure is low now</source>
        <translation>現在、血圧が低い</translation>
    </message>
    <message>
        <source>Risk: {event}</source>
        <translation>リスク: {event}</translation>
    </message>
    <message>
        <source>low</source>
        <translation>低</translation>
    </message>
    <message>
        <source>SIMULATION: a model&apos;s estimate, not a diagnosis. Low pressure is forecast fairly well, sepsis modestly.</source>
        <translation>シミュレーション: モデルによる推定であり、診断ではありません。低血圧の予測は比較的良好、敗血症は限定的です。</translation>
    </message>
    <message>
        <source>since this hour</source>
        <translation>この時刻から</translation>
    </message>
    <message>
        <source>since hour {hour}</source>
        <translation>{hour} 時間目から</translation>
    </message>
    <message>
        <source>not a diagnosis</source>
        <translation>診断ではありません</translation>
    </message>
    <message>
        <source>No outlook</source>
        <translation>見通しなし</translation>
    </message>
    <message>
        <source>No forecast: the worker has no model for it</source>
        <translation>予測なし: worker にモデルがありません</translation>
    </message>
    <message>
        <source>EARLY WARNING</source>
        <translation>早期警告</translation>
    </message>
    <message>
        <source>EARLY WARNING: {event}</source>
        <translation>早期警告: {event}</translation>
    </message>
    <message>
        <source>low now</source>
        <translation>現在低値</translation>
    </message>
    <message>
        <source>No early warning</source>
        <translation>早期警告なし</translation>
    </message>
    <message>
        <source>since hour {hour}: risk {before}, now {now}</source>
        <translation>{hour} 時間目から: リスク {before}、現在 {now}</translation>
    </message>
    <message>
        <source>since hour {hour}: risk {before}, now {now}, below the threshold</source>
        <translation>{hour} 時間目から: リスク {before}、現在 {now}(しきい値未満)</translation>
    </message>
    <message>
        <source>NEWS2  {score}</source>
        <translation>NEWS2  {score}</translation>
    </message>
    <message>
        <source>not known: {parts}</source>
        <translation>不明: {parts}</translation>
    </message>
</context>
<context>
    <name>Paper</name>
    <message>
        <source>{scale} · small square {square}</source>
        <translation>{scale} · 1 目盛 {square}</translation>
    </message>
    <message>
        <source>anomaly score</source>
        <translation>異常スコア</translation>
    </message>
    <message>
        <source>unusual from {score}</source>
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
    <name>Quiz</name>
    <message>
        <source>QUIZ: which rhythm is it?</source>
        <translation>クイズ: どの調律ですか?</translation>
    </message>
    <message>
        <source>choose …</source>
        <translation>選択 …</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>回答</translation>
    </message>
    <message>
        <source>sent: {rhythm}</source>
        <translation>送信済み: {rhythm}</translation>
    </message>
    <message>
        <source>choose a rhythm first</source>
        <translation>先に調律を選んでください</translation>
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
        <source>No publisher sends this bed. Start one with: bedside replay</source>
        <translation>このベッドに送信中のプロセスがありません。起動: bedside replay</translation>
    </message>
    <message>
        <source>The broker is not connected: the replay cannot be controlled.</source>
        <translation>ブローカ未接続のため操作できません。</translation>
    </message>
    <message>
        <source>Show…</source>
        <translation>調律を表示…</translation>
    </message>
    <message>
        <source>−1 h</source>
        <translation>−1 時間</translation>
    </message>
    <message>
        <source>+1 h</source>
        <translation>+1 時間</translation>
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
        <source>{position} of {duration} h</source>
        <translation>{position} / {duration} 時間</translation>
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
        <source>drag on the trace to measure, Esc removes the lines</source>
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
    <name>Score</name>
    <message>
        <source>complete</source>
        <translation>完了</translation>
    </message>
    <message>
        <source>QRS, Se / PPV %, {done}</source>
        <translation>QRS 感度/的中率 %、{done}</translation>
    </message>
    <message>
        <source>VEB · SVEB</source>
        <translation>心室性 · 上室性</translation>
    </message>
    <message>
        <source>AF · VT, Se / Sp</source>
        <translation>AF · VT 感度/特異度</translation>
    </message>
    <message>
        <source>false alarms per h · delay</source>
        <translation>誤アラーム/時 · 遅れ</translation>
    </message>
    <message>
        <source>none: start bedside score</source>
        <translation>なし: bedside score を起動</translation>
    </message>
    <message>
        <source>a record needs --annotations</source>
        <translation>記録の再生には --annotations が必要</translation>
    </message>
    <message>
        <source>QRS</source>
        <translation>QRS</translation>
    </message>
    <message>
        <source>VEB</source>
        <translation>VEB</translation>
    </message>
    <message>
        <source>SVEB</source>
        <translation>SVEB</translation>
    </message>
    <message>
        <source>VF</source>
        <translation>VF</translation>
    </message>
    <message>
        <source>VT</source>
        <translation>VT</translation>
    </message>
    <message>
        <source>VF or VT</source>
        <translation>VF または VT</translation>
    </message>
    <message>
        <source>asystole</source>
        <translation>心静止</translation>
    </message>
    <message>
        <source>AF</source>
        <translation>AF</translation>
    </message>
    <message>
        <source>% Se / PPV, Sp</source>
        <translation>% Se / PPV、Sp</translation>
    </message>
    <message>
        <source>last {minutes} min</source>
        <translation>直近 {minutes} 分</translation>
    </message>
    <message>
        <source>found</source>
        <translation>検出</translation>
    </message>
    <message>
        <source>delay</source>
        <translation>遅れ</translation>
    </message>
    <message>
        <source>false alarms per h</source>
        <translation>誤アラーム/時</translation>
    </message>
    <message>
        <source>beats and AF from {time} on</source>
        <translation>心拍と AF は {time} から</translation>
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
        <source>Colour-blind safe</source>
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
        <source>ahead of the cursor</source>
        <translation>カーソルの先に表示</translation>
    </message>
    <message>
        <source>ahead, and the earlier one under the trace</source>
        <translation>カーソルの先、および波形の下に以前の予測</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>設定</translation>
    </message>
    <message>
        <source>system language</source>
        <translation>システムの言語</translation>
    </message>
    <message>
        <source>fitted to the signal</source>
        <translation>自動調整</translation>
    </message>
    <message>
        <source>as sent; or names, such as II, V5, aVF</source>
        <translation>送信順。または名前(例: II, V5, aVF)</translation>
    </message>
    <message>
        <source>Measure this bar with a ruler and enter its length: the trace is then true to scale.</source>
        <translation>この線の長さを定規で測って入力すると、波形が実寸で表示されます。</translation>
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
        <source>Font size</source>
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
        <source>Forecast</source>
        <translation>予測</translation>
    </message>
    <message>
        <source>ECG leads, at most</source>
        <translation>心電図の誘導数(最大)</translation>
    </message>
    <message>
        <source>ECG leads shown</source>
        <translation>表示する心電図の誘導</translation>
    </message>
    <message>
        <source>Other waves (drag to reorder)</source>
        <translation>その他の波形(ドラッグで並べ替え)</translation>
    </message>
    <message>
        <source>Grid</source>
        <translation>方眼</translation>
    </message>
    <message>
        <source>Length of the bar</source>
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
    <message>
        <source>{count} ended, not acknowledged</source>
        <translation>終了・未確認 {count} 床</translation>
    </message>
</context>
<context>
    <name>Sweep</name>
    <message>
        <source>forecast {seconds} s</source>
        <translation>予測 {seconds} 秒</translation>
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
        <source>anomaly score</source>
        <translation>異常スコア</translation>
    </message>
    <message>
        <source>HR {rate}</source>
        <translation>心拍数 {rate}</translation>
    </message>
    <message>
        <source>anomaly score {score}</source>
        <translation>異常スコア {score}</translation>
    </message>
    <message>
        <source>{count} min</source>
        <translation>{count} 分</translation>
    </message>
    <message>
        <source>{count} h</source>
        <translation>{count} 時間</translation>
    </message>
</context>
<context>
    <name>WardList</name>
    <message>
        <source>Bed</source>
        <translation>ベッド</translation>
    </message>
    <message>
        <source>Hour</source>
        <translation>時間</translation>
    </message>
    <message>
        <source>MAP, mmHg</source>
        <translation>平均血圧 mmHg</translation>
    </message>
    <message>
        <source>NEWS2</source>
        <translation>NEWS2</translation>
    </message>
    <message>
        <source>MAP &lt; 65, 1 h</source>
        <translation>MAP &lt; 65、1 時間</translation>
    </message>
    <message>
        <source>MAP &lt; 65, 3 h</source>
        <translation>MAP &lt; 65、3 時間</translation>
    </message>
    <message>
        <source>MAP &lt; 65, 6 h</source>
        <translation>MAP &lt; 65、6 時間</translation>
    </message>
    <message>
        <source>Sepsis, 6 h</source>
        <translation>敗血症、6 時間</translation>
    </message>
    <message>
        <source>Early warning (not a diagnosis)</source>
        <translation>早期警告(診断ではありません)</translation>
    </message>
    <message>
        <source>no new values</source>
        <translation>新しい値なし</translation>
    </message>
    <message>
        <source>MAP below 65 now</source>
        <translation>平均血圧 65 未満</translation>
    </message>
    <message>
        <source>{value} ({hours} h ago)</source>
        <translation>{value}({hours} 時間前)</translation>
    </message>
    <message>
        <source>since hour {hour}</source>
        <translation>{hour} 時間目から</translation>
    </message>
    <message>
        <source>since hour {hour} ({before} → {now})</source>
        <translation>{hour} 時間目から({before} → {now})</translation>
    </message>
</context>
<context>
    <name>Window</name>
    <message>
        <source>bedside monitor — simulation</source>
        <translation>bedside モニタ — シミュレーション</translation>
    </message>
    <message>
        <source>not sent: the broker is not connected</source>
        <translation>送信できません: ブローカ未接続</translation>
    </message>
    <message>
        <source>no limits known: no worker has reported them yet</source>
        <translation>設定値が不明です: 解析プロセスからまだ届いていません</translation>
    </message>
    <message>
        <source>a quiz has no review of alarms</source>
        <translation>クイズではアラームの確認画面は使えません</translation>
    </message>
    <message>
        <source>not sent: no signal is shown</source>
        <translation>未送信: 信号が表示されていません</translation>
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
