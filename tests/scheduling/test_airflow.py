"""A real Airflow runs the DAGs against the emulator, in the environment that `make airflow` creates."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from airflow_server import BIN, ROOT, AirflowServer, airflow_server, until
from cli_harness import COMMAND, CliHarness
from emr_usage.emulator import DEFAULT_KEY, AccessKey, Clock, Emulator, Faults, Variants
from postgres import postgres_server
from postgres_cli import CREDENTIALS, PostgresCliHarness
from small_account import DAYS_PAST, REGIONS, small_account

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.skipif(not BIN.exists(), reason="Airflow has an environment of its own: make airflow"),
]

DAG_FILE = ROOT / "pipelines" / "dags" / "emr_usage_dag.py"
# More than one, so that a DuckDB file has one writer because of the DAG and not because of the pool.
POOL_SLOTS = 3
Instances = list[dict[str, Any]]


@dataclass
class Scheduled:
    """An Airflow whose tasks ask an emulator, and where they put the tables."""

    airflow: AirflowServer
    cli: CliHarness


def emulator_of_today() -> Emulator:
    """Return an emulator whose week of history ends now, and whose clock stands: the DAGs load up to a minute ago."""
    now = datetime.now(UTC)
    return Emulator(small_account(now=now), Clock(int(now.timestamp() * 1000)), variants=Variants(list_details=True))


def set_up(cli: CliHarness) -> None:
    """Make the folder that the documents describe: the command, its settings, its access key."""
    (cli.folder / ".venv" / "bin").mkdir(parents=True)
    (cli.folder / ".venv" / "bin" / "emr-usage").symlink_to(COMMAND)
    (cli.folder / ".dlt").mkdir()
    regions = json.dumps(sorted(set(cli.regions.values())))
    settings = f'[sources.emr_serverless]\nregion_ids = {regions}\nendpoint = "{cli.emulator.url}"\ninitial_days = 8\n'
    (cli.folder / ".dlt" / "config.toml").write_text(settings)
    key = f'access_key_id = "{DEFAULT_KEY.id}"\naccess_key_secret = "{DEFAULT_KEY.secret}"\n'
    (cli.folder / ".dlt" / "secrets.toml").write_text(f"[sources.emr_serverless.credentials]\n{key}")


@contextmanager
def scheduled(cli: CliHarness, home: Path, **environment: str) -> Iterator[Scheduled]:
    """Run Airflow for a folder, through its first night."""
    set_up(cli)
    with airflow_server(home, POOL_SLOTS, {"EMR_USAGE_FOLDER": str(cli.folder), **environment}) as airflow:
        airflow.unpause("emr_usage")
        airflow.unpause("emr_usage_backfill")
        (first,) = until(lambda: airflow.runs("emr_usage") or None, "the run of last night")
        state, instances = airflow.end_of("emr_usage", first["dag_run_id"])
        assert state == "success", instances
        yield Scheduled(airflow, cli)


@pytest.fixture(scope="module")
def duckdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scheduled]:
    with emulator_of_today() as emulator:
        cli = CliHarness(tmp_path_factory.mktemp("emr-usage"), emulator, REGIONS)
        with scheduled(cli, tmp_path_factory.mktemp("airflow")) as running:
            yield running


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scheduled]:
    with emulator_of_today() as emulator, postgres_server() as server:
        cli = PostgresCliHarness(tmp_path_factory.mktemp("emr-usage"), emulator, REGIONS, address=server.new_database("emr"))
        environment = {"EMR_USAGE_DESTINATION": "postgres", CREDENTIALS: cli.address}
        with scheduled(cli, tmp_path_factory.mktemp("airflow"), **environment) as running:
            yield running


def states(instances: Instances) -> dict[str, tuple[str, int]]:
    """Return the state of each task and how often it was tried."""
    return {instance["task_id"]: (instance["state"], instance["try_number"]) for instance in instances}


def months(instances: Instances) -> Instances:
    """Return the mapped instances of a backfill, by their start."""
    return sorted((i for i in instances if i["task_id"] == "backfill"), key=lambda i: str(i["start_date"]))


def overlap(instances: Instances) -> bool:
    """Whether two instances ran at the same time."""
    return any(first["end_date"] > second["start_date"] for first, second in pairwise(months(instances)))


def backfill_days(cli: CliHarness) -> dict[str, str]:
    """Return a range that begins in the month before the account's history and ends today."""
    today = cli.emulator.clock.now().date()
    first = (today - timedelta(days=DAYS_PAST)).replace(day=1) - timedelta(days=3)
    return {"from": first.isoformat(), "to": today.isoformat()}


def month_names(days: dict[str, str]) -> set[str]:
    first, last = (datetime.fromisoformat(day) for day in (days["from"], days["to"]))
    starts = {f"{first + timedelta(days=day):%Y-%m}-01" for day in range((last - first).days)}
    return {max(start, days["from"]) for start in starts}


def test_the_dag_file_is_parsed_without_settings_and_network() -> None:
    program = (
        "import runpy, socket, airflow.providers.standard.hooks.subprocess\n"
        "from airflow.sdk import Asset, BaseOperator, Param, chain, dag, task\n"
        "def refuse(*_): raise AssertionError('network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        f"runpy.run_path({str(DAG_FILE)!r})\n"
    )
    subprocess.run([BIN / "python", "-c", program], env={"HOME": "/nowhere"}, check=True)


