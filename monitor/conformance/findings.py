"""What was found: each violated rule of a topic once, with its first example and how often."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Protocol

from monitor.conformance.rules import NOTHING, Rule
from stream.wire.plain_text import plain

MAX_TOPICS = 10_000
"""Topics that are kept apart; those beyond are one, `OTHERS`."""

OTHERS = "further topics"


class Note(Protocol):
    """Takes the violations of a topic."""

    def __call__(self, rule: Rule, seen: str, expected: str = "") -> None:
        """Note a violated rule, what was seen, and what was expected, if that is more exact than the rule."""
        ...


@dataclass(slots=True)
class Finding:
    """A rule that a topic violates.

    Attributes
    ----------
    topic : str
    rule : Rule
    seen, expected : str
        Of the first time.
    times : int
    """

    topic: str
    rule: Rule
    seen: str
    expected: str
    times: int = 1

    def __str__(self) -> str:
        """Return the finding as one line."""
        kind = "" if self.rule.violation else "remark: "
        times = "once" if self.times == 1 else f"{self.times} times"
        return plain(
            f"{self.topic}: {kind}{self.rule.name} [topics.md, {self.rule.section}]: "
            f"{self.seen}; expected {self.expected} ({times})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the finding for JSON."""
        return {
            "topic": self.topic,
            "rule": self.rule.name,
            "section": self.rule.section,
            "seen": self.seen,
            "expected": self.expected,
            "times": self.times,
        }


class Findings:
    """All that was found on a broker.

    Attributes
    ----------
    messages : Counter of str
        Received messages of each topic.
    """

    def __init__(self) -> None:
        self.messages: Counter[str] = Counter()
        self._found: dict[tuple[str, str], Finding] = {}

    def count(self, topic: str) -> str:
        """Count a message; return the name under which its topic is kept."""
        name = self.kept(topic)
        self.messages[name] += 1
        return name

    def kept(self, topic: str) -> str:
        """Return the name under which a topic is kept."""
        return topic if topic in self.messages or len(self.messages) < MAX_TOPICS else OTHERS

    def note(self, topic: str) -> Note:
        """Return what takes the violations of a topic."""

        def add(rule: Rule, seen: str, expected: str = "") -> None:
            known = self._found.get((topic, rule.name))
            if known is None:
                self._found[topic, rule.name] = Finding(topic, rule, seen[:300], expected or rule.expected)
            else:
                known.times += 1

        return add

    def finish(self) -> None:
        """Note that nothing was received, if so."""
        if not self.messages:
            self.note("bedside/v1/#")(NOTHING, "no message at all")

    @property
    def violations(self) -> list[Finding]:
        """Violated rules, by topic."""
        return self._of(violation=True)

    @property
    def remarks(self) -> list[Finding]:
        """What may have other reasons than the sender, by topic."""
        return self._of(violation=False)

    def _of(self, *, violation: bool) -> list[Finding]:
        found = [finding for finding in self._found.values() if finding.rule.violation is violation]
        return sorted(found, key=lambda finding: finding.topic)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        violated = Counter(finding.topic for finding in self.violations)
        return {
            "passed": not self.violations,
            "messages": self.messages.total(),
            "topics": [
                {"topic": topic, "messages": number, "violated_rules": violated[topic]}
                for topic, number in sorted(self.messages.items())
            ],
            "violations": [finding.to_dict() for finding in self.violations],
            "remarks": [finding.to_dict() for finding in self.remarks],
        }

    def lines(self) -> list[str]:
        """Return all of it as lines of text: one for each topic, one for each violated rule, and a last one."""
        violated = Counter(finding.topic for finding in self.violations)
        width = max(map(len, self.messages), default=0)
        verdicts = [
            f"{plain(topic):{width}}  {number:7d} messages  "
            + ("fits" if not violated[topic] else f"violates {violated[topic]} rule{'s' * (violated[topic] > 1)}")
            for topic, number in sorted(self.messages.items())
        ]
        found = [str(finding) for finding in (*self.violations, *self.remarks)]
        total = len(self.violations)
        verdict = "all rules are kept" if not total else f"{total} violations" if total > 1 else "1 violation"
        return [*verdicts, *found, f"{len(self.messages)} topics, {self.messages.total()} messages: {verdict}"]
