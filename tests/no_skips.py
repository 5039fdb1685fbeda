"""With CI=true a skipped test fails, unless it is skipped for what the processor lacks, which cannot be installed."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import TypeVar

import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def _not_skipped(report: Report) -> Report:
    """With CI=true, return the report of a skip as a failure; expected failures are unchanged."""
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        if "this processor has no" in str(reason):
            return report
        report.outcome = "failed"
        report.longrepr = f"skipped, and CI=true allows no skips: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Process the report of each test."""
    return _not_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Process the report of each test file, which may be skipped as a whole."""
    return _not_skipped((yield))
