"""Links that die without a word, and many clients that come back at once."""

from __future__ import annotations

import contextlib
import re
import time

from tests.reliability import oracle, signals
from tests.reliability.processes import Process, Ward
from tests.reliability.proxy import Proxy
from tests.reliability.row import Bench, Checks, Outcome, Row

LIMIT_S = {"worker": 5.0, "publisher": 5.0, "logger": 10.0, "monitor": 10.0, "observer": 10.0}
"""How soon each role must notice that its link is half-open."""


def half_open(bench: Bench) -> Outcome:
    """Let the links of each role fall silent without closing them; a new connection is the sign that it noticed."""
    checks = Checks()
    with contextlib.ExitStack() as stack:
        ward = stack.enter_context(Ward(bench.folder, forks=bench.forks))
        watch = stack.enter_context(oracle.Watch(ward.port, ["_/status/#", "+/vitals"]))
        links = {role: stack.enter_context(Proxy(ward.port)) for role in LIMIT_S}
        record = signals.write(bench.folder / "records", "regular", signals.regular(600))
        commands = {
            "worker": ("worker",),
            "publisher": ("replay", f"--bed=bed-1={record}"),
            "logger": ("alarms", "--db", str(bench.folder / "alarms.sqlite")),
            "monitor": ("monitor",),
            "observer": ("tap", "bedside/v1/+/vitals"),
        }
        processes = {role: ward.start(*command, via=links[role].port) for role, command in commands.items()}
        for role in LIMIT_S:
            if role != "observer":
                bench.need(lambda role=role: watch.online(role), f"the {role}")
        bench.need(lambda: len(watch.of("/vitals")) > 2 and links["observer"].open_links, "vital signs")
        # The worker, whose silence others might notice, comes after them; the publisher, its source, comes last.
        groups = [("logger", "monitor", "observer"), ("worker",), ("publisher",)]
        for group in groups if not bench.short else [tuple(LIMIT_S)]:
            before = {role: (len(links[role].accepted_s), links[role].open_links) for role in group}
            frozen_s = time.monotonic()
            for role in group:
                links[role].freeze()
            bench.say(f"links of {', '.join(group)} fall silent")

            def all_back(before: dict[str, tuple[int, int]] = before) -> bool:
                return all(len(links[role].accepted_s) >= old + n for role, (old, n) in before.items())

            patience_s = bench.limit_s(30)
            bench.wait_until(all_back, patience_s)
            for role, (old, count) in before.items():
                new_s = links[role].accepted_s[old : old + count]
                noticed_s = max(new_s) - frozen_s if len(new_s) == count else None
                limit_s = LIMIT_S[role]
                # The short form makes no claim about time beyond "it does notice".
                checks.add(
                    noticed_s is not None and (bench.short or noticed_s <= limit_s),
                    f"{role} notices within {limit_s:.0f} s",
                    f"{role}: " + (f"nothing in {patience_s:.0f} s" if noticed_s is None else f"{noticed_s:.1f} s"),
                )
            bench.sleep(bench.size(5, 1))
        ended = [role for role, process in processes.items() if not process.alive]
        checks.equal(", ".join(ended) or "none", "none", "processes that ended")
        checks.equal(", ".join(ward.tracebacks()) or "none", "none", "tracebacks")
    return checks.outcome("the links of each role fall silent in both directions, without being closed")


def storm(bench: Bench) -> Outcome:
    """Kill the broker under many clients and start it again."""
    count, checks = bench.size(64, 10), Checks()
    with contextlib.ExitStack() as stack:
        ward = stack.enter_context(Ward(bench.folder, "allow_anonymous true\nmax_connections -1", forks=bench.forks))
        record = signals.write(bench.folder / "records", "regular", signals.regular(600))
        processes: list[Process] = [
            ward.start("worker"),
            ward.start("replay", f"--bed=bed-1={record}"),
            ward.start("alarms", "--db", str(bench.folder / "alarms.sqlite")),
            ward.start("monitor"),
        ]
        for _ in range(count - len(processes)):
            processes.append(ward.start("tap", "bedside/v1/+/vitals"))
            bench.sleep(0.05)
        assert ward.broker is not None
        log = ward.broker.log
        clients = count + 1  # the alarm log has two connections

        def connected(offset: int) -> int:
            text = log.read_bytes()[offset:].decode(errors="replace")
            return len(set(re.findall(r"New client connected from \S+ as (bedside-\S+)", text)))

        bench.need(lambda: connected(0) >= clients, f"{clients} connections", 120)
        bench.sleep(2)
        offset = log.stat().st_size
        ward.broker.kill()
        bench.sleep(3)
        bench.say(f"the broker returns to {clients} waiting clients")
        started_s = time.monotonic()
        ward.start_broker()
        bench.wait_until(lambda: connected(offset) >= clients, bench.limit_s(30))
        took_s, back = time.monotonic() - started_s, connected(offset)
        checks.add(
            back >= clients and (bench.short or took_s <= 10),
            f"{clients} connections within 10 s",
            f"{back} connections within {took_s:.1f} s",
        )
        bench.sleep(2)
        ended = [process.name for process in processes if not process.alive]
        checks.equal(", ".join(ended) or "none", "none", "processes that ended")
        checks.equal(", ".join(ward.tracebacks()) or "none", "none", "tracebacks")
    return checks.outcome(f"Mosquitto killed under {count} bedside processes, and started after 3 s")


ROWS = [
    Row(
        "half-open link",
        "A link that is dead but not closed is noticed: worker and publisher within 5 s, others within 10 s.",
        half_open,
        alone=True,
    ),
    Row("reconnect storm", "64 clients are back within 10 s after the broker.", storm, alone=True),
]
