"""Texts of the debriefing in both languages; names of alarms and rhythms are those of the window."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.view.display_texts import TABLES as VIEW
from stream.wire.alarm_texts import Language, Table

_EN: Table = {
    "title": "Debriefing: {bed}",
    "simulation": "SIMULATION – for teaching, not a medical device",
    "session": "Session of {begin} (UTC), {length}",
    "records": "Replayed: {names}",
    "none": "Nothing was stored of this session but what is below.",
    "score.answers": "{right} of {count} answers right",
    "score.unknown": "{count} answers without a truth to compare with",
    "score.expected": "{done} of {count} expected actions in time",
    "score.alarms": "{count} alarms of the monitor",
    "score.missed": "{count} missed by the monitor",
    "score.unfounded": "{count} alarms of a rhythm that was not there",
    "score.reaction": "{seconds} s from alarm to action (median)",
    "timeline": "Timeline",
    "row.truth": "what happened",
    "row.alarm": "alarms",
    "row.action": "what was done",
    "happened": "What happened",
    "head.time": "time",
    "head.happened": "what happened",
    "head.alarm": "alarm of the monitor",
    "head.answer": "answer",
    "head.reaction": "first action",
    "alarm.after": "{kind}, after {seconds}\u00a0s",
    "alarm.before": "{kind}, already on",
    "alarm.missed": "missed: no alarm",
    "alarm.none": "no alarm expected",
    "answer.right": "✓ {rhythm} ({who})",
    "answer.wrong": "✗ {rhythm} ({who})",
    "answer.unknown": "? {rhythm} ({who})",
    "reaction.alarm": "{who}: {action}, {seconds}\u00a0s after the alarm",
    "reaction.begin": "{who}: {action}, {seconds}\u00a0s after the start",
    "reaction.none": "none",
    "expected": "Expected actions",
    "head.expected": "expected",
    "head.verdict": "verdict",
    "verdict.done": "done after {seconds} s",
    "verdict.late": "late: after {seconds} s, {within} s allowed",
    "verdict.missed": "missed",
    "verdict.wrong": "wrong: {action} instead",
    "within": "{action} within {seconds} s",
    "answers": "Answers",
    "head.given": "answer",
    "head.true": "it was",
    "true.unknown": "unknown",
    "unfounded": "Alarms of a rhythm that was not there",
    "unfounded.one": "{time}: {kind} ({priority})",
    "notes": "Notes",
    "strips": "The ECG of each event",
    "strip.caption": "{time} {text}",
    "strips.more": "{count} further events are in the table alone.",
    "legend": "Black: ECG. Blue: what the network had predicted at most 0.1 s before, with its 90 % interval; where "
    "the trace leaves it, the network did not expect what came. The vertical line is the start of the event. Squares: "
    "0.2 s × 0.5 mV.",
    "no_strip": "no ECG stored",
    "do.acknowledge": "acknowledge",
    "do.pause_audio": "pause audio",
    "do.pause_alarms": "pause alarms",
    "do.set_limits": "set limits",
    "do.answer": "name the rhythm",
    "priority.high": "high",
    "priority.medium": "medium",
    "priority.low": "low",
    "priority.technical": "technical",
    "name.VFIB": "ventricular fibrillation",
    "name.AF": "atrial fibrillation",
    "name.NSR": "normal sinus rhythm",
    "name.lead_off": "lead off",
    "name.flat_line": "flat line",
    "name.electrode_motion": "motion artefact",
    "name.muscle_noise": "muscle noise",
    "name.baseline_wander": "baseline wander",
    "name.mains": "mains interference",
    "name.saturation": "saturation",
    "name.gain_error": "wrong gain",
    "name.swapped_electrodes": "swapped electrodes",
    "name.damped_pressure": "damped pressure",
    "name.disconnected_pressure": "pressure line disconnected",
    "name.poor_perfusion": "poor perfusion",
    "name.cuff_inflation": "cuff inflation",
    "name.loss": "messages lost",
    "name.duplicates": "messages twice",
    "name.delay": "messages delayed",
    "name.jitter": "messages irregular",
    "name.disconnect": "disconnected",
    "name.heart_rate": "heart rate",
    "name.pvc_rate": "PVCs",
    "name.pac_rate": "premature atrial beats",
    "name.respiration_rate": "respiration rate",
    "name.spo2": "SpO2",
    "name.abp_systolic": "systolic pressure",
    "name.abp_diastolic": "diastolic pressure",
    "name.abp_mean": "mean pressure",
    "name.cvp_mean": "central venous pressure",
    "name.etco2": "end-tidal CO2",
    "name.temperature": "temperature",
}

_JA: Table = {
    "title": "振り返り: {bed}",
    "simulation": "シミュレーション – 教育用。医療機器ではありません",
    "session": "{begin} (UTC) 開始のセッション、{length}",
    "records": "再生した記録: {names}",
    "none": "このセッションについて保存されているのは以下だけです。",
    "score.answers": "回答 {count} 件中 {right} 件正解",
    "score.unknown": "正解が不明な回答 {count} 件",
    "score.expected": "期待された行動 {count} 件中 {done} 件を時間内に実施",
    "score.alarms": "モニタのアラーム {count} 件",
    "score.missed": "モニタの見逃し {count} 件",
    "score.unfounded": "実際にはなかった調律のアラーム {count} 件",
    "score.reaction": "アラームから行動まで {seconds} 秒(中央値)",
    "timeline": "経過",
    "row.truth": "起きたこと",
    "row.alarm": "アラーム",
    "row.action": "行動",
    "happened": "起きたこと",
    "head.time": "時刻",
    "head.happened": "起きたこと",
    "head.alarm": "モニタのアラーム",
    "head.answer": "回答",
    "head.reaction": "最初の行動",
    "alarm.after": "{kind}、{seconds} 秒後",
    "alarm.before": "{kind}、すでに発生中",
    "alarm.missed": "見逃し: アラームなし",
    "alarm.none": "アラーム対象外",
    "answer.right": "✓ {rhythm}({who})",
    "answer.wrong": "✗ {rhythm}({who})",
    "answer.unknown": "? {rhythm}({who})",
    "reaction.alarm": "{who}: {action}、アラームから {seconds}\u00a0秒",
    "reaction.begin": "{who}: {action}、開始から {seconds}\u00a0秒",
    "reaction.none": "なし",
    "expected": "期待された行動",
    "head.expected": "期待された行動",
    "head.verdict": "判定",
    "verdict.done": "{seconds} 秒後に実施",
    "verdict.late": "遅れ: {seconds} 秒後({within} 秒以内のはず)",
    "verdict.missed": "実施されず",
    "verdict.wrong": "誤り: 代わりに{action}",
    "within": "{action}({seconds} 秒以内)",
    "answers": "回答",
    "head.given": "回答",
    "head.true": "正解",
    "true.unknown": "不明",
    "unfounded": "実際にはなかった調律のアラーム",
    "unfounded.one": "{time}: {kind}({priority})",
    "notes": "メモ",
    "strips": "各イベントの心電図",
    "strip.caption": "{time} {text}",
    "strips.more": "ほかの {count} 件は表だけに示します。",
    "legend": "黒: 心電図。青: ネットワークが 0.1 秒以内前に予測した値とその 90 % 区間。波形が区間から外れたところは、"
    "ネットワークの予想と違ったところです。縦線はイベントの始まり。マス目は 0.2 秒 × 0.5 mV。",
    "no_strip": "心電図は保存されていません",
    "do.acknowledge": "アラーム確認",
    "do.pause_audio": "音の一時停止",
    "do.pause_alarms": "アラームの一時停止",
    "do.set_limits": "限界値の設定",
    "do.answer": "調律の回答",
    "priority.high": "高",
    "priority.medium": "中",
    "priority.low": "低",
    "priority.technical": "技術",
    "name.VFIB": "心室細動",
    "name.AF": "心房細動",
    "name.NSR": "正常洞調律",
    "name.lead_off": "電極はずれ",
    "name.flat_line": "平坦な信号",
    "name.electrode_motion": "体動ノイズ",
    "name.muscle_noise": "筋電ノイズ",
    "name.baseline_wander": "基線動揺",
    "name.mains": "電源ノイズ",
    "name.saturation": "入力過大",
    "name.gain_error": "感度の誤り",
    "name.swapped_electrodes": "電極の付け違い",
    "name.damped_pressure": "血圧波形のなまり",
    "name.disconnected_pressure": "血圧ラインはずれ",
    "name.poor_perfusion": "末梢循環不良",
    "name.cuff_inflation": "カフ加圧",
    "name.loss": "通信: 欠落",
    "name.duplicates": "通信: 重複",
    "name.delay": "通信: 遅延",
    "name.jitter": "通信: ゆらぎ",
    "name.disconnect": "通信: 切断",
    "name.heart_rate": "心拍数",
    "name.pvc_rate": "心室期外収縮",
    "name.pac_rate": "心房期外収縮",
    "name.respiration_rate": "呼吸数",
    "name.spo2": "SpO2",
    "name.abp_systolic": "収縮期血圧",
    "name.abp_diastolic": "拡張期血圧",
    "name.abp_mean": "平均血圧",
    "name.cvp_mean": "中心静脈圧",
    "name.etco2": "呼気終末CO2",
    "name.temperature": "体温",
}

TABLES: Mapping[Language, Table] = {"en": {**VIEW["en"], **_EN}, "ja": {**VIEW["ja"], **_JA}}
"""Templates by code."""


class Texts:
    """The texts of one language.

    Parameters
    ----------
    language : {"en", "ja"}
    """

    def __init__(self, language: Language) -> None:
        self.language = language
        self._table = TABLES[language]

    def __call__(self, code: str, **values: object) -> str:
        """Return a template with its values."""
        return self._table[code].format(**values)

    def kind(self, kind: str) -> str:
        """Return the name of a kind of alarm."""
        return self._table[f"kind.{kind}"]

    def happening(self, name: str) -> str:
        """Return the name of what was done or of a rhythm; an unknown name is returned unchanged."""
        return next((self._table[key] for key in (f"name.{name}", f"mitbih.{name}") if key in self._table), name)

    def action(self, do: str) -> str:
        """Return the name of an action; an unknown one is returned unchanged."""
        return self._table.get(f"do.{do}", do)
