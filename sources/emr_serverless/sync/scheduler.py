"""One load of an account: the order in which windows are read, what becomes of their rows, and where a package ends.

The API has no filter for changes. Four kinds of request together find every change: runs by start time, runs by end time (both
from the cursor less the lookback to the horizon), the open runs, and one request for each run that was open in the last load and
was in none of the others. Cursors are bounds of certified windows, never maxima of row values, and are kept in dlt's state,
which is committed with the package.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import count
from typing import Final

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
from ..settings import LISTED_WORKSPACES
from .audit import windows_table
from .batch import Package
from .discovery import Discovery
from .options import LoadOptions, SourceSettings, epoch_ms
from .saved_state import SavedState, State
from .snapshots import Row, snapshots
from .stats import LoadStats
from .tasks import Rows, Task, WindowResult
from .unknown_fields import TABLE as UNKNOWN_FIELDS
from .unknown_fields import take_unreported
from .windows import COUNTED_AXES, RUN_ID, list_window
from .workers import WorkerPool
from .workspace import WorkspaceSync

logger = logging.getLogger("emr_serverless")

# Every further request would fail in the same way: the load ends at once.
FATAL_ERRORS: Final = (CheckCredentialsError, SetClockError, CheckSettingsError)
# Every further request for this workspace would fail in the same way: the other workspaces are loaded.
DENIED_ERRORS: Final = (GrantPermissionError, FindWorkspaceError)
# Windows queued for each thread of the pool: keeps them busy while the order stays oldest first.
WINDOWS_AHEAD: Final = 2
# Consecutive windows without a response after which a load stops, when there are fewer threads than this.
SILENT_WINDOWS: Final = 4


class Scheduler:
    """Drives the pool through discovery and all workspaces, for all packages of a load.

    Args:
        options: what to load.
        source_settings: how much at once.
        client: sends the requests.
        known: what earlier loads saved, see checkpoint.py; is changed by a backfill that has a state of its own.
        stats: is updated.
        on_progress: called after each page and window.
        stored_rows: rows of the destination that lists are compared with, by table.
        tables: those that are loaded; what none of them needs is not requested.
    """

    def __init__(
        self,
        options: LoadOptions,
        source_settings: SourceSettings,
        client: Client,
        known: State,
        stats: LoadStats,
        on_progress: Callable[[], None],
        stored_rows: Mapping[str, list[Row]],
        tables: AbstractSet[str],
    ) -> None:
        self._options = options
        self._stats = stats
        self._on_progress = on_progress
        self._settings = source_settings
        self._known = known
        self._saved = SavedState(options, source_settings, known)
        self._discovery = Discovery(source_settings, options.forget_workspaces, dict(known))
        self.pool = WorkerPool(client, options.clock, source_settings.threads, source_settings.window_rows)
        self._order = count()
        self._ready: list[tuple[int, int, Task]] = []
        self._outstanding = 0
        self._next_page: Rows | None = None
        self._failures = 0
        self._workspaces: dict[str, WorkspaceSync] = {}
        self._missing: list[str] = []
        # Lists that are read only if their workspace has new runs.
        self._waiting: dict[str, list[Task]] = {}
        self._snapshots = snapshots(RESOURCES, stored_rows)
        self._tables = tables
        self._wanted = [resource for resource in RESOURCES if raw_tables(resource).keys() & set(tables)]
        self._push(self._discovery.first_tasks())

    @property
    def unfinished(self) -> bool:
        """Whether another package is to come."""
        return bool(self._ready or self._outstanding or self._next_page)

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
                self._next_page = message
                break
            self._on_progress()
            if package.is_batch_full:
                yield package.take_batch()
        backfill = self._options.backfill
        self._save_unknown_fields(package, self._known if backfill and backfill.beside else state)
        batch = package.take_batch()
        self._save(state, package)
        yield batch

    def _next(self) -> Rows | WindowResult:
        if self._next_page:
            message, self._next_page = self._next_page, None
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
        stats, workspace = self._stats, self._workspaces[window.workspace_id]
        workspace.compare(message.records, window)
        runs = package.fresh(window.workspace_id, workspace.wanted(message.records, message.task))
        if not runs:
            return
        self._push(self._waiting.pop(window.workspace_id, []))
        if message.task.is_whole:
            stats.expected_rows = (stats.expected_rows or 0) + len(runs)
        origin = Origin(window.region_id, window.workspace_id, message.observed_at)
        package.add_runs(origin, runs)
        if observed := workspace.take(runs, window):
            package.add_observations(origin, runs.at(observed))
        package.unknown_fields.add("job_runs", runs, message.observed_at)
        stats.rows += len(runs)

    def _settle(self, result: WindowResult, package: Package) -> None:
        self._outstanding -= 1
        self._stats.requests += result.request_stats.requests
        _refuse_the_future(result)
        window, error = result.task.window, result.error
        if window.axis == "list" and window.resource != WORKSPACES.table:
            # A list that is not permitted, or not offered in this region, must not stop the job runs from being loaded.
            self._audit(result, package)
            self._mark_gone(result, package)
            return
        if isinstance(error, FATAL_ERRORS):
            raise error
        if window.axis == "count" and not window.filters:
            stats = self._stats
            stats.expected_rows = (stats.expected_rows or 0) + (result.total_count or 0)
        if window.axis == "list":
            if self._discovery.settle(result):
                self._plan(package)
            return
        workspace = self._workspaces[window.workspace_id]
        is_denied = isinstance(error, DENIED_ERRORS)
        # Other requests for a denied workspace that were in flight fail for the same reason. A census is audited once it is over,
        # and what it does not certify is read by other windows.
        if not result.parts and not (workspace.denied and is_denied) and (is_denied or not result.task.is_whole):
            self._audit(result, package)
        if is_denied:
            self._deny(workspace)
            return
        self._give_up_when_silent(result)
        if window.axis == "run" and (run_id := workspace.take_missing(result)):
            origin = Origin(window.region_id, window.workspace_id, self._options.clock())
            package.add_observations(origin, read_rows([{RUN_ID: run_id}], JOB_RUNS, {}))
        tasks = workspace.settle(result)
        certificates, workspace.certificates = workspace.certificates, []
        for certificate in certificates:
            self._audit(certificate, package)
        self._push([] if workspace.denied else tasks)

    def _audit(self, result: WindowResult, package: Package) -> None:
        stats, window = self._stats, result.task.window
        is_list = window.axis == "list"
        if not is_list and self._workspaces[window.workspace_id].is_refused_filter(result):
            logger.info("%s %s: the API refuses the filters %s", window.workspace_id, window.axis, dict(window.filters))
            return
        if not is_list and result.audited_axis not in COUNTED_AXES:
            stats.windows[str(result.status)] += 1
        if result.status != "complete" and not (window.resource == WORKSPACES.table and self._discovery.needs_no_list):
            stats.incomplete.append(result)
            logger.warning("Incomplete: %s", result)
        package.add({"extraction_windows": windows_table(result, self._options.name, self._options.mode)})

    def _deny(self, workspace: WorkspaceSync) -> None:
        workspace.denied = True
        ours = (workspace.workspace_id, JOB_RUNS.table)
        kept = [entry for entry in self._ready if (entry[-1].window.workspace_id, entry[-1].window.resource) != ours]
        heapq.heapify(kept)
        self._ready = kept

    def _give_up_when_silent(self, result: WindowResult) -> None:
        """Stop the load when as many consecutive windows as there are threads got no response."""
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
            self._discovery.take(records, window.region_id)
        origin = Origin(window.region_id, window.workspace_id, message.observed_at)
        package.add(resource_tables(snapshot.resource, [(origin, records)]))
        package.unknown_fields.add(window.resource, records, message.observed_at)

    def _mark_gone(self, result: WindowResult, package: Package) -> None:
        window = result.task.window
        if result.status == "complete" and result.started_at:
            package.add_masked({window.resource: self._snapshots[window.resource].gone(window, result.started_at)})

    def _plan(self, package: Package) -> None:
        """Decide what to read of which workspaces, once every region has been listed."""
        for listing in self._discovery.results():
            self._audit(listing, package)
            self._mark_gone(listing, package)
        wanted, missing = self._discovery.wanted(), self._discovery.missing()
        self._missing = list(missing)
        for workspace_id, error in (self._discovery.unknown() | missing).items():
            self._report_absent(workspace_id, error, package)
        self._stats.workspaces = sorted(wanted)
        hidden_defaults = self._saved.hidden_defaults()
        lists = [resource for resource in self._wanted if resource.history and resource.parent == "workspace"]
        for workspace_id, region_id in wanted.items():
            if JOB_RUNS in self._wanted:
                self._plan_runs(region_id, workspace_id, hidden_defaults)
            if self._options.backfill is None:
                self._plan_lists(region_id, workspace_id, lists, is_large=len(wanted) > LISTED_WORKSPACES)

    def _plan_runs(self, region_id: str, workspace_id: str, hidden_defaults: AbstractSet[str]) -> None:
        ranges = self._saved.ranges(region_id, workspace_id)
        if self._options.backfill and ranges.start[0] > ranges.start[1]:
            self._stats.certified_before.append(workspace_id)
        open_runs = self._saved.open_runs(region_id, workspace_id)
        workspace = WorkspaceSync(region_id, workspace_id, ranges, open_runs, self._settings.window_rows, hidden_defaults)
        self._workspaces[workspace_id] = workspace
        self._push(workspace.first_tasks())

    def _plan_lists(self, region_id: str, workspace_id: str, lists: Sequence[Resource], *, is_large: bool) -> None:
        tasks = [Task(list_window(resource, region_id, workspace_id)) for resource in lists]
        now = self._options.started_at
        # They are read together; one of them may be empty.
        can_wait = any(self._snapshots[resource.table].can_wait(workspace_id, now) for resource in lists)
        if is_large and can_wait and workspace_id in self._workspaces:
            self._waiting[workspace_id] = tasks
        else:
            self._push(tasks)

    def _report_absent(self, workspace_id: str, error: EmrServerlessError, package: Package) -> None:
        result = WindowResult(Task(list_window(WORKSPACES, ", ".join(self._settings.region_ids), workspace_id)), status="failed")
        result.started_at = result.finished_at = self._options.clock()
        result.error = error
        self._stats.incomplete.append(result)
        package.add({"extraction_windows": windows_table(result, self._options.name, self._options.mode)})

    def _save_unknown_fields(self, package: Package, state: State) -> None:
        package.add({UNKNOWN_FIELDS: package.unknown_fields.save(state)})
        for (resource, path), rows in package.unknown_fields.rows.items():
            self._stats.unknown_fields[f"{resource}.{path}"] += rows
        if not self.unfinished:
            self._stats.new_fields = take_unreported(state)

    def _save(self, state: State, package: Package) -> None:
        self._saved.save(state, package, [*self._workspaces.values()], self._missing)
        for workspace in self._workspaces.values():
            if found := workspace.defaults.found():
                self._stats.hidden_defaults[workspace.workspace_id] = sorted(found)


def _refuse_the_future(result: WindowResult) -> None:
    """End a load during which the clock was set back to before its horizon: no window is certified beyond its observation."""
    window, observed_at = result.task.window, result.started_at
    if window.end_ms is not None and observed_at and window.end_ms > epoch_ms(observed_at):
        raise SetClockError("This machine's clock was set back during the load, to before the end of the time range to load")
