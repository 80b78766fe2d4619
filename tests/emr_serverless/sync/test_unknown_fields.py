"""Unknown fields are counted over all loads, once for each row of a committed package."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cli_harness import SEVERAL_PACKAGES, CliHarness
from documented import job_run_records, workspace_records
from emr_serverless.arrow.decode import Records
from emr_serverless.sync.unknown_fields import MOST_FIELDS, UnknownFieldCounts, take_unreported
from small_account import REGIONS, pass_a_night, served

NOW = datetime(2026, 11, 1, tzinfo=UTC)
COUNTS = "SELECT resource, path, count, first_seen, last_seen FROM emr_raw.unknown_fields ORDER BY 1, 2"


def rows(*extras: dict[str, Any]) -> Records:
    """Return runs with further fields."""
    return job_run_records([{"jobRunId": f"jr-{number}", **extra} for number, extra in enumerate(extras)], "w-1")


def saved(
    state: dict[str, Any], *records: Records, when: datetime = NOW
) -> dict[tuple[str, str], tuple[int, datetime, datetime]]:
    """Return the rows of a package, by resource and path."""
    sightings = UnknownFieldCounts(str)
    for each in records:
        sightings.add("job_runs", each, when)
    table: pa.Table = sightings.save(state)
    return {(row["resource"], row["path"]): (row["count"], row["first_seen"], row["last_seen"]) for row in table.to_pylist()}


def test_counts_and_times_add_up_over_packages() -> None:
    state: dict[str, Any] = {}
    first = saved(state, rows({"a": 1}, {"a": 2, "b": 1}), rows({}), rows({"a": 3}))
    assert first == {("job_runs", "a"): (3, NOW, NOW), ("job_runs", "b"): (1, NOW, NOW)}
    later = NOW + timedelta(days=1)
    assert saved(state, rows({"a": 4}), when=later) == {("job_runs", "a"): (4, NOW, later)}
    assert saved(state, rows({})) == {}


def test_rows_of_an_uncommitted_package_are_not_counted() -> None:
    """dlt keeps the state of the last committed package: what is read again starts from it."""
    state: dict[str, Any] = {}
    saved(state, rows({"a": 1}))
    committed = json.loads(json.dumps(state))
    saved(state, rows({"a": 1}, {"a": 1}))
    assert saved(committed, rows({"a": 1}, {"a": 1})) == {("job_runs", "a"): (3, NOW, NOW)}


def test_each_unknown_field_is_reported_once() -> None:
    state: dict[str, Any] = {}
    saved(state, rows({"a": 1}))
    assert take_unreported(state) == ["job_runs.a"]
    saved(state, rows({"a": 1, "b": 1}))
    assert take_unreported(state) == ["job_runs.b"]
    assert take_unreported(state) == []


def test_the_number_of_unknown_fields_in_the_state_is_bounded() -> None:
    state: dict[str, Any] = {}
    saved(state, rows({f"field{number}": 1 for number in range(MOST_FIELDS + 50)}))
    assert len(state["unknown_fields"]["job_runs"]) == MOST_FIELDS
    known = next(iter(state["unknown_fields"]["job_runs"]))
    assert saved(state, rows({known: 1, "another": 1})) == {("job_runs", known): (2, NOW, NOW)}


def test_secrets_in_field_names_are_masked_in_the_table_and_the_state() -> None:
    state: dict[str, Any] = {}
    sightings = UnknownFieldCounts(lambda text: text.replace("hunter2", "**redacted**"))
    sightings.add("workspaces", workspace_records([{"workspaceId": "w", "hunter2": 1}], "r"), NOW)
    assert "hunter2" not in str(sightings.save(state).to_pylist())
    assert "hunter2" not in str(state)


@pytest.mark.parametrize(
    "environment", [pytest.param({}, marks=pytest.mark.soak), SEVERAL_PACKAGES], ids=["one package", "several"]
)
def test_unknown_fields_are_counted_in_the_table_of_loads(tmp_path: Path, environment: dict[str, str]) -> None:
    """Every run of the account has the field `invented`."""
    with served() as emulator:
        cli = CliHarness(tmp_path, emulator, REGIONS, environment=environment)
        first = cli.load().facts
        assert first["new_fields"] == ["job_runs.invented"]
        ((_, path, count, first_seen, last_seen),) = cli.query(COUNTS)
        assert (path, count) == ("invented", first["rows"])
        pass_a_night(emulator)
        second = cli.load().facts
        assert second["new_fields"] == []
        ((_, _, again, still, moved),) = cli.query(COUNTS)
        assert again == count + second["rows"]
        assert (still, moved > last_seen) == (first_seen, True)
