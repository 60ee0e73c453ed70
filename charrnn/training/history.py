"""The history of a run: some of its reports, for `charrnn info` and for plots."""

from dataclasses import asdict
from typing import Any

from charrnn.training.budget import Budget
from charrnn.training.events import Report

MARKS = 100
"""Entries in the history of a run, evenly spread over its course; there is one for each validation
and for each power of two of its steps as well."""


def is_noted(report: Report, history: list[dict[str, Any]], budget: Budget) -> bool:
    """Whether a report is to become an entry of the history."""
    last = history[-1] if history else None
    before = budget.progress(last["step"], last["seconds"]) if last else 0.0
    is_power_of_two = report.step & (report.step - 1) == 0
    return report.validated or is_power_of_two or int(report.progress * MARKS) > int(before * MARKS)


def entry_of(report: Report) -> dict[str, Any]:
    """The entry of a report: its validation loss is None, unless it is a new one."""
    entry = asdict(report)
    if not entry.pop("validated"):
        entry["validation_loss"] = None
    return entry
