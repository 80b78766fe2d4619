"""Describes what a provisional month lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .numbers import moment


def what_is_missing(month: Mapping[str, Any], billing_time_zone: str) -> list[str]:
    """Return what a month lacks; empty where it is final.

    Args:
        month: its row of billing_months.
        billing_time_zone: for times.
    """
    missing = []
    if month["certified_until"] is None:
        missing.append("all of it, as nothing is certified")
    elif not month["is_certified"]:
        missing.append(f"what is not certified after {moment(month['certified_until'], billing_time_zone)}")
    counts = {
        "incomplete_windows": "{} incomplete range{}",
        "open_runs_without_usage": "figures of {} open run{}",
        "ended_runs_awaited": "figures of {} ended run{}",
        "open_runs": "the further use of {} open run{}",
    }
    for name, words in counts.items():
        if month[name]:
            missing.append(words.format(f"{month[name]:,}", "" if month[name] == 1 else "s"))
    return missing
