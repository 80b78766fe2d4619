"""The account in one load: which workspaces there are, the order of what is asked of them, and the cursors that move.

The API has no "updated since". Four sweeps together see every change: runs by start time, runs by end time (both from the cursor
less the lookback to the horizon), the open runs, and one call for each run that was open last time and turned up in none of them.
Cursors are bounds of certified windows, never maxima of row values, and live in dlt's state, which travels with the package.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterator, MutableMapping
from itertools import count
from typing import Any, Final

import pyarrow as pa

from .absence import check_forgotten, missing_workspaces, none_visible, not_visible, note_missing, note_visible
from .answers import job_run_records
from .client import Client
from .conversion import Origin, workspaces_table
from .errors import (
    CheckCredentialsError,
    CheckSettingsError,
    EmrServerlessError,
    FindWorkspaceError,
    GrantPermissionError,
    ReachEndpointError,
    SetClockError,
    TryLaterError,
)
from .memory import CURSOR_AXES
from .package import Package, windows_table
from .sweep import Outcome, Pool, Rows, Task
from .terms import Limits, Report, Terms, epoch_ms
from .unknown_fields import TABLE as UNKNOWN_FIELDS
from .unknown_fields import take_unreported
from .windows import COUNTED_AXES, DAY_MS, HOUR_MS, Window
from .workspace import Ranges, WorkspaceSweep, cursor_ranges

logger = logging.getLogger("emr_serverless")

State = MutableMapping[str, Any]
# The same for every request to come: the load ends at once.
FATAL_ERRORS: Final = (CheckCredentialsError, SetClockError, CheckSettingsError)
# The same for every request about this workspace: the others load on.
DENIED_ERRORS: Final = (GrantPermissionError, FindWorkspaceError)
# Windows handed to the pool ahead of its threads, for each thread: keeps them busy while the order stays oldest first.
WINDOWS_AHEAD: Final = 2
# Windows in a row without an answer after which a load stops, when there are fewer threads than this.
SILENT_WINDOWS: Final = 4


class AccountSweep:
    """Drives the pool through discovery and all workspaces; lives through all packages of a load.

    Args:
        terms: what is asked.
        limits: how much at once.
        client: asks the API.
        state: what earlier loads left, dlt's state of `job_runs`.
        report: is kept up to date.
        tell: called after each page and window.
    """

    def __init__(
        self, terms: Terms, limits: Limits, client: Client, state: State, report: Report, tell: Callable[[], None]
    ) -> None:
        self._terms = terms
        self._report = report
        self._tell = tell
        self._limits = limits
        self._memory: dict[str, Any] = {**state}
        self.pool = Pool(client, terms.clock, limits.threads, limits.window_rows)
        self._order = count()
        self._ready: list[tuple[int, int, Task]] = []
        self._outstanding = 0
        self._held: Rows | None = None
        self._failures = 0
        self._sweeps: dict[str, WorkspaceSweep] = {}
        self._listed: dict[str, str] = {}
        self._listings: list[Outcome] = []
        self._missing: list[str] = []
        check_forgotten(terms.forget_workspaces, self._memory)
        self._push([Task(Window(region_id, "*", "workspaces")) for region_id in limits.region_ids])

    @property
    def unfinished(self) -> bool:
        """Whether another package is to come."""
        return bool(self._ready or self._outstanding or self._held)

    def read(self, package: Package, state: State) -> Iterator[dict[str, pa.Table]]:
        """Fill one package; at its end write the cursors into `state`."""
        if not state:
            package.add_empty_tables()
        while self.unfinished:
            message = self._next()
            if isinstance(message, Outcome):
                self._settle(message, package)
            elif message.task.window.axis == "workspaces":
                self._list(message, package)
            elif package.has_room(message, self._limits.package_rows):
                self._take(message, package)
            else:
                self._held = message
                break
            self._tell()
            if package.is_batch_full:
                yield package.take_batch()
        self._save_unknown_fields(package, state)
        batch = package.take_batch()
        self._save(state, package)
        yield batch

    def _next(self) -> Rows | Outcome:
        if self._held:
            message, self._held = self._held, None
            return message
        while self._ready and self._outstanding < self._limits.threads * WINDOWS_AHEAD:
            task = heapq.heappop(self._ready)[-1]
            self._outstanding += 1
            self.pool.submit(task)
        return self.pool.receive()

    def _push(self, tasks: list[Task]) -> None:
        for task in tasks:
            window = task.window
            first = window.start_ms if window.start_ms is not None else self._terms.horizon_ms
            heapq.heappush(self._ready, (first, next(self._order), task))

    def _take(self, message: Rows, package: Package) -> None:
        window = message.task.window
        report, sweep = self._report, self._sweeps[window.workspace_id]
        sweep.compare(message.records, window)
        runs = package.fresh(window.workspace_id, sweep.wanted(message.records, message.task))
        if not runs:
            return
        if message.task.is_whole:
            report.expected_rows = (report.expected_rows or 0) + len(runs)
        origin = Origin(window.region_id, window.workspace_id, message.observed_at)
        package.add_runs(origin, runs)
        if observed := sweep.take(runs, window):
            package.add_observations(origin, runs.at(observed))
        package.unknown_fields.add("job_runs", runs, message.observed_at)
        report.rows += len(runs)

    def _settle(self, outcome: Outcome, package: Package) -> None:
        self._outstanding -= 1
        self._report.requests += outcome.effort.requests
        _refuse_the_future(outcome)
        window, error = outcome.task.window, outcome.error
        if isinstance(error, FATAL_ERRORS):
            raise error
        if window.axis == "count" and not window.filters:
            report = self._report
            report.expected_rows = (report.expected_rows or 0) + (outcome.total_count or 0)
        if window.axis == "workspaces":
            self._listings.append(outcome)
            if len(self._listings) == len(self._limits.region_ids):
                self._plan(package)
            return
        sweep = self._sweeps[window.workspace_id]
        is_denied = isinstance(error, DENIED_ERRORS)
        # What was asked of a denied workspace at the same time is refused for the same reason. A census is of no account until it
        # is over, and what it does not certify is read by other windows.
        if not outcome.parts and not (sweep.denied and is_denied) and (is_denied or not outcome.task.is_whole):
            self._audit(outcome, package)
        if is_denied:
            self._deny(sweep)
            return
        self._give_up_when_silent(outcome)
        if window.axis == "run" and (run_id := sweep.misses(outcome)):
            origin = Origin(window.region_id, window.workspace_id, self._terms.clock())
            package.add_observations(origin, job_run_records([{"jobRunId": run_id}], window.workspace_id))
        tasks = sweep.settle(outcome)
        certificates, sweep.certificates = sweep.certificates, []
        for certificate in certificates:
            self._audit(certificate, package)
        self._push([] if sweep.denied else tasks)

    def _audit(self, outcome: Outcome, package: Package) -> None:
        report, window = self._report, outcome.task.window
        listing = window.axis == "workspaces"
        if not listing and self._sweeps[window.workspace_id].is_refused_filter(outcome):
            logger.info("%s %s: the API refuses the filters %s", window.workspace_id, window.axis, dict(window.filters))
            return
        if not listing and outcome.audited_axis not in COUNTED_AXES:
            report.windows[str(outcome.status)] += 1
        if outcome.status != "complete" and not (listing and self._needs_no_list):
            report.incomplete.append(outcome)
            logger.warning("Incomplete: %s", outcome)
        package.add({"extraction_windows": windows_table(outcome, self._terms.name, self._terms.mode)})

    def _deny(self, sweep: WorkspaceSweep) -> None:
        sweep.denied = True
        kept = [entry for entry in self._ready if entry[-1].window.workspace_id != sweep.workspace_id]
        heapq.heapify(kept)
        self._ready = kept

    def _give_up_when_silent(self, outcome: Outcome) -> None:
        """Stop the load when every thread in a row got no answer for its window: the rest would not get one either."""
        if not isinstance(outcome.error, (TryLaterError, ReachEndpointError)):
            self._failures = 0
            return
        self._failures += 1
        if self._failures >= max(self._limits.threads, SILENT_WINDOWS):
            raise outcome.error

    def _list(self, message: Rows, package: Package) -> None:
        window, fresh = message.task.window, []
        for position, workspace_id in enumerate(message.records.column("workspaceId")):
            if workspace_id and workspace_id not in self._listed:
                self._listed[workspace_id] = window.region_id
                fresh.append(position)
        if fresh:
            origin = Origin(window.region_id, "*", message.observed_at)
            records = message.records.at(fresh)
            package.add({"workspaces": workspaces_table([(origin, records)])})
            package.unknown_fields.add("workspaces", records, message.observed_at)

    @property
    def _needs_no_list(self) -> bool:
        """Whether names and region of the workspaces are given, so that the right to list them is not needed."""
        return bool(self._limits.workspace_ids) and len(self._limits.region_ids) == 1

    def _plan(self, package: Package) -> None:
        """Decide which workspaces to ask, once every region has been listed."""
        regions, named = self._limits.region_ids, self._limits.workspace_ids
        unlisted = {listing.task.window.region_id: listing.error for listing in self._listings if listing.error}
        if not self._listed and not unlisted and not named:
            for listing in self._listings:
                listing.status, listing.error = "failed", none_visible(listing.task.window.region_id)
        for listing in self._listings:
            self._audit(listing, package)
        if self._needs_no_list and unlisted:
            wanted = dict.fromkeys(named, regions[0])
        elif len(unlisted) == len(regions):
            raise unlisted[regions[0]]
        else:
            wanted = {name: self._listed[name] for name in named or self._listed if name in self._listed}
        visible = {*self._listed, *wanted}
        missing = missing_workspaces(self._limits, self._terms.forget_workspaces, self._memory, visible, unlisted)
        self._missing = list(missing)
        unknown = {name: not_visible(name, regions) for name in named if name not in wanted}
        for workspace_id, error in (unknown | missing).items():
            self._report_absent(workspace_id, error, package)
        self._report.workspaces = sorted(wanted)
        for workspace_id, region_id in wanted.items():
            ranges, open_runs = self._ranges(workspace_id), self._open_runs(workspace_id)
            sweep = WorkspaceSweep(region_id, workspace_id, ranges, open_runs, self._limits.window_rows, self._hidden_defaults())
            self._sweeps[workspace_id] = sweep
            self._push(sweep.first_tasks())

    def _report_absent(self, workspace_id: str, error: EmrServerlessError, package: Package) -> None:
        outcome = Outcome(Task(Window(", ".join(self._limits.region_ids), workspace_id, "workspaces")), status="failed")
        outcome.started_at = outcome.finished_at = self._terms.clock()
        outcome.error = error
        self._report.incomplete.append(outcome)
        package.add({"extraction_windows": windows_table(outcome, self._terms.name, self._terms.mode)})

    def _ranges(self, workspace_id: str) -> Ranges:
        horizon_ms, backfill = self._terms.horizon_ms, self._terms.backfill
        if backfill is None:
            memory = self._memory.get("workspaces", {}).get(workspace_id, {})
            initial_ms, lookback_ms = int(self._limits.initial_days * DAY_MS), int(self._limits.lookback_hours * HOUR_MS)
            return cursor_ranges(memory, horizon_ms, initial_ms, lookback_ms)
        first = epoch_ms(backfill.first)
        through = self._memory.get("backfills", {}).get(backfill.name, {}).get(workspace_id)
        last = min(epoch_ms(backfill.after) - 1, horizon_ms)
        if through is not None and not backfill.force:
            first = max(first, through + 1)
            if first > last:
                self._report.certified_before.append(workspace_id)
        unsettled = self._memory.get("workspaces", {}).get(workspace_id, {}).get("unsettled", ())
        return Ranges((first, last), None, horizon_ms, unsettled=tuple((begin, through) for begin, through in unsettled))

    def _open_runs(self, workspace_id: str) -> dict[str, int]:
        return dict(self._memory.get("workspaces", {}).get(workspace_id, {}).get("open", {}))

    def _hidden_defaults(self) -> set[str]:
        """Return what earlier loads found out of the API in any workspace."""
        memories = self._memory.get("workspaces", {}).values()
        return {name for memory in memories for name in memory.get("hidden_defaults", ())}

    def _save_unknown_fields(self, package: Package, state: State) -> None:
        package.add({UNKNOWN_FIELDS: package.unknown_fields.save(state)})
        for (resource, path), rows in package.unknown_fields.rows.items():
            self._report.unknown_fields[f"{resource}.{path}"] += rows
        if not self.unfinished:
            self._report.new_fields = take_unreported(state)

    def _save(self, state: State, package: Package) -> None:
        """Write the cursors as far as they are certified, and the open runs, into dlt's state."""
        backfill = self._terms.backfill
        state["settle_days"] = self._limits.settle_days
        note_missing(state, self._missing, self._terms.forget_workspaces, self._terms.name)
        for sweep in self._sweeps.values():
            memory = state.setdefault("workspaces", {}).setdefault(sweep.workspace_id, {})
            memory["region_id"] = sweep.region_id
            memory["open"] = dict(sweep.open_runs)
            memory["hidden_defaults"] = sorted(sweep.defaults.to_remember())
            unsettled = sweep.unsettled(self._terms.horizon_ms - int(self._limits.settle_days * DAY_MS))
            memory["unsettled"] = [list(each) for each in unsettled]
            if found := sweep.defaults.found():
                self._report.hidden_defaults[sweep.workspace_id] = sorted(found)
            note_visible(memory)
            if sent := package.sent.get(sweep.workspace_id):
                memory["sent"] = {"package": package.load_id, "rows": dict(sent)}
            if backfill:
                done = state.setdefault("backfills", {}).setdefault(backfill.name, {})
                done[sweep.workspace_id] = sweep.through_ms("start")
            else:
                memory.setdefault("since", sweep.since_ms)
                for cursor, axis in CURSOR_AXES:
                    through_ms = sweep.through_ms(axis)
                    memory[cursor] = max(memory.get(cursor, through_ms), through_ms)


def _refuse_the_future(outcome: Outcome) -> None:
    """End a load during which the clock was set back before its horizon: nothing is certified past its observation."""
    window, observed_at = outcome.task.window, outcome.started_at
    if window.end_ms is not None and observed_at and window.end_ms > epoch_ms(observed_at):
        raise SetClockError("This machine's clock was set back during the load, to before the time that is asked for")
