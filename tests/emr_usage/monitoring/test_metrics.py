"""Samples of a database, and samples of an earlier file that are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emr_usage.missing_figures import MissingFigures
from emr_usage.monitoring.command_result import CommandResult
from emr_usage.monitoring.metrics import database_samples, write_metrics
from emr_usage.monitoring.openmetrics import Samples, read_openmetrics
from emr_usage.status import Status, WorkspaceStatus

NOW = datetime(2026, 11, 1, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
WORKSPACE = WorkspaceStatus("w-one", NOW - HOUR, NOW - 2 * HOUR, 3600, 7200, 3, 84, [])
STATUS = Status("2026-11-01T01:00:00.000Z", MissingFigures(0, 0, 7), {"complete": 9}, {"job_runs": 84}, 20, 1, [WORKSPACE])
RESULT = CommandResult("load", "emr.duckdb", 0, NOW, 5, {"load": 4})
LAG = "emr_usage_certified_lag_seconds"


def lags(samples: Samples) -> dict[str, float]:
    return {
        dict(labels)["database"]: value
        for (name, labels), value in samples.items()
        if name == LAG and dict(labels)["axis"] == "ended"
    }


def written(path: Path, database: str, status: Status | None, result: CommandResult = RESULT) -> Samples:
    write_metrics(path, database, status, result)
    return read_openmetrics(path.read_text(encoding="utf-8"))


def test_forgotten_workspaces_have_no_lag() -> None:
    gone = replace(WORKSPACE, workspace_id="w-gone", forgotten="2026-10-01T00:00:00.000Z")
    samples = database_samples("a", replace(STATUS, workspaces=[WORKSPACE, gone]))
    certified = [
        dict(labels)["workspace_id"] for name, labels in samples if name == "emr_usage_certified_until_timestamp_seconds"
    ]
    assert certified == ["w-one", "w-one"]
    assert replace(STATUS, workspaces=[WORKSPACE, replace(gone, ended_lag_seconds=1e9)]).lag_seconds == 7200


def test_databases_and_commands_share_a_file(tmp_path: Path) -> None:
    file = tmp_path / "emr.prom"
    assert lags(written(file, "a", STATUS)) == {"a": 7200}
    later = replace(RESULT, command="build", ended_at=NOW + HOUR, exit_code=1, steps={})
    samples = written(file, "b\udcff", STATUS, later)
    assert lags(samples) == {"a": 10_800, "b\\udcff": 10_800}
    assert lags(written(file, "b\udcff", STATUS, later)) == lags(samples)
    codes = {labels: value for (name, labels), value in samples.items() if name == "emr_usage_exit_code"}
    assert codes == {
        (("database", "a"), ("command", "load")): 0,
        (("database", "b\\udcff"), ("command", "build")): 1,
    }


def test_samples_of_missing_workspaces_are_removed_and_of_unreadable_databases_kept(tmp_path: Path) -> None:
    file = tmp_path / "emr.prom"
    written(file, "a", STATUS)
    assert lags(written(file, "a", None, replace(RESULT, ended_at=NOW + HOUR, exit_code=1))) == {"a": 10_800}
    assert lags(written(file, "a", replace(STATUS, workspaces=[]))) == {}


def test_an_unrelated_file_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "emr.duckdb"
    file.write_bytes(b"a database")
    with pytest.raises(OSError, match="it holds something else than metrics"):
        written(file, "a", STATUS)
    assert file.read_bytes() == b"a database"
    file.write_bytes(b"")
    assert lags(written(file, "a", STATUS)) == {"a": 7200}
    assert [path.name for path in tmp_path.iterdir()] == ["emr.duckdb"]
