"""Defaults that the API applies to missing filters are detected by counts, and their runs are requested."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emr_serverless import Backfill
from emr_serverless.sync.hidden_defaults import ANY_STATE, OF_NO_WORKFLOW, OF_WORKFLOW, STILL_OPEN, HiddenDefaults
from emr_usage.emulator import Clock, Emulator, Run, State, Variants
from oracle import query
from plain_load import run

# The emulator's clock moves a day ahead, and nothing later than the real one is loaded.
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
NOW_MS = int(NOW.timestamp() * 1000)
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000


def life(number: int, submit_ms: int, length_ms: int | None, *, is_workflow: bool = False, state: str = "Success") -> Run:
    return Run(
        "w-1",
        f"jr-{number:03}",
        submit_ms,
        start_ms=submit_ms,
        end_ms=None if length_ms is None else submit_ms + length_ms,
        is_workflow=is_workflow,
        final_state=state,
        settle_ms=0,
    )


@pytest.fixture(params=[10, 100], ids=["by time range", "whole"])
def emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """A workspace with workflows, cancelled and short runs, an old stream that has just ended and one that has not.

    Pages have room for a part of it, or for all.
    """
    state = State()
    state.add_workspace("w-1", "cn-hangzhou")
    state.add(
        *(life(n, NOW_MS - n * HOUR_MS, MINUTE_MS, is_workflow=n % 4 == 1) for n in range(1, 40)),
        *(life(n, NOW_MS - n * HOUR_MS, 1_000, state="Cancelled") for n in range(40, 60)),
        life(100, NOW_MS - 40 * DAY_MS, 40 * DAY_MS - HOUR_MS),
        life(101, NOW_MS - 50 * DAY_MS, 50 * DAY_MS - 2 * HOUR_MS, is_workflow=True),
        life(102, NOW_MS - 45 * DAY_MS, None),
        life(103, NOW_MS - 45 * DAY_MS, None, is_workflow=True),
    )
    with Emulator(state, Clock(NOW_MS), page_limit=request.param) as running:
        yield running


READINGS = {
    "isWorkflow": Variants(absent_is_workflow="false"),
    "startTime": Variants(absent_start_days=7),
    "isWorkflow, startTime": Variants(absent_is_workflow="false", absent_start_days=7),
    "states or minDuration": Variants(absent_states="not_cancelled"),
    "states or minDuration, again": Variants(absent_min_duration_ms=30_000),
    "": Variants(),
}


@pytest.mark.parametrize("name", READINGS)
def test_no_run_is_missed_and_the_ignored_parameter_is_reported(emulator: Emulator, tmp_path: Path, name: str) -> None:
    emulator.variants = READINGS[name]
    load = run(emulator, tmp_path, NOW)
    database = tmp_path / "emr.duckdb"
    assert load.stats.incomplete == []
    assert query(database, "SELECT count(*) FROM emr_raw.job_runs") == [(63,)]
    found = ", ".join(load.stats.hidden_defaults.get("w-1", []))
    assert found == name.removesuffix(", again")
    filtered = query(database, "SELECT count(*) FROM emr_raw.extraction_windows WHERE axis = 'start_filtered'")
    assert (filtered > [(0,)]) == (name not in {"", "startTime"})


@pytest.mark.parametrize("name", READINGS)
def test_later_loads_find_changed_and_new_runs(emulator: Emulator, tmp_path: Path, name: str) -> None:
    emulator.variants = READINGS[name]
    run(emulator, tmp_path, NOW)
    emulator.state.change("w-1", "jr-102", end_ms=NOW_MS + HOUR_MS)
    emulator.state.change("w-1", "jr-103", end_ms=NOW_MS + 2 * HOUR_MS)
    emulator.clock.move_to(NOW_MS + DAY_MS)
    emulator.state.add(life(200, NOW_MS + HOUR_MS, MINUTE_MS, is_workflow=True))
    run(emulator, tmp_path, emulator.clock.now())
    states = query(tmp_path / "emr.duckdb", "SELECT state FROM emr_raw.job_runs WHERE job_run_id >= 'jr-102' ORDER BY job_run_id")
    assert states == [("Success",), ("Success",), ("Success",)]


@pytest.mark.parametrize("living", [0, 1, 30, 60])
def test_open_runs_do_not_replace_runs_that_a_default_hides(emulator: Emulator, tmp_path: Path, living: int) -> None:
    """A count without `endTime` that leaves out 20 old runs is that of those with one, where 20 others are open."""
    emulator.variants = Variants(absent_end_days=4)
    emulator.state.add(*(life(n, NOW_MS - 8 * DAY_MS + n, MINUTE_MS) for n in range(200, 220)))
    emulator.state.add(*(life(n, NOW_MS - 7 * DAY_MS + n, None) for n in range(300, 300 + living)))
    load = run(emulator, tmp_path, NOW, initial_days=30)
    assert load.stats.incomplete == []
    assert query(tmp_path / "emr.duckdb", "SELECT count(*) FROM emr_raw.job_runs") == [(83 + living,)]
    assert load.stats.hidden_defaults == {"w-1": ["endTime"]}


@pytest.mark.parametrize(
    ("variants", "names"),
    [
        (Variants(absent_end_days=4), ["endTime"]),
        (Variants(absent_states="not_cancelled"), ["states or minDuration"]),
    ],
)
@pytest.mark.parametrize("ends", [True, False])
def test_runs_in_undocumented_states_do_not_replace_runs_that_a_default_hides(
    emulator: Emulator, tmp_path: Path, variants: Variants, names: list[str], *, ends: bool
) -> None:
    """No count by states has them, so that as many hidden runs leave the counts equal."""
    emulator.variants = variants
    for number in range(40, 60):
        emulator.state.change("w-1", f"jr-{number:03}", final_state="Success")
    strange = [life(n, NOW_MS - 2 * DAY_MS + n, MINUTE_MS if ends else None, state="Evaporated") for n in range(300, 310)]
    emulator.state.add(*(replace(each, running_state="Hibernating") for each in strange))
    emulator.state.add(*(life(n, NOW_MS - 8 * DAY_MS + n, MINUTE_MS, state="Cancelled") for n in range(200, 210)))
    load = run(emulator, tmp_path, NOW, initial_days=30)
    assert load.stats.incomplete == []
    assert query(tmp_path / "emr.duckdb", "SELECT count(*) FROM emr_raw.job_runs") == [(83,)]
    assert load.stats.hidden_defaults.get("w-1", []) == names


def test_a_backfill_requests_end_times_with_and_without_a_start_filter() -> None:
    survey = HiddenDefaults(0, 10 * DAY_MS)
    (ended,) = [filters for filters in survey.probes("start") if filters[0][0] == "endTime"]
    for filters, count in {(): 5, OF_WORKFLOW: 1, OF_NO_WORKFLOW: 4, ANY_STATE: 5, ended: 4, STILL_OPEN: 2}.items():
        survey.take("start", filters, count)
    assert survey.found() == {"endTime"}
    assert survey.ways("start") == [ended]
    assert survey.ways("end") == []


def test_equal_counts_need_no_further_requests() -> None:
    survey = HiddenDefaults(0, 1)
    for filters, count in {OF_WORKFLOW: 1, ANY_STATE: 5, OF_NO_WORKFLOW: 4, (): 5}.items():
        survey.take("start", filters, count)
    assert (survey.found(), survey.ways("start"), survey.to_remember()) == (set(), [], set())


def test_runs_outside_workflows_are_counted_only_if_a_workflow_run_exists() -> None:
    survey = HiddenDefaults(0, 1)
    survey.take("start", OF_WORKFLOW, 0)
    survey.take("end", OF_WORKFLOW, 1)
    assert (survey.further_probes("start"), survey.further_probes("end")) == ([], [OF_NO_WORKFLOW])


def test_defaults_found_by_a_possibly_limited_count_are_not_remembered() -> None:
    survey = HiddenDefaults(0, 1)
    for filters, count in {(): 1_000, OF_WORKFLOW: 3, OF_NO_WORKFLOW: 1_000, ANY_STATE: 1_000}.items():
        survey.take("start", filters, count)
    assert survey.ways("start") == [OF_WORKFLOW]
    assert survey.to_remember() == set()


def test_a_short_backfill_of_an_old_range_is_beyond_every_default_range() -> None:
    """What an absent `endTime` reaches is counted from the present, not from the end of the range."""
    survey = HiddenDefaults(0, 30 * DAY_MS)
    assert STILL_OPEN in survey.probes("start")
    assert STILL_OPEN not in HiddenDefaults(29 * DAY_MS, 30 * DAY_MS).probes("start")


def test_a_backfill_of_one_day_finds_runs_hidden_by_an_absent_end_time(emulator: Emulator, tmp_path: Path) -> None:
    emulator.variants = Variants(absent_end_days=4)
    emulator.state.add(*(life(n, NOW_MS - 10 * DAY_MS + n, MINUTE_MS) for n in range(200, 220)))
    day = Backfill(NOW - timedelta(days=10), NOW - timedelta(days=9))
    assert run(emulator, tmp_path, NOW, backfill=day).stats.incomplete == []
    assert query(tmp_path / "emr.duckdb", "SELECT count(*) FROM emr_raw.job_runs WHERE job_run_id >= 'jr-200'") == [(20,)]
