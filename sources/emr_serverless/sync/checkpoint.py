"""How far a load believes what earlier loads remember: as far as the destination holds what they certified.

State of `job_runs`, by workspace: `started_through` and `ended_through` are the cursors, `since` is where the first load began,
`open` lists open runs, `sent` counts the rows of the newest package with runs of the workspace, and `held` counts its rows in the
destination when the newest load began. All times are epoch milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import dlt

from .destination import CertifiedRange, Holdings, read_holdings
from .options import epoch_ms
from .windows import TimeAxis

CURSOR_AXES: Final[tuple[tuple[str, TimeAxis], ...]] = (("started_through", "start"), ("ended_through", "end"))


@dataclass(frozen=True)
class Remembered:
    """The state that a load starts from, and a sentence for each thing that was not believed."""

    state: dict[str, Any]
    findings: list[str]


def remembered(pipeline: dlt.Pipeline, source_name: str, local: Mapping[str, Any], now: datetime) -> Remembered:
    """Ask a pipeline's destination, and return the state of `job_runs` as far as it is supported there.

    Args:
        pipeline: its destination is asked.
        source_name: the section of dlt's state.
        local: the state in dlt's working folder; used where the destination keeps none.
        now: the real time, UTC.
    """
    holdings = read_holdings(pipeline, source_name, now)
    return Remembered(dict(local), []) if holdings is None else believed(local, holdings)


def believed(local: Mapping[str, Any], holdings: Holdings) -> Remembered:
    """Return what is believed of the destination's state, which replaces the local one.

    A cursor or a backfill's progress counts as far as unbroken certified ranges support it. Where rows are missing from a table,
    all that was ever certified for the workspace is to be read again.
    """
    state = deepcopy(holdings.state)
    findings = []
    if _is_ahead(local, state):
        findings.append("the working folder remembers another state than the database holds; the database is believed")
    if holdings.rows is None:
        return Remembered(state, findings)
    if not state and holdings.ranges:
        # The audit names the workspaces where the state is lost.
        state["workspaces"] = {name: {"region_id": found[0].region_id} for (name, _), found in holdings.ranges.items()}
    for workspace_id, memory in state.get("workspaces", {}).items():
        lost = _lost_tables(workspace_id, memory, holdings)
        if lost or not holdings.state:
            _begin_again(workspace_id, memory, holdings)
            for progress in state.get("backfills", {}).values():
                progress.pop(workspace_id, None)
        findings += [f"{workspace_id}: rows that were loaded are missing from {table}; they are loaded again" for table in lost]
        findings += _limit_cursors(workspace_id, memory, holdings)
        _limit_backfills(state, workspace_id, holdings)
        memory["held"] = {table: count for (name, table), count in holdings.rows.items() if name == workspace_id}
    return Remembered(state, findings)


def _is_ahead(local: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
    """Return whether the working folder has certified more than the database: after a kill it has less, which is no news."""
    held = state.get("workspaces", {})
    return any(
        memory.get(cursor, 0) > held.get(workspace_id, {}).get(cursor, 0)
        for workspace_id, memory in local.get("workspaces", {}).items()
        for cursor, _ in CURSOR_AXES
    )


def _lost_tables(workspace_id: str, memory: Mapping[str, Any], holdings: Holdings) -> list[str]:
    """Return the tables that hold fewer rows than earlier loads have committed."""
    sent, held = memory.get("sent", {}), memory.get("held", {})
    rows = holdings.rows or {}
    lost = []
    for table in {**held, **sent.get("rows", {})}:
        now = rows.get((workspace_id, table), 0)
        came = holdings.package_rows.get((workspace_id, table, sent.get("package", "")), 0)
        # Runs are never removed; their tags and arguments may be, but not all at once.
        least = held.get(table, 0) if table == "job_runs" else min(1, held.get(table, 0))
        if now < least or came < sent.get("rows", {}).get(table, 0):
            lost.append(table)
    return lost


def _oldest_ms(workspace_id: str, memory: Mapping[str, Any], holdings: Holdings) -> int | None:
    """Return the first millisecond that was ever certified or begun, or None where there is none."""
    ranges = [certified for _, axis in CURSOR_AXES for certified in holdings.ranges.get((workspace_id, axis), [])]
    return min([*(certified.first_ms for certified in ranges), *([memory["since"]] if "since" in memory else [])], default=None)


def _begin_again(workspace_id: str, memory: dict[str, Any], holdings: Holdings) -> None:
    """Set the cursors before all that was ever certified; without such a range the next load is a first one."""
    since = _oldest_ms(workspace_id, memory, holdings)
    for name in ("sent", *dict(CURSOR_AXES)):
        memory.pop(name, None)
    if since is not None:
        memory |= {"since": since, **dict.fromkeys(dict(CURSOR_AXES), since - 1)}


def _limit_cursors(workspace_id: str, memory: dict[str, Any], holdings: Holdings) -> list[str]:
    findings = []
    for cursor, axis in CURSOR_AXES:
        if cursor not in memory:
            continue
        supported = _supported_ms(holdings.ranges.get((workspace_id, axis), []), memory["since"])
        if memory[cursor] > supported:
            memory[cursor] = supported
            findings.append(f"{workspace_id}: axis {axis} is certified only until {_text(supported)}; the rest is loaded again")
    return findings


def _limit_backfills(state: dict[str, Any], workspace_id: str, holdings: Holdings) -> None:
    ranges = holdings.ranges.get((workspace_id, "start"), [])
    for name, progress in state.get("backfills", {}).items():
        if workspace_id in progress:
            first_ms = epoch_ms(datetime.fromisoformat(name.partition("/")[0]))
            progress[workspace_id] = min(progress[workspace_id], _supported_ms(ranges, first_ms))


def _supported_ms(ranges: list[CertifiedRange], first_ms: int) -> int:
    """Return the last millisecond up to which all from the first one is certified; the one before it where nothing is."""
    return next((certified.last_ms for certified in ranges if certified.first_ms <= first_ms <= certified.last_ms), first_ms - 1)


def _text(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
