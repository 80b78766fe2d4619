"""For every interpretation of undocumented behaviour and every fault, the tables converge to the state of the API."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args, get_type_hints

import dlt
import hypothesis.strategies as st
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from emr_serverless import Backfill, EmrServerlessError, Load, emr_serverless, run
from emr_usage.emulator import DEFAULT_KEY, Clock, Emulator, Faults, Run, State, Variants
from oracle import actual_tables, expected_tables, query

REGIONS = {"w-1": "cn-hangzhou", "w-2": "cn-hangzhou", "w-3": "ap-southeast-1"}
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR_MS = 3_600_000
EXAMPLES = int(os.environ.get("CONVERGENCE_EXAMPLES", "5"))
# Every time of a history lies on few milliseconds, so that many runs share one and window edges are hit.
TICK_MS = 6 * HOUR_MS
HISTORY_TICKS = 40
FUTURE_TICKS = 40
FAULTS = dict.fromkeys(
    (
        *("throttle_400", "throttle_429_retry_after", "throttle_503", "error_500", "error_502_html", "error_200_html"),
        *("drop", "truncate", "garbage", "repeat_token", "empty_page_with_token", "expire_token", "nonce_used"),
    ),
    0.01,
)
# What absent filters may mean. Two at once may hide just the runs that would show either.
HIDDEN_DEFAULTS: tuple[dict[str, Any], ...] = (
    {"absent_is_workflow": "all", "absent_states": "all", "absent_min_duration_ms": 0, "absent_end_days": None},
    {"absent_is_workflow": "false"},
    {"absent_states": "not_cancelled"},
    {"absent_min_duration_ms": 60_000},
    {"absent_end_days": 4},
)
KEYS = {
    "job_runs": "workspace_id, job_run_id",
    "job_run_tags": "workspace_id, job_run_id, tag_index",
    "job_run_observations": "workspace_id, job_run_id, observed_at",
    "workspaces": "workspace_id",
    "extraction_windows": "load, window_id",
}


def variants() -> st.SearchStrategy[Variants]:
    """Every reading of everything the documents leave open, but for those that lose data for good.

    A cancelled run that never started, and is not found without `startTime` either, is one.
    """
    hints = get_type_hints(Variants)
    choices: dict[str, st.SearchStrategy[Any]] = {
        name: st.sampled_from(get_args(hint))
        for name, hint in hints.items()
        if get_args(hint) and type(None) not in get_args(hint)
    }
    booleans = {name: st.booleans() for name, hint in hints.items() if hint is bool}
    drawn = st.builds(
        Variants,
        **(choices | {name: st.just("all") for name in ("absent_is_workflow", "absent_states")}),
        **booleans,
        token_uses=st.integers(12, 15),
        # No API limits a listing to less than a page.
        total_count_limit=st.sampled_from([None, None, 5, 7]),
        row_limit=st.sampled_from([None, None, 5, 7]),
        absent_start_days=st.sampled_from([None, 4]),
        figures_delay_hours=st.sampled_from([0, 60]),
    )
    with_defaults = st.builds(lambda each, defaults: replace(each, **defaults), drawn, st.sampled_from(HIDDEN_DEFAULTS))
    return with_defaults.filter(
        lambda each: (
            (each.start_filter == "submit" or (each.absent_start_days is None and each.row_limit is None))
            # Limited counts show nothing of what is hidden, and such short histories have no limits of real APIs.
            and (each.total_count_limit is None or each == replace(each, **HIDDEN_DEFAULTS[0]))
        )
    )


@st.composite
def runs(draw: st.DrawFn, number: int, readings: Variants) -> Run:
    """One run: queued for hours, cancelled in the queue, quick, or running for weeks.

    Its state may be one that nobody knows, unless only the known ones are found by asking for all.
    """
    knows_all = readings.absent_states == "all" and not readings.absent_min_duration_ms
    submit_ms = int(BEGIN.timestamp() * 1000) + draw(st.integers(-HISTORY_TICKS, FUTURE_TICKS)) * TICK_MS + number % 7
    queued_ms = draw(st.sampled_from([0, 1, 60_000, TICK_MS]))
    start_ms: int | None = submit_ms + queued_ms
    end_ms: int | None = (
        submit_ms + queued_ms + draw(st.sampled_from([0, 1, 1_000, HOUR_MS, TICK_MS, 24 * HOUR_MS, 400 * HOUR_MS]))
    )
    fate = draw(st.sampled_from(["ends", "ends", "ends", "never ends", "never starts"]))
    if fate == "never ends":
        end_ms = None
    if fate == "never starts":
        start_ms = None
    return Run(
        workspace_id=draw(st.sampled_from(sorted(REGIONS))),
        job_run_id=f"jr-{number:05}",
        submit_ms=submit_ms,
        pending_ms=draw(st.sampled_from([None, submit_ms])),
        start_ms=start_ms,
        end_ms=end_ms,
        final_state=draw(
            st.sampled_from(["Success", "Failed", "Cancelled", "CancelFailed", "Evaporated" if knows_all else "Failed"])
        ),
        fields={
            "name": draw(st.sampled_from(["etl", "夜间 ETL", "", 'quote " and \\'])),
            "tags": draw(tags()),
            "newField": draw(st.sampled_from([None, 7, {"deep": [1, "x"]}])),
            "jobDriver": draw(
                st.sampled_from([None, {"sparkSubmit": {"entryPoint": "oss://b/x.py", "entryPointArguments": ["a", "b"]}}])
            ),
            "configurationOverrides": draw(
                st.sampled_from(
                    [None, {"configurations": [{"configFileName": "f", "configItemKey": "spark.a", "configItemValue": "1"}]}]
                )
            ),
        },
        hidden=frozenset(draw(st.sets(st.sampled_from(["name", "priority", "newField", "stateChangeReason", "log"])))),
        settle_ms=draw(st.sampled_from([0, 300_000])),
        is_workflow=draw(st.sampled_from([False, False, True])),
        running_state=draw(st.sampled_from(["Running", "Running", "Hibernating" if knows_all else "Running"])),
    )


def tags() -> st.SearchStrategy[list[dict[str, str]] | None]:
    """Return none, an empty list, or up to three tags."""
    one = st.fixed_dictionaries({"key": st.sampled_from(["team", "Team", "环境"]), "value": st.sampled_from(["a", "b", ""])})
    return st.none() | st.lists(one, max_size=3)


class Convergence(RuleBasedStateMachine):
    """A moving world, loads and backfills at any time, faults; the promises hold after each load without faults."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = Path(self.folder.name) / "emr.duckdb"
        self.numbers = iter(range(100_000))
        self.converged = False

    @initialize(
        data=st.data(),
        readings=variants(),
        page_limit=st.integers(2, 4),
        limits=st.fixed_dictionaries({
            "window_rows": st.sampled_from([1, 2, 7, 1000]),
            "package_rows": st.sampled_from([8, 1000, 1000]),
            "max_connections": st.sampled_from([1, 4]),
        }),
    )  # fmt: skip
    def begin(self, data: st.DataObject, readings: Variants, page_limit: int, limits: dict[str, Any]) -> None:
        self.clock = Clock(int(BEGIN.timestamp() * 1000))
        state = State()
        for workspace_id, region_id in REGIONS.items():
            state.add_workspace(workspace_id, region_id)
        self.emulator = Emulator(state, self.clock, variants=readings, page_limit=page_limit).start()
        # An expiring token counts all requests for its workspace: with others at the same time nothing is sure to end.
        self.settings = limits | ({"max_connections": 1} if readings.tokens == "expiring" else {})
        self.submit(data, 40)

    def submit(self, data: st.DataObject, most: int) -> None:
        for _ in range(data.draw(st.integers(0, most))):
            self.emulator.state.add(data.draw(runs(next(self.numbers), self.emulator.variants)))

    @rule(data=st.data())
    def more_runs(self, data: st.DataObject) -> None:
        """Submit some in the future, and some so late that the API shows them only now."""
        before = self.clock.now_ms()
        for _ in range(data.draw(st.integers(1, 8))):
            run = data.draw(runs(next(self.numbers), self.emulator.variants))
            if run.submit_ms > before:
                self.emulator.state.add(run)

    @rule(step=st.sampled_from([1, 60_000, TICK_MS, 24 * HOUR_MS, 72 * HOUR_MS]))
    def time_passes(self, step: int) -> None:
        self.clock.move_to(self.clock.now_ms() + step)
        self.converged = False

    @rule(data=st.data())
    def open_runs_change(self, data: st.DataObject) -> None:
        """A run that has not ended loses, gains or changes its tags."""
        now_ms = self.clock.now_ms()
        living = [
            run
            for workspace_id in REGIONS
            for run in self.emulator.state.runs(workspace_id)
            if run.submit_ms <= now_ms and not run.ended_by(now_ms)
        ]
        if living:
            run = data.draw(st.sampled_from(living))
            self.emulator.state.retag(run.workspace_id, run.job_run_id, data.draw(tags()))
            self.converged = False

    @rule(seed=st.integers(0, 1000), moving=st.booleans())
    def a_bad_night(self, seed: int, moving: bool) -> None:  # noqa: FBT001  # hypothesis passes it by name
        """Load while requests fail in every way and, perhaps, while time passes."""
        self.emulator.faults = Faults(seed=seed, rates=FAULTS, retry_after_ms=1, retry_after_seconds=0)
        self.load(lambda _: self.clock.move_to(self.clock.now_ms() + 60_000 * moving), may_fail=True)
        self.emulator.faults = Faults()
        self.converged = False

    @rule(first=st.integers(-HISTORY_TICKS, FUTURE_TICKS), ticks=st.integers(1, 20), force=st.booleans())
    def backfill(self, first: int, ticks: int, force: bool) -> None:  # noqa: FBT001  # hypothesis passes it by name
        begin, after = (BEGIN + timedelta(milliseconds=tick * TICK_MS) for tick in (first, first + ticks))
        # A backfill of the future is refused.
        self.load(lambda _: None, Backfill(min(begin, self.clock.now()), after, force))

    @rule()
    def a_good_night(self) -> None:
        load = self.load(lambda _: None)
        assert load
        # More open runs than one answer holds are said to be missing there; each is found by its start or by its id.
        limited = self.emulator.variants.row_limit is not None
        assert not [each for each in load.stats.incomplete if not (limited and each.task.window.axis == "open")]
        self.converged = True

    def load(
        self, on_progress: Callable[[Load], None], backfill: Backfill | None = None, *, may_fail: bool = False
    ) -> Load | None:
        pipeline = dlt.pipeline(
            "convergence",
            destination=dlt.destinations.duckdb(str(self.database)),
            dataset_name="emr_raw",
            pipelines_dir=f"{self.folder.name}/pipelines",
        )
        key = {"access_key_id": DEFAULT_KEY.id, "access_key_secret": DEFAULT_KEY.secret}
        source = emr_serverless(
            credentials=key,  # type: ignore[arg-type]  # dlt turns a dict into the configuration
            region_ids=["cn-hangzhou", "ap-southeast-1"],
            endpoint=self.emulator.url,
            initial_days=30,
            lookback_hours=24,
            as_of=self.clock.now(),
            backfill=backfill,
            **self.settings,
        )
        loads: list[Load] = []

        def note(load: Load) -> None:
            loads[:] = [load]
            on_progress(load)

        try:
            run(pipeline, source, on_progress=note)
        except PipelineStepFailed as error:
            if not may_fail or not any(isinstance(cause, EmrServerlessError) for cause in causes(error)):
                raise
        if not loads:
            return None
        self.nothing_is_certified_wrongly(loads[0])
        return loads[0]

    def nothing_is_certified_wrongly(self, load: Load) -> None:
        """Every run that existed in a certified window is in the table."""
        if not table_exists(self.database, "job_runs"):
            return
        landed = set(query(self.database, "SELECT workspace_id, job_run_id FROM emr_raw.job_runs"))
        windows = query(
            self.database,
            f"""SELECT workspace_id, axis, epoch_ms(window_start), epoch_ms(window_end) FROM emr_raw.extraction_windows
            WHERE load = '{load.options.name}' AND status = 'complete' AND axis IN ('start', 'end')""",
        )
        by_actual_start = self.emulator.variants.start_filter == "actual_start"
        for workspace_id, axis, first_ms, last_ms in windows:
            for each in self.emulator.state.runs(workspace_id):
                started_ms = each.start_ms if by_actual_start else each.submit_ms
                moment_ms = started_ms if axis == "start" else each.end_ms
                if moment_ms is not None and first_ms <= moment_ms <= last_ms:
                    assert (workspace_id, each.job_run_id) in landed, (axis, first_ms, last_ms, asdict(each))

    @invariant()
    @precondition(lambda self: self.converged and self.database.exists())
    def tables_equal_the_truth(self) -> None:
        assert self.emulator.failures == []
        actual = actual_tables(self.database)
        for name, rows in expected_tables(self.emulator, REGIONS).items():
            assert actual[name] == rows, name

    @invariant()
    @precondition(lambda self: self.database.exists())
    def nothing_is_doubled(self) -> None:
        for name, key in KEYS.items():
            if table_exists(self.database, name):
                doubled = query(self.database, f"SELECT {key}, count(*) FROM emr_raw.{name} GROUP BY ALL HAVING count(*) > 1")
                assert doubled == [], name

    def teardown(self) -> None:
        try:
            if hasattr(self, "emulator"):
                self.a_good_night()
                self.tables_equal_the_truth()
        finally:
            if hasattr(self, "emulator"):
                self.emulator.stop()
            self.folder.cleanup()


def causes(error: BaseException | None) -> list[BaseException]:
    """Return an exception and what it was raised from."""
    found: list[BaseException] = []
    while error is not None:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def table_exists(database: Path, name: str) -> bool:
    """Tell whether a load has made a table yet; the first one that is committed makes all."""
    return database.exists() and bool(
        query(database, f"FROM duckdb_tables() WHERE schema_name = 'emr_raw' AND table_name = '{name}'")
    )


# A guard against hanging, far above what fifteen examples take.
@pytest.mark.timeout(1200)
def test_tables_converge_to_the_state_of_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emr_serverless.api.retry.BACKOFF_BASE_SECONDS", 0.0001)
    # A load takes a good part of a second, so failures are reported as found, not shrunk.
    phases = (Phase.explicit, Phase.reuse, Phase.generate)
    run_state_machine_as_test(Convergence, settings=settings(max_examples=EXAMPLES, stateful_step_count=6, phases=phases))
