"""How much of a month is certified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Coverage:
    """How much of a month is certified, for a workspace and axis.

    Attributes:
        workspace_id: the workspace.
        axis: start or end.
        share: certified part of the month up to now, 0 to 1.
        gaps: the parts of it that are not, UTC.
    """

    workspace_id: str
    axis: str
    share: float
    gaps: list[tuple[datetime, datetime]]


def find_coverage(workspaces: Sequence[Row], certified: Sequence[Row], first: datetime, after: datetime) -> list[Coverage]:
    """Return how much of a time range is certified, by workspace and axis.

    Args:
        workspaces: rows of the query `workspaces`.
        certified: rows of the query `certified`.
        first: begin of the range, UTC.
        after: end of the range, UTC, excluded.
    """
    if after <= first:
        return []
    # A workspace that no load has read since is not counted as missing.
    known = {row["workspace_id"] for row in workspaces if row["last_asked_at"] and row["last_asked_at"] >= first}
    found = []
    for workspace_id in sorted(known):
        for axis in ("start", "end"):
            gaps, reached = [], first
            for row in certified:
                if (row["workspace_id"], row["axis"]) != (workspace_id, axis) or row["certified_from"] >= after:
                    continue
                if row["certified_from"] > reached:
                    gaps.append((reached, min(row["certified_from"], after)))
                reached = max(reached, min(row["certified_until"], after))
            if reached < after:
                gaps.append((reached, after))
            missing = sum((until - since for since, until in gaps), timedelta())
            found.append(Coverage(workspace_id, axis, 1 - missing / (after - first), gaps))
    return found
