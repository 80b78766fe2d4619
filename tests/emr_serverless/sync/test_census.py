"""A small workspace is certified by one page of each listing even if runs change in between, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documented import job_run_records
from emr_serverless.sync.census import Census
from emr_serverless.sync.tasks import Task, WindowResult
from emr_usage.emulator import Clock, Emulator, Faults, Run, State, Variants
from emr_usage.emulator.filters import parse_filter
from oracle import query
from plain_load import run

# The emulator's clock moves a day ahead, and nothing later than the real one is loaded.
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
NOW_MS = int(NOW.timestamp() * 1000)
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
READINGS: tuple[dict[str, Any], ...] = (
    {},
    {"absent_is_workflow": "false"},
    {"absent_states": "not_cancelled"},
    {"absent_min_duration_ms": 2 * HOUR_MS},
    {"absent_end_days": 4},
    {"absent_is_workflow": "false", "absent_end_days": 4},
)


def life(number: int, submit_ms: int, length_ms: int | None, **fields: Any) -> Run:
    end_ms = None if length_ms is None else submit_ms + length_ms
    return Run("w-1", f"jr-{number:03}", submit_ms, start_ms=submit_ms, end_ms=end_ms, settle_ms=0, **fields)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An account with one workspace: a few runs that are over, one of a workflow, and one that is open."""
    state = State()
    state.add_workspace("w-1", "cn-hangzhou")
    state.add(*(life(number, NOW_MS - number * 3 * HOUR_MS, HOUR_MS) for number in range(1, 10)))
    state.add(life(20, NOW_MS - 5 * HOUR_MS, HOUR_MS, is_workflow=True), life(21, NOW_MS - 4 * HOUR_MS, None))
    with Emulator(state, Clock(NOW_MS), page_limit=100) as running:
        yield running


def listings(emulator: Emulator) -> int:
    """Return how many requests asked for job runs."""
    return sum(record.operation == "ListJobRuns" for record in emulator.requests)


def certified(database: Path) -> list[Any]:
    sql = """SELECT axis, certified_by, epoch_ms(window_end) FROM emr_raw.extraction_windows
    WHERE axis IN ('start', 'end') AND status = 'complete' ORDER BY load, axis DESC"""
    return query(database, sql)


def test_a_small_workspace_takes_eight_requests_at_first_and_five_per_nightly_load(emulator: Emulator, tmp_path: Path) -> None:
    stats = run(emulator, tmp_path, NOW, initial_days=30).stats
    assert (stats.rows, stats.requests) == (11, len(emulator.requests))
    assert listings(emulator) == 8
    emulator.requests.clear()
    emulator.state.add(life(30, NOW_MS + HOUR_MS, HOUR_MS))
    emulator.clock.move_to(NOW_MS + DAY_MS)
    run(emulator, tmp_path, emulator.clock.now(), lookback_hours=1)
    assert listings(emulator) == 5
    ends = [NOW_MS, NOW_MS, NOW_MS + DAY_MS, NOW_MS + DAY_MS]
    assert certified(tmp_path / "emr.duckdb") == [(("start", "end")[n % 2], "pages", end) for n, end in enumerate(ends)]
    assert query(tmp_path / "emr.duckdb", "SELECT count(*) FROM emr_raw.job_runs") == [(12,)]


def test_unchanged_data_is_not_loaded_again_at_night(emulator: Emulator, tmp_path: Path) -> None:
    run(emulator, tmp_path, NOW, initial_days=30)
    emulator.clock.move_to(NOW_MS + DAY_MS)
    load = run(emulator, tmp_path, emulator.clock.now(), lookback_hours=1)
    # The open run; those of the day before have not changed.
    assert load.stats.rows == 1


def test_runs_before_the_first_load_are_left_out(emulator: Emulator, tmp_path: Path) -> None:
    emulator.state.add(life(40, NOW_MS - 20 * DAY_MS, HOUR_MS), life(41, NOW_MS - 20 * DAY_MS, None))
    run(emulator, tmp_path, NOW, initial_days=10)
    old = query(tmp_path / "emr.duckdb", "SELECT job_run_id FROM emr_raw.job_runs WHERE job_run_id >= 'jr-040'")
    assert old == [("jr-041",)]


