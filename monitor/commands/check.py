"""``bedside check``: whether what is on a broker keeps the rules of docs/topics.md."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import time
from typing import TYPE_CHECKING

from monitor.commands.shared import broker_address, log, run_async
from stream.errors import UsageError

if TYPE_CHECKING:
    from monitor.conformance.checker import Checker
    from stream.mqtt.address import BrokerAddress

VIOLATED = 1
"""Exit status if a rule is violated, or nothing was received."""

ADVANCE_S = 0.25
"""Longest interval in s between two looks for what does not come."""


def check(args: argparse.Namespace) -> int:
    """Listen to a broker, and say for each topic whether it keeps the rules."""
    if not 0 < args.seconds < math.inf:
        raise UsageError(f"--seconds {args.seconds:g}: use a number above 0")
    address = broker_address(args)
    log.info("listening to %s for %g s; Ctrl-C ends it earlier", address, args.seconds)

    from monitor.conformance.checker import Checker

    checker = Checker()
    run_async(_listen(checker, address, args.seconds))
    findings = checker.finish(time.monotonic_ns())
    print(json.dumps(findings.to_dict(), indent=2) if args.json else "\n".join(findings.lines()))
    return VIOLATED if findings.violations else 0


async def _listen(checker: Checker, address: BrokerAddress, seconds: float) -> None:
    from stream.mqtt.raw_messages import RawMessages
    from stream.wire.topics import ROOT

    async with RawMessages(address, f"{ROOT}/#") as messages:
        if not messages.mqtt_5:
            log.warning("the broker speaks MQTT 3.1.1 alone: QoS and retain flags of the senders cannot be checked")
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            async with contextlib.aclosing(messages.read(min(left_s, ADVANCE_S))) as received:
                async for message in received:
                    checker.observe(message)
            checker.advance(time.monotonic_ns())
