"""One load: its frozen horizon, the order of what it asks, the cursors it moves, and what it found.

The API has no "updated since". Four sweeps together see every change: runs by start time, runs by end time (both from the cursor
less the lookback to the horizon), the open runs, and one call for each run that was open last time and turned up in none of them.
Cursors are bounds of certified windows, never maxima of row values, and live in dlt's state, which travels with the package.
"""

from __future__ import annotations

import heapq
import logging
from collections import Counter
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from types import TracebackType
from typing import Any, Final, Literal, Self

import pyarrow as pa

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
from .package import Package, windows_table
from .redaction import Redactor
from .settings import HORIZON_LAG_SECONDS
from .sweep import Outcome, Pool, Rows, Task
from .windows import DAY_MS, HOUR_MS, Window
from .workspace import Ranges, TimeAxis, WorkspaceSweep, cursor_ranges

logger = logging.getLogger("emr_serverless")

State = MutableMapping[str, Any]
# The same for every request to come: the load ends at once.
FATAL_ERRORS: Final = (CheckCredentialsError, SetClockError, CheckSettingsError)
# The same for every request about this workspace: the others load on.
DENIED_ERRORS: Final = (GrantPermissionError, FindWorkspaceError)
# Windows handed to the pool ahead of its threads, for each thread: keeps them busy while the order stays oldest first.
WINDOWS_AHEAD: Final = 2
CURSOR_AXES: Final[tuple[tuple[str, TimeAxis], ...]] = (("started_through", "start"), ("ended_through", "end"))
# Windows in a row without an answer after which a load stops, when there are fewer threads than this.
SILENT_WINDOWS: Final = 4
_MS: Final = timedelta(milliseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms(when: datetime) -> int:
    """Return a time as epoch milliseconds, rounded down."""
    return (when - _EPOCH) // _MS


@dataclass(frozen=True)
class Limits:
    """What a load asks for and how much at once; see settings.py for the reasons of the defaults."""

    region_ids: tuple[str, ...]
    workspace_ids: tuple[str, ...]
    initial_days: float
    lookback_hours: float
    window_rows: int
    package_rows: int
    threads: int


@dataclass(frozen=True)
class Backfill:
    """A range of submit times to read once more, [first, after) UTC; `force` reads what is certified already too."""

    first: datetime
    after: datetime
    force: bool = False

    @property
    def name(self) -> str:
        """How its progress is remembered."""
        return f"{self.first.isoformat()}/{self.after.isoformat()}"


@dataclass
class Report:
    """What a load has done so far; read it at any time.

    Attributes:
        rows: job runs sent to the destination, each at most once in a package.
        windows: windows of job runs read, by status.
        incomplete: the outcomes that are not complete.
        workspaces: workspaces asked.
        expected_rows: runs on the start axis by the API's counts; None before the first answer.
        unknown_fields: response fields without a column, with how often they came.
    """

    rows: int = 0
    windows: Counter[str] = field(default_factory=Counter)
    incomplete: list[Outcome] = field(default_factory=list)
    workspaces: list[str] = field(default_factory=list)
    expected_rows: int | None = None
    packages: int = 0
    unknown_fields: Counter[str] = field(default_factory=Counter)


class Load:
    """One load or backfill, cut into packages. Run the source with it until it is no longer `unfinished`.

    Args:
        clock: the real time, UTC. It dates requests and observations.
        as_of: the horizon, the last moment asked for; a minute before now unless given.
        backfill: read this range of submit times instead of what is new.
        on_progress: called after each page and window with the report.

    Raises:
        CheckSettingsError: a time without a zone, or a backfill that ends before it begins.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        *,
        as_of: datetime | None = None,
        backfill: Backfill | None = None,
        on_progress: Callable[[Report], None] | None = None,
    ) -> None:
        self.clock = clock
        self.started_at: Final = clock().astimezone(UTC)
        horizon = as_of or self.started_at - timedelta(seconds=HORIZON_LAG_SECONDS)
        for when in (horizon, *((backfill.first, backfill.after) if backfill else ())):
            if when.tzinfo is None:
                raise CheckSettingsError(f"The time {when.isoformat()} has no zone", advice="Write it as 2026-01-31T00:00:00Z.")
        if backfill and backfill.first >= backfill.after:
            raise CheckSettingsError("The backfill ends before it begins", advice="Give a --to that is later than --from.")
        self.horizon_ms: Final = epoch_ms(horizon)
        self.backfill: Final = backfill
        self.mode: Final[Literal["load", "backfill"]] = "backfill" if backfill else "load"
        self.name: Final = self.started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.report: Final = Report()
        self.unfinished = True
        self.client: Client | None = None
        self._on_progress = on_progress or (lambda _: None)
        self._sweep: Sweep | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop the threads; a load that is closed before its end has not lost anything, the next one goes on."""
        if self._sweep:
            self._sweep.pool.close()

    def read_package(
        self, connect: Callable[[], tuple[Client, Redactor]], limits: Limits, state: State, load_id: str
    ) -> Iterator[dict[str, pa.Table]]:
        """Read the next package: yield tables by name, then leave the cursors it certifies in `state`.

        Args:
            connect: makes the client and the redactor, once for all packages.
            limits: what to ask.
            state: dlt's state of `job_runs`, committed with the package.
            load_id: dlt's name of the package.

        Raises:
            EmrServerlessError: nothing could be read at all, or nothing more would come of going on.
        """
        try:
            if self._sweep is None:
                self.client, redactor = connect()
                self._sweep = Sweep(self, self.client, redactor, limits, state)
            yield from self._sweep.read(Package(load_id, self._sweep.redactor), state)
            self.report.packages += 1
            self.unfinished = self._sweep.unfinished
        except BaseException:
            self.close()
            raise
        if not self.unfinished:
            self.close()

    def tell(self) -> None:
        """Tell whoever listens that the report has changed."""
        self._on_progress(self.report)


class Sweep:
    """Drives the pool through discovery and all workspaces; lives through all packages of a load."""

    def __init__(self, load: Load, client: Client, redactor: Redactor, limits: Limits, state: State) -> None:
        self._load = load
        self.redactor: Final = redactor
        self._limits = limits
        self._memory: dict[str, Any] = {**state}
        self.pool = Pool(client, load.clock, limits.threads, limits.window_rows)
        self._order = count()
        self._ready: list[tuple[int, int, Task]] = []
        self._outstanding = 0
        self._held: Rows | None = None
        self._failures = 0
        self._sweeps: dict[str, WorkspaceSweep] = {}
        self._listed: dict[str, str] = {}
        self._unlisted: dict[str, EmrServerlessError] = {}
        self._listing = len(limits.region_ids)
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
            self._load.tell()
            if package.is_batch_full:
                yield package.take_batch()
        self._save(state)
        yield package.take_batch()

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
            first = window.start_ms if window.start_ms is not None else self._load.horizon_ms
            heapq.heappush(self._ready, (first, next(self._order), task))

    def _take(self, message: Rows, package: Package) -> None:
        window = message.task.window
        report = self._load.report
        runs = package.fresh(window.workspace_id, message.records)
        if not runs:
            return
        origin = Origin(window.region_id, window.workspace_id, message.observed_at)
        package.add_runs(origin, runs)
        if observed := self._sweeps[window.workspace_id].take(runs):
            package.add_observations(origin, runs.at(observed))
        report.unknown_fields.update(runs.unknown_paths())
        report.rows += len(runs)

    def _settle(self, outcome: Outcome, package: Package) -> None:
        self._outstanding -= 1
        window, error = outcome.task.window, outcome.error
        if isinstance(error, FATAL_ERRORS):
            raise error
        if outcome.task.count_only:
            report = self._load.report
            report.expected_rows = (report.expected_rows or 0) + (outcome.total_count or 0)
        elif not outcome.parts:
            self._audit(outcome, package)
        if window.axis == "workspaces":
            self._listing -= 1
            if error:
                self._unlisted[window.region_id] = error
            if not self._listing:
                self._plan(package)
            return
        sweep = self._sweeps[window.workspace_id]
        if isinstance(error, DENIED_ERRORS):
            self._deny(sweep)
            return
        self._give_up_when_silent(outcome)
        if window.axis == "run" and (run_id := sweep.misses(outcome)):
            origin = Origin(window.region_id, window.workspace_id, self._load.clock())
            package.add_observations(origin, job_run_records([{"jobRunId": run_id}], window.workspace_id))
        tasks = sweep.settle(outcome)
        self._push([] if sweep.denied else tasks)

    def _audit(self, outcome: Outcome, package: Package) -> None:
        report = self._load.report
        listing = outcome.task.window.axis == "workspaces"
        if not listing:
            report.windows[str(outcome.status)] += 1
        if outcome.status != "complete" and not (listing and self._needs_no_list):
            report.incomplete.append(outcome)
            logger.warning("%s: %s%s", outcome.task.window, outcome.status, f": {outcome.error}" if outcome.error else "")
        package.add({"extraction_windows": windows_table(outcome, self._load.name, self._load.mode)})

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
            package.add({"workspaces": workspaces_table([(origin, message.records.at(fresh))])})

    @property
    def _needs_no_list(self) -> bool:
        """Whether names and region of the workspaces are given, so that the right to list them is not needed."""
        return bool(self._limits.workspace_ids) and len(self._limits.region_ids) == 1

    def _plan(self, package: Package) -> None:
        """Decide which workspaces to ask, once every region has been listed."""
        regions, named = self._limits.region_ids, self._limits.workspace_ids
        if self._needs_no_list and self._unlisted:
            wanted = dict.fromkeys(named, regions[0])
        elif len(self._unlisted) == len(regions):
            raise self._unlisted[regions[0]]
        else:
            wanted = {name: self._listed[name] for name in named or self._listed if name in self._listed}
        for workspace_id in named:
            if workspace_id not in wanted:
                self._report_unknown(workspace_id, package)
        self._load.report.workspaces = sorted(wanted)
        for workspace_id, region_id in wanted.items():
            sweep = WorkspaceSweep(region_id, workspace_id, self._ranges(workspace_id), self._open_runs(workspace_id))
            self._sweeps[workspace_id] = sweep
            self._push(sweep.first_tasks())

    def _report_unknown(self, workspace_id: str, package: Package) -> None:
        regions = ", ".join(self._limits.region_ids)
        outcome = Outcome(Task(Window(regions, workspace_id, "workspaces")), status="failed")
        outcome.started_at = outcome.finished_at = self._load.clock()
        outcome.error = FindWorkspaceError(f"Workspace {workspace_id} is not among those visible in {regions}")
        self._load.report.incomplete.append(outcome)
        package.add({"extraction_windows": windows_table(outcome, self._load.name, self._load.mode)})

    def _ranges(self, workspace_id: str) -> Ranges:
        horizon_ms, backfill = self._load.horizon_ms, self._load.backfill
        if backfill is None:
            memory = self._memory.get("workspaces", {}).get(workspace_id, {})
            initial_ms, lookback_ms = int(self._limits.initial_days * DAY_MS), int(self._limits.lookback_hours * HOUR_MS)
            return cursor_ranges(memory, horizon_ms, initial_ms, lookback_ms)
        first = epoch_ms(backfill.first)
        through = self._memory.get("backfills", {}).get(backfill.name, {}).get(workspace_id)
        if through is not None and not backfill.force:
            first = max(first, through + 1)
        return Ranges(start=(first, min(epoch_ms(backfill.after) - 1, horizon_ms)), end=None)

    def _open_runs(self, workspace_id: str) -> dict[str, int]:
        return dict(self._memory.get("workspaces", {}).get(workspace_id, {}).get("open", {}))

    def _save(self, state: State) -> None:
        """Write the cursors as far as they are certified, and the open runs, into dlt's state."""
        backfill = self._load.backfill
        # What is certified beyond the present was certified before it happened: a horizon may lie in the future.
        present_ms = epoch_ms(self._load.started_at - timedelta(seconds=HORIZON_LAG_SECONDS))
        for sweep in self._sweeps.values():
            memory = state.setdefault("workspaces", {}).setdefault(sweep.workspace_id, {})
            memory["open"] = dict(sweep.open_runs)
            if backfill:
                done = state.setdefault("backfills", {}).setdefault(backfill.name, {})
                done[sweep.workspace_id] = min(present_ms, sweep.through_ms("start"))
            else:
                for cursor, axis in CURSOR_AXES:
                    through_ms = min(present_ms, sweep.through_ms(axis))
                    memory[cursor] = max(memory.get(cursor, through_ms), through_ms)
