"""The time ranges that a load requests from a workspace, from the cursors that earlier loads saved. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ranges:
    """The time ranges that a load requests from one workspace, [first, last] in epoch milliseconds.

    Attributes:
        start: start times.
        end: end times; None in a backfill.
        horizon_ms: the last millisecond of the load, epoch milliseconds; a backfill may end long before.
        unsettled: ranges of end times of final runs that had no figures when they were last seen.
        is_first: whether no load has read the workspace before.
    """

    start: tuple[int, int]
    end: tuple[int, int] | None
    horizon_ms: int
    unsettled: tuple[tuple[int, int], ...] = ()
    is_first: bool = False


def cursor_ranges(checkpoint: Mapping[str, Any], horizon_ms: int, initial_ms: int, lookback_ms: int) -> Ranges:
    """Return the ranges of a load, from the cursors of earlier loads.

    Args:
        checkpoint: of the workspace, see checkpoint.py; empty where no load has read it.
        horizon_ms: the last millisecond to request.
        initial_ms: how far back to begin where there is no cursor.
        lookback_ms: how far behind a cursor to begin.
    """

    def first(cursor: int | None) -> int:
        return horizon_ms - initial_ms + 1 if cursor is None else cursor - lookback_ms + 1

    return Ranges(
        start=(first(checkpoint.get("started_through")), horizon_ms),
        end=(first(checkpoint.get("ended_through")), horizon_ms),
        horizon_ms=horizon_ms,
        unsettled=tuple((begin, last) for begin, last in checkpoint.get("unsettled", ())),
        is_first="started_through" not in checkpoint,
    )


def join_ranges(ranges: Iterable[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Join ranges into at most `most` disjoint ones, oldest first, over the smallest gaps between them."""
    disjoint: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if disjoint and first <= disjoint[-1][1] + 1:
            disjoint[-1] = (disjoint[-1][0], max(last, disjoint[-1][1]))
        else:
            disjoint.append((first, last))
    gaps = sorted(range(1, len(disjoint)), key=lambda position: disjoint[position - 1][1] - disjoint[position][0])
    edges = [0, *sorted(gaps[: most - 1]), len(disjoint)]
    return [(disjoint[low][0], disjoint[high - 1][1]) for low, high in itertools.pairwise(edges) if low < high]
