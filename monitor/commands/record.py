"""The command that records the live streams of beds to files."""

from __future__ import annotations

import argparse

from monitor.commands.shared import broker_address, log, run_async
from monitor.tools.optional_dependencies import require_extras
from stream.errors import UsageError

MIN_ROTATE_S, MAX_ROTATE_S = 10.0, 86_400.0
MAX_SHORT = 100_000


def record(args: argparse.Namespace) -> int:
    """Record beds until terminated."""
    if not MIN_ROTATE_S <= args.rotate <= MAX_ROTATE_S:
        raise UsageError(f"--rotate {args.rotate:g}: use {MIN_ROTATE_S:g} to {MAX_ROTATE_S:g} seconds of signal")
    if args.seconds is not None and not args.seconds > 0:
        raise UsageError(f"--seconds {args.seconds:g}: use a number above 0")
    if not 1 <= args.short_records <= MAX_SHORT:
        raise UsageError(f"--short-records {args.short_records}: use 1 to {MAX_SHORT} records in an hour")
    if not args.min_free >= 0:
        raise UsageError(f"--min-free {args.min_free:g}: use 0 or more, in GB")
    if args.format == "edf":
        require_extras(["records", "edf"])
    address = broker_address(args)
    log.info("connecting to %s; recording to %s", address, args.out)

    from stream.recording.folder import RecordingFolder
    from stream.recording.recorder import Recorder, record_beds
    from stream.records.edf_writer import convert
    from stream.timebase import FS
    from stream.wire.topics import check_bed

    for bed in args.bed:
        check_bed(bed)

    with RecordingFolder(args.out) as folder:
        recorder = Recorder(
            folder,
            args.bed,
            rotate=round(args.rotate * FS),
            convert=convert if args.format == "edf" else None,
            short=args.short_records,
            min_free=round(args.min_free * 1e9),
        )
        status = run_async(record_beds(address, recorder, args.seconds))
        print(recorder.summary())
        return status