@pytest.mark.parametrize(("reading", "page_limit"), [(Variants(total_count_excess=1), 100), (Variants(), 10)])
def test_open_runs_on_more_than_one_page_are_read_by_time_range(
    emulator: Emulator, tmp_path: Path, reading: Variants, page_limit: int
) -> None:
    emulator.page_limit = page_limit
    emulator.variants = reading
    run(emulator, tmp_path, NOW)
    assert query(tmp_path / "emr.duckdb", "SELECT count(*) FROM emr_raw.job_runs") == [(11,)]
    assert query(tmp_path / "emr.duckdb", "SELECT count(*) FROM emr_raw.extraction_windows WHERE axis = 'count'") > [(0,)]


def test_runs_hidden_by_two_defaults_together_are_found(emulator: Emulator, tmp_path: Path) -> None:
    """No listing of the census has the cancelled run of a workflow."""
    emulator.state.add(
        life(60, NOW_MS - 2 * DAY_MS, HOUR_MS, final_state="Cancelled"),
        life(61, NOW_MS - 2 * DAY_MS, HOUR_MS, final_state="Cancelled", is_workflow=True),
    )
    emulator.variants = Variants(absent_is_workflow="false", absent_states="not_cancelled")
    load = run(emulator, tmp_path, NOW)
    assert load.stats.hidden_defaults == {"w-1": ["isWorkflow", "states or minDuration"]}
    assert query(tmp_path / "emr.duckdb", "SELECT count(*) FROM emr_raw.job_runs") == [(13,)]


def test_a_first_load_of_one_day_finds_a_long_run_hidden_by_two_defaults(emulator: Emulator, tmp_path: Path) -> None:
    emulator.state.add(life(70, NOW_MS - 5 * DAY_MS, 5 * DAY_MS, final_state="Cancelled"))
    emulator.variants = Variants(absent_start_days=4, absent_states="not_cancelled")
    run(emulator, tmp_path, NOW, initial_days=1)
    assert query(tmp_path / "emr.duckdb", "SELECT count(*) FROM emr_raw.job_runs WHERE job_run_id = 'jr-070'") == [(1,)]


class Meanwhile(Faults):
    """Has something happen right before one of the requests is answered."""

    def __init__(self, nth: int, happen: Callable[[], object]) -> None:
        super().__init__()
        self._left = nth
        self._happen = happen

    def take(self, request_key: str) -> str | None:
        """Count a request."""
        self._left -= 1
        if self._left == 0:
            self._happen()
        return super().take(request_key)


@pytest.mark.parametrize("nth", range(2, 10))
@pytest.mark.parametrize("event", ["a run appears", "a run ends", "a workflow appears"])
def test_changes_between_two_listings_do_not_affect_the_census(emulator: Emulator, tmp_path: Path, nth: int, event: str) -> None:
    """The first request lists the workspaces, and eight the runs."""
    later = NOW_MS + HOUR_MS
    happen: dict[str, Callable[[], object]] = {
        "a run appears": lambda: emulator.state.add(life(50, later, None)),
        "a workflow appears": lambda: emulator.state.add(life(50, later, None, is_workflow=True)),
        "a run ends": lambda: emulator.state.change("w-1", "jr-021", end_ms=later),
    }

    def pass_time() -> None:
        happen[event]()
        emulator.clock.move_to(later)

    emulator.faults = Meanwhile(nth, pass_time)
    load = run(emulator, tmp_path, NOW, initial_days=30, max_connections=1)
    assert (load.stats.incomplete, load.stats.hidden_defaults, listings(emulator)) == ([], {}, 8)
    emulator.faults = Faults()
    emulator.clock.move_to(NOW_MS + DAY_MS)
    run(emulator, tmp_path, emulator.clock.now())
    rows = query(tmp_path / "emr.duckdb", "SELECT job_run_id, state FROM emr_raw.job_runs ORDER BY job_run_id")
    expected = [(each.job_run_id, each.state_at(NOW_MS + DAY_MS)) for each in emulator.state.runs("w-1")]
    assert rows == sorted(expected)


