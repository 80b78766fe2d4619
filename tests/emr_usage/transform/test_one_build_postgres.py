"""In PostgreSQL, too, readers see one build and are not blocked by the next."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from emr_usage.build import build
from emr_usage.destinations import adapter_of
from emr_usage.errors import BuildError, BusyError, DataTestFailedError
from emr_usage.pipeline import open_pipeline
from mart_fixtures import job_run, number, utc
from one_build import CROSSING, MOMENTS, RATE, RUN, SUMS, rates, sums
from process_pool import FaultInjection, ProcessPool
from raw_postgres import POSTGRES, write

OPEN_READER = """
BEGIN ISOLATION LEVEL REPEATABLE READ; SET search_path = emr_marts;
LOCK TABLE job_run_hours, job_run_costs, chargeback_daily, chargeback_monthly, builds IN ACCESS SHARE MODE NOWAIT
"""
VIEW = "CREATE VIEW public.mine AS SELECT owner, sum(cu_hours) AS cu_hours FROM emr_marts.chargeback_monthly GROUP BY owner"


def ask(address: str, *statements: str) -> list[tuple[Any, ...]]:
    """Return the rows of all statements, which are of one moment."""
    found: list[tuple[Any, ...]] = []
    with closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
        cursor.execute(OPEN_READER)
        for statement in statements:
            cursor.execute(statement)
            found += cursor.fetchall()
    return found


def execute(address: str, sql: str) -> None:
    with closing(psycopg2.connect(address)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def built(address: str) -> str:
    write(address, job_runs=[RUN], rates=rates(), owners=[])
    build(POSTGRES)
    execute(address, VIEW)
    return address


def test_readers_and_their_views_see_one_build_while_the_next_runs(built: str) -> None:
    write(built, job_runs=[RUN, CROSSING], rates=rates("0.07"))
    states = {1: sums(5, "0.25"), 2: sums(9, "0.63")}
    building = threading.Thread(target=build, args=(POSTGRES,))
    building.start()
    times = 0
    while building.is_alive():
        (number_of_build,), *found = ask(built, "SELECT max(build_number) FROM builds", SUMS)
        assert found == states[number_of_build]
        times += number_of_build == 1
    building.join()
    assert times > 1
    assert ask(built, SUMS) == sums(9, "0.63")
    assert ask(built, "SELECT cu_hours FROM public.mine") == [(9,)]


def test_a_build_that_is_killed_or_fails_changes_nothing(built: str, process_pool: ProcessPool, tmp_path: Path) -> None:
    write(built, job_runs=[RUN, CROSSING], rates=rates("0.07"))
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DESTINATION__POSTGRES__CREDENTIALS": built}
    command = ["build", "--destination", "postgres"]
    some = "with some marts made"
    moments = {some: MOMENTS[some], "before the commit": FaultInjection("emr_usage.destinations.postgres:_PostgresBuild.commit")}
    for moment, fault in moments.items():
        process_pool.start(command, tmp_path, environment, fault)
        assert process_pool.wait().code == -signal.SIGKILL, moment
        assert ask(built, SUMS) == sums(5, "0.25"), moment
        assert ask(built, "SELECT build_number FROM builds") == [(1,)], moment
    write(built, rates=number([RATE, RATE], "row_number"))
    with pytest.raises(DataTestFailedError):
        build(POSTGRES)
    assert ask(built, SUMS) == sums(5, "0.25")
    assert ask(built, "SELECT count(*) FROM stg_rates") == [(1,)]
    write(built, rates=rates("0.07"))
    build(POSTGRES, full_refresh=True)
    assert ask(built, SUMS) == sums(9, "0.63")
    assert ask(built, "SELECT cu_hours FROM public.mine") == [(9,)]


def test_a_failed_first_build_leaves_nothing_and_reports_only_the_cause(address: str) -> None:
    write(address, job_runs=[job_run("bad", utc("2026-11-18 06:00"), utc("2026-11-18 08:30"), 5)])
    execute(address, "ALTER TABLE emr_raw.job_runs ALTER submit_time TYPE text USING 'never'")
    with pytest.raises(BuildError, match="invalid input syntax") as failed:
        build(POSTGRES)
    assert "aborted" not in str(failed.value)
    with closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'emr_marts%'")
        assert cursor.fetchall() == []


def test_a_second_build_at_the_same_time_is_refused(built: str) -> None:
    with closing(adapter_of(open_pipeline(POSTGRES)).open_build()), pytest.raises(BusyError):
        build(POSTGRES)
    assert build(POSTGRES).record.build_number == 2
    assert ask(built, "SELECT count(*) FROM builds") == [(2,)]


def test_a_table_with_a_users_view_is_not_dropped_when_its_columns_change(built: str) -> None:
    execute(built, "ALTER TABLE emr_marts.chargeback_monthly ADD COLUMN older date")
    with pytest.raises(BuildError, match=r"mine depends on table emr_marts\.chargeback_monthly"):
        build(POSTGRES)
    assert ask(built, "SELECT cu_hours FROM public.mine") == [(5,)]
    execute(built, "DROP VIEW public.mine")
    assert build(POSTGRES).record.build_number == 2
    assert ask(built, "SELECT DISTINCT billing_month FROM chargeback_monthly") == [(date(2026, 11, 1),)]