def test_a_missed_schedule_runs_once_and_is_loaded_built_and_reported(duckdb: Scheduled) -> None:
    assert duckdb.airflow.import_errors() == []
    first = min(duckdb.airflow.runs("emr_usage"), key=lambda run: str(run["run_after"]))
    assert first["run_type"] == "scheduled"
    instances = duckdb.airflow.instances("emr_usage", first["dag_run_id"])
    assert states(instances) == dict.fromkeys(("load", "build", "report", "completeness"), ("success", 1))
    assert duckdb.airflow.updated_assets(first["dag_run_id"]) == ["emr_marts", "emr_raw", "emr_reports"]
    assert len(list((duckdb.cli.folder / "reports").glob("emr-usage-*.html"))) == 1
    duckdb.cli.assert_whole()


def test_an_incomplete_load_is_built_and_reported_before_the_completeness_task_fails(duckdb: Scheduled) -> None:
    denied = min(REGIONS)
    duckdb.cli.emulator.faults = Faults(denied={denied: (403, "Forbidden.RAM")})
    try:
        state, instances = duckdb.airflow.run("emr_usage")
    finally:
        duckdb.cli.emulator.faults = Faults()
    assert state == "failed"
    assert states(instances) == dict.fromkeys(("load", "build", "report"), ("success", 1)) | {"completeness": ("failed", 1)}
    assert re.search(rf"windows are incomplete[^\n]*{denied}: [^\n]*Forbidden.RAM", duckdb.airflow.logs())


def test_a_failed_load_is_up_for_retry_and_nothing_is_built(duckdb: Scheduled) -> None:
    duckdb.cli.emulator.access_keys = (AccessKey("another", "key"),)
    run_id = duckdb.airflow.trigger("emr_usage")

    def waiting() -> Instances | None:
        instances = duckdb.airflow.instances("emr_usage", run_id)
        return instances if ("up_for_retry", 1) in states(instances).values() else None

    try:
        instances = until(waiting, "the retry")
    finally:
        duckdb.cli.emulator.access_keys = (DEFAULT_KEY,)
        duckdb.airflow.fail_run("emr_usage", run_id)
    assert {i["task_id"]: i["start_date"] is not None for i in instances} == {
        "load": True,
        "build": False,
        "report": False,
        "completeness": False,
    }


def test_invalid_settings_are_not_retried(duckdb: Scheduled) -> None:
    settings = duckdb.cli.folder / ".dlt" / "config.toml"
    before = settings.read_text()
    settings.write_text(f"{before}lookback_huors = 24\n")
    try:
        state, instances = duckdb.airflow.run("emr_usage")
    finally:
        settings.write_text(before)
    assert state == "failed"
    assert states(instances)["load"] == ("failed", 1)
    assert "lookback_huors" in duckdb.airflow.logs()


def test_a_backfill_into_duckdb_runs_each_month_and_workspace_one_at_a_time(duckdb: Scheduled) -> None:
    days = backfill_days(duckdb.cli)
    state, instances = duckdb.airflow.run("emr_usage_backfill", **days)
    assert state == "success", states(instances)
    names = {instance["rendered_map_index"] for instance in months(instances)}
    assert names == {f"{month} {workspace}" for month in month_names(days) for workspace in REGIONS}
    assert not overlap(instances)
    duckdb.cli.assert_whole()
    backfilled = "SELECT DISTINCT workspace_id FROM emr_raw.extraction_windows WHERE mode = 'backfill' AND status = 'complete'"
    assert {row[0] for row in duckdb.cli.query(backfilled)} >= set(REGIONS)


def test_an_invalid_backfill_range_is_refused_before_anything_is_loaded(duckdb: Scheduled) -> None:
    tomorrow = (duckdb.cli.emulator.clock.now() + timedelta(days=2)).date().isoformat()
    state, instances = duckdb.airflow.run("emr_usage_backfill", **backfill_days(duckdb.cli) | {"to": tomorrow})
    assert state == "failed"
    assert states(instances)["plan"] == ("failed", 1)
    assert "runs to come cannot be loaded" in duckdb.airflow.logs()


def test_a_backfill_into_a_warehouse_runs_months_at_the_same_time_behind_the_pool(postgres: Scheduled) -> None:
    state, instances = postgres.airflow.run("emr_usage_backfill", **backfill_days(postgres.cli), workspaces=["w-one", "w-two"])
    assert state == "success", states(instances)
    assert {instance["rendered_map_index"].split()[1] for instance in months(instances)} == {"w-one", "w-two"}
    assert overlap(instances)
    assert {instance["pool"] for instance in months(instances)} == {"emr_usage"}
    postgres.cli.assert_whole()


def test_airflow_logs_contain_no_secret(duckdb: Scheduled) -> None:
    logs = duckdb.airflow.logs()
    assert "Command exited with return code 0" in logs
    assert DEFAULT_KEY.secret not in logs
    assert DEFAULT_KEY.id not in logs
