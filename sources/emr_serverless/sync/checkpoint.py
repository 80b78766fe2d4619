"""Where a load starts: the state that earlier loads saved, limited to what the destination supports.

dlt's state of the source, in its section `sync`:

- `checkpoints`, by `resource/region/workspace`: `started_through` and `ended_through` are the cursors, `since` is where the first
  load began, `open` lists open runs, `unsettled` the ranges of end times of runs without figures, `hidden_defaults` the
  parameters whose absence hides runs, `sent` counts the rows of the newest package with runs of the workspace, and `stored`
  counts its rows in the destination when the newest load began.
- `backfills`, by range and then by the same key: how far the range is certified.
- `unknown_fields` and `settle_days`, for all of them.

All times are epoch milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import dlt

from ..resources.job_runs import JOB_RUNS
from ..settings import UNSETTLED_RANGES
from .destination import CertifiedRange, Stored, read_stored
from .open_runs import is_open
from .options import Backfill, epoch_ms
from .ranges import join_ranges
from .windows import TimeAxis

CURSOR_AXES: Final[tuple[tuple[str, TimeAxis], ...]] = (("started_through", "start"), ("ended_through", "end"))
CURSORS: Final = frozenset(dict(CURSOR_AXES))


@dataclass(frozen=True)
class Checkpoint:
    """The state that a load starts from, and a sentence for each saved part that the destination does not support."""

    state: dict[str, Any]
    warnings: list[str]


def read_checkpoint(
    pipeline: dlt.Pipeline, source_name: str, local: Mapping[str, Any], now: datetime, backfill: Backfill | None = None
) -> Checkpoint:
    """Return the state to start from, as far as a pipeline's destination supports it.

    Args:
        pipeline: its destination is queried.
        source_name: the section of dlt's state.
        local: the section `sync` in dlt's working folder; used where the destination keeps no state.
        now: the real time, UTC.
        backfill: the range to load again, if any.
    """
    stored = read_stored(pipeline, source_name, now, backfill)
    return Checkpoint(dict(local), []) if stored is None else reconcile(local, stored)


def reconcile(local: Mapping[str, Any], stored: Stored) -> Checkpoint:
    """Return the destination's state, which replaces the local one, limited to what its tables support.

    A cursor or the progress of a backfill counts as far as unbroken certified ranges support it. Where rows are missing from a
    table, everything that was ever certified for the workspace is read again.
    """
    state = deepcopy(stored.state)
    warnings = []
    if _is_ahead(local, state):
        warnings.append("the working folder holds a newer state than the database; the state of the database is used")
    if stored.rows is None:
        return Checkpoint(state, warnings)
    checkpoints = state.get("checkpoints", {})
    # The audit names the workspaces where the state is lost, and those that only a backfill beside the loads has read.
    was_loaded = {name for (name, _), found in stored.ranges.items() if any(each.is_of_load for each in found)}
    for (name, _), found in stored.ranges.items():
        checkpoints.setdefault(state_key(found[0].region_id, name), {})
    _take_unfinished(checkpoints, stored)
    if checkpoints:
        state["checkpoints"] = checkpoints
    _take_unknown_fields(state, stored)
    for key, checkpoint in checkpoints.items():
        _, workspace_id = region_and_workspace(key)
        lost = _lost_tables(workspace_id, checkpoint, stored)
        if lost or (workspace_id in was_loaded and not CURSORS & checkpoint.keys()):
            _begin_again(workspace_id, checkpoint, stored)
            for progress in state.get("backfills", {}).values():
                progress.pop(key, None)
        warnings += [f"{workspace_id}: rows that were loaded are missing from {table}; they are loaded again" for table in lost]
        warnings += _limit_cursors(workspace_id, checkpoint, stored)
        _limit_backfills(state, key, stored)
        checkpoint["stored"] = {table: count for (name, table), count in stored.rows.items() if name == workspace_id}
    return Checkpoint(state, warnings)


def _take_unfinished(checkpoints: dict[str, Any], stored: Stored) -> None:
    """Add the runs that backfills have left to those that the next load reads again.

    Where loads have cursors, they find an open run by its end: their ranges of ends have no gap since before it was seen open.
    """
    ends: dict[str, list[tuple[int, int]]] = {}
    for run in stored.backfills.unfinished:
        key = state_key(run.region_id, run.workspace_id)
        checkpoint = checkpoints.setdefault(key, {})
        if run.end_ms and not is_open(run.state, run.end_ms):
            ends.setdefault(key, []).append((run.end_ms, run.end_ms))
        elif not CURSORS & checkpoint.keys():
            checkpoint.setdefault("open", {}).setdefault(run.job_run_id, 0)
    for key, found in ends.items():
        known = [(first, last) for first, last in checkpoints[key].get("unsettled", ())]
        checkpoints[key]["unsettled"] = [list(each) for each in join_ranges([*known, *found], UNSETTLED_RANGES)]


def _take_unknown_fields(state: dict[str, Any], stored: Stored) -> None:
    """Replace the counts of unknown fields that are lower than those that a backfill has written into the table."""
    for resource, fields in stored.backfills.unknown_fields.items():
        known = state.setdefault("unknown_fields", {}).setdefault(resource, {})
        for path, counted in fields.items():
            if known.get(path, {}).get("rows", 0) < counted["rows"]:
                known[path] = {**counted, "reported": known.get(path, counted)["reported"]}


def state_key(region_id: str, workspace_id: str, resource: str = JOB_RUNS.table) -> str:
    """Return the key of a workspace's checkpoint."""
    return f"{resource}/{region_id}/{workspace_id}"


