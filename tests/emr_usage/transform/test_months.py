"""Runs without a figure are listed in each month they ran in; months are final or provisional."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from emr_usage.pipeline import open_pipeline
from emr_usage.report import Month, headline, write_page, write_tables
from mart_cases import window
from mart_fixtures import READ_AT, Row, billing, built_mart_db, job_run, seen

SEPTEMBER, OCTOBER, NOVEMBER = (date(2026, month, 1) for month in (9, 10, 11))
WHOLE = [window("2026-08-31 16:00", "2026-11-20 02:00", axis=axis, finished_at=READ_AT) for axis in ("start", "end")]
ENDED = job_run("ended", billing("2026-10-05 00:00"), billing("2026-10-05 01:00"), 2)


def statuses(folder: Path, *runs: Row, **tables: list[Row]) -> dict[date, tuple[object, ...]]:
    mart_db = built_mart_db(folder, job_runs=[ENDED, *runs], **({"extraction_windows": WHOLE} | tables))
    columns = "month_status, open_runs, open_runs_without_usage, ended_runs_awaited, ended_runs_without_usage"
    return {row[0]: row[1:] for row in mart_db.ask(f"SELECT billing_month, {columns} FROM billing_months")}


def test_an_open_run_without_a_figure_is_listed_in_each_month_it_ran_in(tmp_path: Path) -> None:
    run = job_run("stream", billing("2026-09-20 00:00"), None, None)
    mart_db = built_mart_db(tmp_path, job_runs=[ENDED, run], extraction_windows=WHOLE)
    listed = "SELECT billing_month, job_run_id, owner, is_final, is_awaited FROM job_runs_without_usage ORDER BY 1"
    assert mart_db.ask(listed) == [(month, "stream", "unallocated", False, True) for month in (SEPTEMBER, OCTOBER, NOVEMBER)]
    status = "SELECT billing_month, month_status, open_runs_without_usage, open_runs FROM billing_months ORDER BY 1"
    assert mart_db.ask(status) == [
        (SEPTEMBER, "provisional", 1, 0),
        (OCTOBER, "provisional", 1, 0),
        (NOVEMBER, "provisional", 1, 1),
    ]
    assert mart_db.ask("SELECT billing_month, month_status FROM chargeback_monthly") == [(OCTOBER, "provisional")]
    path, figures = write_page(open_pipeline(mart_db.target), Month(SEPTEMBER), tmp_path, READ_AT)
    assert headline(figures) == "September 2026 (provisional): 0.00 CU-hours; missing: figures of 1 open run"
    page = path.read_text(encoding="utf-8")
    assert "1 runs of the month have no figure of CU-hours" in page
    assert "<code>stream</code>" in page
    (_, monthly) = write_tables(open_pipeline(mart_db.target), Month(OCTOBER), tmp_path, "csv")
    assert "provisional" in monthly.read_text(encoding="utf-8")


def test_a_month_of_ended_runs_that_is_certified_is_final(tmp_path: Path) -> None:
    assert statuses(tmp_path) == {OCTOBER: ("final", 0, 0, 0, 0)}


def test_an_open_run_observed_after_the_month_does_not_make_it_provisional(tmp_path: Path) -> None:
    run = job_run("stream", billing("2026-10-20 00:00"), None, 5)
    assert statuses(tmp_path, run) == {OCTOBER: ("final", 0, 0, 0, 0), NOVEMBER: ("provisional", 1, 0, 0, 0)}


def test_an_open_run_last_observed_in_the_month_makes_it_provisional(tmp_path: Path) -> None:
    run = job_run("stream", billing("2026-10-20 00:00"), None, 5, observed_at=billing("2026-10-31 23:00"))
    assert statuses(tmp_path, run) == {OCTOBER: ("provisional", 1, 0, 0, 0)}


@pytest.mark.parametrize("state", ["Submitted", "Pending"])
def test_a_queued_run_needs_no_figure(tmp_path: Path, state: str) -> None:
    run = job_run("waiting", billing("2026-10-20 00:00"), None, None, state=state)
    assert statuses(tmp_path, run) == {OCTOBER: ("final", 0, 0, 0, 0)}


def test_a_run_counts_as_running_after_it_was_last_observed_as_queued(tmp_path: Path) -> None:
    run = job_run("late", billing("2026-10-20 00:00"), None, None)
    waiting = [seen(run, billing("2026-11-02 00:00"), None, "Pending")]
    found = statuses(tmp_path, run, job_run_observations=waiting)
    assert found == {OCTOBER: ("final", 0, 0, 0, 0), NOVEMBER: ("provisional", 1, 1, 0, 0)}


@pytest.mark.parametrize(
    ("end", "month", "status"),
    [
        ("2026-10-30 02:00", OCTOBER, ("final", 0, 0, 0, 1)),
        ("2026-11-14 02:00", NOVEMBER, ("provisional", 0, 0, 1, 1)),
        ("2026-11-12 02:00", NOVEMBER, ("provisional", 0, 0, 0, 1)),
    ],
)
def test_a_missing_figure_of_a_final_run_is_requested_for_a_week(
    tmp_path: Path, end: str, month: date, status: tuple[object, ...]
) -> None:
    run = job_run("quiet", billing(f"{end[:10]} 00:00"), billing(end), None)
    assert statuses(tmp_path, run)[month] == status


@pytest.mark.parametrize(
    "windows",
    [
        [],
        WHOLE[:1],
        [WHOLE[0], window("2026-08-31 16:00", "2026-10-20 00:00", axis="end")],
        [WHOLE[0], window("2026-10-01 16:00", "2026-11-20 02:00", axis="end")],
        [*WHOLE, window("2026-10-10 00:00", "2026-10-11 00:00", "short", workspace_id="w-2", finished_at=READ_AT)],
        [
            *WHOLE,
            window("2026-10-10 00:00", "2026-10-11 00:00", "failed", axis="open") | {"window_start": None, "window_end": None},
        ],
    ],
)
def test_a_month_that_is_not_fully_certified_is_provisional(tmp_path: Path, windows: list[Row]) -> None:
    assert statuses(tmp_path, extraction_windows=windows)[OCTOBER][0] == "provisional"


def test_the_report_lists_what_is_missing(tmp_path: Path) -> None:
    windows = [window("2026-08-31 16:00", "2026-10-20 02:00", axis=axis) for axis in ("start", "end")]
    runs = [
        ENDED,
        job_run("stream", billing("2026-10-20 00:00"), None, 5, observed_at=billing("2026-10-20 10:00")),
        job_run(
            "no figure", billing("2026-10-19 00:00"), billing("2026-10-19 01:00"), None, observed_at=billing("2026-10-20 10:00")
        ),
    ]
    runs[0] |= {"observed_at": billing("2026-10-20 10:00")}
    windows = [row | {"finished_at": billing("2026-10-20 10:00")} for row in windows]
    mart_db = built_mart_db(tmp_path, job_runs=runs, extraction_windows=windows)
    _, figures = write_page(open_pipeline(mart_db.target), Month(OCTOBER), tmp_path, billing("2026-10-20 10:05"))
    assert figures.missing == [
        "what is not certified after 2026-10-20 10:00",
        "figures of 1 ended run",
        "the further use of 1 open run",
    ]
