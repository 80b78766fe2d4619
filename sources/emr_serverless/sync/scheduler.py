"""The account in one load: which workspaces there are, the order of what is asked of them, and the cursors that move.

The API has no "updated since". Four sweeps together see every change: runs by start time, runs by end time (both from the cursor
less the lookback to the horizon), the open runs, and one call for each run that was open last time and turned up in none of them.
Cursors are bounds of certified windows, never maxima of row values, and live in dlt's state, which travels with the package.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from collections.abc import Set as AbstractSet
from itertools import count
from typing import Any, Final

import pyarrow as pa

from ..api.client import Client
from ..api.errors import (
    CheckCredentialsError,
    CheckSettingsError,
    EmrServerlessError,
    FindWorkspaceError,
    GrantPermissionError,
    ReachEndpointError,
    SetClockError,
    TryLaterError,
)
from ..arrow.decode import read_rows
from ..arrow.schema import raw_tables
from ..arrow.tables import Origin, resource_tables
from ..redaction.redactor import Redactor
from ..resources import RESOURCES
from ..resources.declaration import Resource
from ..resources.job_runs import JOB_RUNS
from ..resources.workspaces import WORKSPACES
from .audit import windows_table
from .batch import Package
from .checkpoint import CURSOR_AXES
from .missing_workspaces import check_forgotten, missing_workspaces, none_visible, not_visible, note_missing, note_visible
from .options import LoadOptions, SourceSettings, epoch_ms
from .snapshots import Row, snapshots
from .stats import LoadStats
from .unknown_fields import TABLE as UNKNOWN_FIELDS
from .unknown_fields import take_unreported
from .windows import COUNTED_AXES, DAY_MS, HOUR_MS, Window
from .workers import Rows, Task, WindowResult, WorkerPool
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


class Scheduler:
    """Drives the pool through discovery and all workspaces; lives through all packages of a load.

    Args:
        options: what is asked.
        source_settings: how much at once.
        client: asks the API.
        state: what earlier loads left, dlt's state of `job_runs`.
        stats: is kept up to date.
        on_progress: called after each page and window.
        held: rows of the destination that lists are compared with, by table.
        tables: those that are loaded; what none of them needs is not asked.
    """

    def __init__(
        self,
        options: LoadOptions,
        source_settings: SourceSettings,
        client: Client,
        state: State,
        stats: LoadStats,
        on_progress: Callable[[], None],
        held: Mapping[str, list[Row]],
        tables: AbstractSet[str],
    ) -> None:
        self._options = options
        self._stats = stats
        self._on_progress = on_progress
        self._settings = source_settings
        self._memory: dict[str, Any] = {**state}
        self.pool = WorkerPool(client, options.clock, source_settings.threads, source_settings.window_rows)
        self._order = count()
        self._ready: list[tuple[int, int, Task]] = []
        self._outstanding = 0
        self._held: Rows | None = None
        self._failures = 0
        self._sweeps: dict[str, WorkspaceSweep] = {}
        self._listed: dict[str, str] = {}
        self._listings: list[WindowResult] = []
        self._missing: list[str] = []
        self._snapshots = snapshots(RESOURCES, held)
        self._tables = tables
        self._wanted = [resource for resource in RESOURCES if raw_tables(resource).keys() & set(tables)]
        check_forgotten(options.forget_workspaces, self._memory)
        self._push([Task(list_window(WORKSPACES, region_id)) for region_id in source_settings.region_ids])

    @property
    def unfinished(self) -> bool:
        """Whether another package is to come."""
        return bool(self._ready or self._outstanding or self._held)

    def package(self, load_id: str, redactor: Redactor) -> Package:
        """Return an empty package of this load."""
        return Package(load_id, redactor, self._snapshots, self._tables)

    def read(self, package: Package, state: State, *, is_whole: bool = False) -> Iterator[dict[str, pa.Table]]:
        """Fill one package, or all of the load in one; at its end write the cursors into `state`."""
        if not state:
            package.add_empty_tables()
        while self.unfinished:
            message = self._next()
            if isinstance(message, WindowResult):
                self._settle(message, package)
            elif message.task.window.axis == "list":
                self._list(message, package)
            elif is_whole or package.has_room(message, self._settings.package_rows):
                self._take(message, package)
            else:
                self._held = message
                break
            self._on_progress()
            if package.is_batch_full:
                yield package.take_batch()
        self._save_unknown_fields(package, state)
        batch = package.take_batch()
        self._save(state, package)
        yield batch

    def _next(self) -> Rows | WindowResult:
        if self._held:
            message, self._held = self._held, None
            return message
        while self._ready and self._outstanding < self._settings.threads * WINDOWS_AHEAD:
            task = heapq.heappop(self._ready)[-1]
            self._outstanding += 1
            self.pool.submit(task)
        return self.pool.receive()

    def _push(self, tasks: list[Task]) -> None:
        for task in tasks:
            window = task.window
            first = window.start_ms if window.start_ms is not None else self._options.horizon_ms
            heapq.heappush(self._ready, (first, next(self._order), task))

    def _take(self, message: Rows, package: Package) -> None:
        window = message.task.window
        stats, sweep = self._stats, self._sweeps[window.workspace_id]
        sweep.compare(message.records, window)
        runs = package.fresh(window.workspace_id, sweep.wanted(message.records, message.task))
        if not runs:
            return
        if message.task.is_whole:
            stats.expected_rows = (stats.expected_rows or 0) + len(runs)
        origin = Origin(window.region_id, window.workspace_id, message.observed_at)
        package.add_runs(origin, runs)
        if observed := sweep.take(runs, window):
            package.add_observations(origin, runs.at(observed))
        package.unknown_fields.add("job_runs", runs, message.observed_at)
        stats.rows += len(runs)

    def _settle(self, result: WindowResult, package: Package) -> None:
        self._outstanding -= 1
        self._stats.requests += result.request_stats.requests
        _refuse_the_future(result)
        window, error = result.task.window, result.error
        if window.axis == "list" and window.resource != WORKSPACES.table:
            # What may not be asked, or is not offered in this region, keeps no job run from loading.
            self._audit(result, package)
            self._mark_gone(result, package)
            return
        if isinstance(error, FATAL_ERRORS):
            raise error
        if window.axis == "count" and not window.filters:
            stats = self._stats
            stats.expected_rows = (stats.expected_rows or 0) + (result.total_count or 0)
        if window.axis == "list":
            self._listings.append(result)
            if len(self._listings) == len(self._settings.region_ids):
                self._plan(package)
            return
        sweep = self._sweeps[window.workspace_id]
        is_denied = isinstance(error, DENIED_ERRORS)
        # What was asked of a denied workspace at the same time is refused for the same reason. A census is of no account until it
        # is over, and what it does not certify is read by other windows.
        if not result.parts and not (sweep.denied and is_denied) and (is_denied or not result.task.is_whole):
            self._audit(result, package)
        if is_denied:
            self._deny(sweep)
            return
        self._give_up_when_silent(result)
        if window.axis == "run" and (run_id := sweep.misses(result)):
            origin = Origin(window.region_id, window.workspace_id, self._options.clock())
            package.add_observations(origin, read_rows([{"jobRunId": run_id}], JOB_RUNS, {}))
        tasks = sweep.settle(result)
        certificates, sweep.certificates = sweep.certificates, []
        for certificate in certificates:
            self._audit(certificate, package)
        self._push([] if sweep.denied else tasks)

    def _audit(self, result: WindowResult, package: Package) -> None:
        stats, window = self._stats, result.task.window
        is_list = window.axis == "list"
        if not is_list and self._sweeps[window.workspace_id].is_refused_filter(result):
            logger.info("%s %s: the API refuses the filters %s", window.workspace_id, window.axis, dict(window.filters))
            return
        if not is_list and result.audited_axis not in COUNTED_AXES:
            stats.windows[str(result.status)] += 1
        if result.status != "complete" and not (window.resource == WORKSPACES.table and self._needs_no_list):
            stats.incomplete.append(result)
            logger.warning("Incomplete: %s", result)
        package.add({"extraction_windows": windows_table(result, self._options.name, self._options.mode)})

    def _deny(self, sweep: WorkspaceSweep) -> None:
        sweep.denied = True
        ours = (sweep.workspace_id, JOB_RUNS.table)
        kept = [entry for entry in self._ready if (entry[-1].window.workspace_id, entry[-1].window.resource) != ours]
        heapq.heapify(kept)
        self._ready = kept

    def _give_up_when_silent(self, result: WindowResult) -> None:
        """Stop the load when every thread in a row got no answer for its window: the rest would not get one either."""
        if not isinstance(result.error, (TryLaterError, ReachEndpointError)):
            self._failures = 0
            return
        self._failures += 1
        if self._failures >= max(self._settings.threads, SILENT_WINDOWS):
            raise result.error

    def _list(self, message: Rows, package: Package) -> None:
        window = message.task.window
        snapshot = self._snapshots[window.resource]
        records = snapshot.fresh(window, message.records)
        if not records:
            return
        if snapshot.resource is WORKSPACES:
            self._listed |= dict.fromkeys(records.column("workspaceId"), window.region_id)
        origin = Origin(window.region_id, window.workspace_id, message.observed_at)
        package.add(resource_tables(snapshot.resource, [(origin, records)]))
        package.unknown_fields.add(window.resource, records, message.observed_at)

    def _mark_gone(self, result: WindowResult, package: Package) -> None:
        window = result.task.window
        if result.status == "complete" and result.started_at:
            package.add_masked({window.resource: self._snapshots[window.resource].gone(window, result.started_at)})

    @property
    def _needs_no_list(self) -> bool:
        """Whether names and region of the workspaces are given, so that the right to list them is not needed."""
        return bool(self._settings.workspace_ids) and len(self._settings.region_ids) == 1

    def _plan(self, package: Package) -> None:
        """Decide which workspaces to ask, once every region has been listed."""
        regions, named = self._settings.region_ids, self._settings.workspace_ids
        unlisted = {listing.task.window.region_id: listing.error for listing in self._listings if listing.error}
        if not self._listed and not unlisted and not named:
            for listing in self._listings:
                listing.status, listing.error = "failed", none_visible(listing.task.window.region_id)
        for listing in self._listings:
            self._audit(listing, package)
            self._mark_gone(listing, package)
        if self._needs_no_list and unlisted:
            wanted = dict.fromkeys(named, regions[0])
        elif len(unlisted) == len(regions):
            raise unlisted[regions[0]]
        else:
            wanted = {name: self._listed[name] for name in named or self._listed if name in self._listed}
        visible = {*self._listed, *wanted}
        missing = missing_workspaces(self._settings, self._options.forget_workspaces, self._memory, visible, unlisted)
        self._missing = list(missing)
        unknown = {name: not_visible(name, regions) for name in named if name not in wanted}
        for workspace_id, error in (unknown | missing).items():
            self._report_absent(workspace_id, error, package)
        self._stats.workspaces = sorted(wanted)
        for workspace_id, region_id in wanted.items():
            if JOB_RUNS in self._wanted:
                ranges, open_runs = self._ranges(workspace_id), self._open_runs(workspace_id)
                window_rows, hidden = self._settings.window_rows, self._hidden_defaults()
                sweep = WorkspaceSweep(region_id, workspace_id, ranges, open_runs, window_rows, hidden)
                self._sweeps[workspace_id] = sweep
                self._push(sweep.first_tasks())
            if self._options.backfill is None:
                lists = [resource for resource in self._wanted if resource.history and resource.parent == "workspace"]
                self._push([Task(list_window(resource, region_id, workspace_id)) for resource in lists])

    def _report_absent(self, workspace_id: str, error: EmrServerlessError, package: Package) -> None:
        result = WindowResult(Task(list_window(WORKSPACES, ", ".join(self._settings.region_ids), workspace_id)), status="failed")
        result.started_at = result.finished_at = self._options.clock()
        result.error = error
        self._stats.incomplete.append(result)
        package.add({"extraction_windows": windows_table(result, self._options.name, self._options.mode)})

    def _ranges(self, workspace_id: str) -> Ranges:
        horizon_ms, backfill = self._options.horizon_ms, self._options.backfill
        if backfill is None:
            memory = self._memory.get("workspaces", {}).get(workspace_id, {})
            initial_ms, lookback_ms = int(self._settings.initial_days * DAY_MS), int(self._settings.lookback_hours * HOUR_MS)
            return cursor_ranges(memory, horizon_ms, initial_ms, lookback_ms)
        first = epoch_ms(backfill.first)
        through = self._memory.get("backfills", {}).get(backfill.name, {}).get(workspace_id)
        last = min(epoch_ms(backfill.after) - 1, horizon_ms)
        if through is not None and not backfill.force:
            first = max(first, through + 1)
            if first > last:
                self._stats.certified_before.append(workspace_id)
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
            self._stats.unknown_fields[f"{resource}.{path}"] += rows
        if not self.unfinished:
            self._stats.new_fields = take_unreported(state)

    def _save(self, state: State, package: Package) -> None:
        """Write the cursors as far as they are certified, and the open runs, into dlt's state."""
        backfill = self._options.backfill
        state["settle_days"] = self._settings.settle_days
        note_missing(state, self._missing, self._options.forget_workspaces, self._options.name)
        for sweep in self._sweeps.values():
            memory = state.setdefault("workspaces", {}).setdefault(sweep.workspace_id, {})
            memory["region_id"] = sweep.region_id
            memory["open"] = dict(sweep.open_runs)
            memory["hidden_defaults"] = sorted(sweep.defaults.to_remember())
            unsettled = sweep.unsettled(self._options.horizon_ms - int(self._settings.settle_days * DAY_MS))
            memory["unsettled"] = [list(each) for each in unsettled]
            if found := sweep.defaults.found():
                self._stats.hidden_defaults[sweep.workspace_id] = sorted(found)
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


def list_window(resource: Resource, region_id: str, workspace_id: str = "*") -> Window:
    """Return what asks for all rows of a resource."""
    return Window(region_id, workspace_id, "list", resource=resource.table)


def _refuse_the_future(result: WindowResult) -> None:
    """End a load during which the clock was set back before its horizon: nothing is certified past its observation."""
    window, observed_at = result.task.window, result.started_at
    if window.end_ms is not None and observed_at and window.end_ms > epoch_ms(observed_at):
        raise SetClockError("This machine's clock was set back during the load, to before the time that is asked for")