def region_and_workspace(key: str) -> tuple[str, str]:
    """Return the ids that a key of `state_key` was made of."""
    _, region_id, workspace_id = key.split("/", 2)
    return region_id, workspace_id


def _is_ahead(local: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
    """Return whether the working folder has certified more than the database: after a kill it has less, which is expected."""
    stored = state.get("checkpoints", {})
    return any(
        checkpoint.get(cursor, 0) > stored.get(key, {}).get(cursor, 0)
        for key, checkpoint in local.get("checkpoints", {}).items()
        for cursor, _ in CURSOR_AXES
    )


def _lost_tables(workspace_id: str, checkpoint: Mapping[str, Any], stored: Stored) -> list[str]:
    """Return the tables that hold fewer rows than earlier loads have committed."""
    sent, before = checkpoint.get("sent", {}), checkpoint.get("stored", {})
    rows = stored.rows or {}
    # Rows of a backfill's package may have replaced some of those that were sent.
    is_replaced = any(name == workspace_id and package != sent.get("package") for name, package in stored.backfills.packages)
    lost = []
    for table in {**before, **sent.get("rows", {})}:
        now = rows.get((workspace_id, table), 0)
        sent_rows = stored.package_rows.get((workspace_id, table, sent.get("package", "")), 0)
        # Runs are never removed; their tags and arguments may be, but not all at once.
        least = before.get(table, 0) if table == "job_runs" else min(1, before.get(table, 0))
        if now < least or (not is_replaced and sent_rows < sent.get("rows", {}).get(table, 0)):
            lost.append(table)
    return lost


def _oldest_ms(workspace_id: str, checkpoint: Mapping[str, Any], stored: Stored) -> int | None:
    """Return the first millisecond that was ever certified or begun, or None where there is none."""
    ranges = [certified for _, axis in CURSOR_AXES for certified in stored.ranges.get((workspace_id, axis), [])]
    return min(
        [*(certified.first_ms for certified in ranges), *([checkpoint["since"]] if "since" in checkpoint else [])], default=None
    )


def _begin_again(workspace_id: str, checkpoint: dict[str, Any], stored: Stored) -> None:
    """Set the cursors before all that was ever certified; without such a range the next load is a first one."""
    since = _oldest_ms(workspace_id, checkpoint, stored)
    for name in ("sent", *dict(CURSOR_AXES)):
        checkpoint.pop(name, None)
    if since is not None:
        checkpoint |= {"since": since, **dict.fromkeys(dict(CURSOR_AXES), since - 1)}


def _limit_cursors(workspace_id: str, checkpoint: dict[str, Any], stored: Stored) -> list[str]:
    warnings = []
    for cursor, axis in CURSOR_AXES:
        if cursor not in checkpoint:
            continue
        supported = _supported_ms(stored.ranges.get((workspace_id, axis), []), checkpoint["since"])
        if checkpoint[cursor] > supported:
            checkpoint[cursor] = supported
            warnings.append(f"{workspace_id}: axis {axis} is certified only until {_text(supported)}; the rest is loaded again")
    return warnings


def _limit_backfills(state: dict[str, Any], key: str, stored: Stored) -> None:
    _, workspace_id = region_and_workspace(key)
    ranges = stored.ranges.get((workspace_id, "start"), [])
    for name, progress in state.get("backfills", {}).items():
        if key in progress:
            first_ms = epoch_ms(datetime.fromisoformat(name.partition("/")[0]))
            progress[key] = min(progress[key], _supported_ms(ranges, first_ms))


def _supported_ms(ranges: list[CertifiedRange], first_ms: int) -> int:
    """Return the last millisecond up to which all from the first one is certified; the one before it where nothing is."""
    return next((certified.last_ms for certified in ranges if certified.first_ms <= first_ms <= certified.last_ms), first_ms - 1)


def _text(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
