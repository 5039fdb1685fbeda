"""The command that writes a debriefing."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands.shared import log
from stream.errors import StorageError, UsageError

if TYPE_CHECKING:
    from monitor.alarm_log.class_reader import ClassSession
    from stream.wire.alarm_texts import Language


def debrief(args: argparse.Namespace) -> int:
    """Write the debriefing of a stored class as HTML or PDF."""
    suffix = args.out.suffix.lower()
    if suffix not in (".html", ".htm", ".pdf"):
        raise UsageError(f"--out {args.out}: end the name in .html or .pdf")
    if not args.out.parent.is_dir():
        raise StorageError(f"--out {args.out} cannot be written (no such folder): choose another file")
    if args.last is not None and args.last < 1:
        raise UsageError(f"--last {args.last}: use 1 or more sessions")
    log.info("reading %s", args.db)

    from monitor.alarm_log.class_reader import read_sessions
    from monitor.alarm_log.export import AlarmFilter
    from monitor.common.atomic_write import write_atomically
    from monitor.debriefing.report import report

    sessions = read_sessions(args.db, AlarmFilter(args.bed, args.since), args.last)
    if not sessions:
        raise UsageError(f"{args.db} has nothing to show{' of this bed or time' if args.bed or args.since else ''}")
    if not any(one.truths for one in sessions):
        log.warning("no truth is stored: run 'bedside alarms --truth' for what was done to the beds")
    try:
        if suffix == ".pdf":
            _write_pdf(args.out, sessions, args.language)
        else:
            write_atomically(args.out, report(sessions, args.language).encode())
    except OSError as error:
        raise StorageError(
            f"--out {args.out} cannot be written ({error.strerror or error}): choose another file"
        ) from None
    print(f"{len(sessions)} sessions written to {args.out}")
    return 0


def _write_pdf(path: Path, sessions: Sequence[ClassSession], language: Language) -> None:
    """Write the page as PDF; no display is needed."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

    from monitor.debriefing.report import report
    from monitor.gui.review.html_pdf import Pictures, application, write_pdf

    running = application()
    pictures = Pictures()
    write_pdf(report(sessions, language, pictures.place), pictures, str(path))
    del running