@st.composite
def histories(draw: st.DrawFn) -> tuple[Variants, list[Run]]:
    """Return a reading of the API and up to three runs: with more, some run that a default hides is likely to show it.

    States are unknown only where the known ones are not all that is found.
    """
    reading = draw(st.sampled_from(READINGS))
    start_filter: Literal["submit", "actual_start"] = draw(st.sampled_from(["submit", "actual_start"]))
    # Of three defaults at once nothing is promised, nor of a run that never starts where an absent `startTime` hides it.
    has_reach = start_filter == "submit" and len(reading) < 2
    start_days = draw(st.sampled_from([None, 4])) if has_reach else None
    variants = Variants(start_filter=start_filter, absent_start_days=start_days, **reading)
    knows_all = "absent_states" in reading or "absent_min_duration_ms" in reading
    states = ["Success", "Cancelled", "Failed", *([] if knows_all else ["Evaporated"])]
    runs = []
    for number in range(draw(st.integers(0, 3))):
        submit_ms = NOW_MS - draw(st.integers(-2, 8) | st.integers(0, 60)) * 6 * HOUR_MS
        queued_ms, length_ms = (draw(st.sampled_from([0, 1, HOUR_MS, 2 * DAY_MS, 5 * DAY_MS, 9 * DAY_MS])) for _ in range(2))
        fate = draw(st.sampled_from(["ends", "ends", "never ends", "never starts"]))
        start_ms = None if fate == "never starts" else submit_ms + queued_ms
        end_ms = None if fate == "never ends" else submit_ms + queued_ms + length_ms
        state, is_workflow = draw(st.sampled_from(states)), draw(st.booleans())
        runs.append(
            Run("w-1", f"jr-{number}", submit_ms, start_ms=start_ms, end_ms=end_ms, final_state=state, is_workflow=is_workflow)
        )
    return variants, runs


@settings(max_examples=1_000)
@given(
    histories(),
    st.sampled_from([1, 2, 10]),
    st.sampled_from([1, 2, 10]),
    st.lists(st.integers(0, 3), min_size=8, max_size=8),
    st.booleans(),
)
def test_every_certified_range_was_listed(
    history: tuple[Variants, list[Run]],
    start_days: int,
    end_days: int,
    steps: list[int],
    is_first: bool,  # noqa: FBT001  # drawn
) -> None:
    """Listings are hours apart, and each run of both ranges, and each open one of a known state, is among the runs to load.

    A night may leave out a run that began before its ranges: the loads before know it as open, and ask for it by its id.
    """
    variants, runs = history
    state = State()
    state.add_workspace("w-1", "cn-hangzhou")
    state.add(*runs)
    start, end = (NOW_MS - start_days * DAY_MS, NOW_MS), (NOW_MS - end_days * DAY_MS, NOW_MS)
    census = Census("cn-hangzhou", "w-1", start, end, is_first=is_first)
    waiting, now_ms = [census.first_task()], NOW_MS + 60_000
    loaded: set[str] = set()
    for step in steps:
        if not waiting:
            break
        task = waiting.pop()
        now_ms += step * HOUR_MS
        waiting += census.settle(list_runs(census, state, task, now_ms, variants, loaded))
    assert census.is_over
    if not census.certificates:
        # Only what a default hides is a reason.
        assert variants != Variants(start_filter=variants.start_filter) or any(each.final_state == "Evaporated" for each in runs)
        return
    for each in runs:
        started_ms = each.submit_ms if variants.start_filter == "submit" else each.start_ms
        is_started = started_ms is not None and start[0] <= started_ms <= NOW_MS
        is_ended = each.end_ms is not None and end[0] <= each.end_ms <= NOW_MS
        is_known = not is_first and started_ms is not None and started_ms < min(start[0], end[0])
        if is_started or (is_ended and not is_known):
            assert each.job_run_id in loaded


def list_runs(census: Census, state: State, task: Task, now_ms: int, variants: Variants, loaded: set[str]) -> WindowResult:
    """Answer one listing, and add the runs to load to those of the others."""
    asked = {name: value if isinstance(value, str) else json.dumps(value) for name, value in task.window.asked.items()}
    found = state.select("w-1", parse_filter(asked), now_ms, variants)
    rows = orjson.loads(orjson.dumps([state.rendered(each, now_ms, variants) for each in found]))
    page = job_run_records(rows, "w-1")
    loaded.update(page.at(census.take(page, task.window, [])).column("jobRunId"))
    return WindowResult(task, status="complete", total_count=len(rows))
