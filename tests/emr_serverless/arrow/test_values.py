"""End times, states and CU-hours are read as documented in every notation of the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documented import KEY, convert, convert_workspace, job_run, job_run_records, utc
from emr_serverless.sync.open_runs import is_open


def test_an_empty_row_has_only_its_key() -> None:
    (row,) = convert({})["job_runs"]
    assert {name: value for name, value in row.items() if value is not None} == KEY | {"region_id": "cn-hangzhou"}
    workspace = convert_workspace({"workspaceId": "w-1"})
    assert {name for name, value in workspace.items() if value is not None} == {"workspace_id", "region_id", "observed_at"}


def end_of(fields: dict[str, Any]) -> Any:
    """Return the end that decides whether a run is open."""
    return job_run_records([fields], "w-1").column("endTime")[0]


@pytest.mark.parametrize("fields", [{"endTime": None}, {"endTime": 0}, {}])
def test_every_notation_of_a_missing_end_time_becomes_null(fields: dict[str, Any]) -> None:
    assert not end_of(fields)
    assert job_run(**fields)["end_time"] is None
    assert job_run(**fields)["extra"] is None


@pytest.mark.parametrize(
    ("end", "milliseconds"),
    [
        (1684119314123, 1684119314123),
        ("1684119314123", 1684119314123),
        (1684119314123.0, 1684119314123),
        (1, 1),
        (253_402_300_799_999, 253_402_300_799_999),
        (253_402_300_800_000, None),
        (2**63, None),
        (-5, None),
        (1684119314123.5, None),
        ("soon", None),
        (True, None),
        ([], None),
        ({"a": 1}, None),
    ],
)
def test_an_end_time_is_milliseconds_or_null(end: Any, milliseconds: int | None) -> None:
    assert end_of({"endTime": end}) == milliseconds
    assert job_run(endTime=end)["end_time"] == (None if milliseconds is None else utc(milliseconds))


@pytest.mark.parametrize(
    ("state", "end", "expected"),
    [
        *((state, 1684119314000, True) for state in ("Submitted", "Pending", "Running", "Cancelling")),
        *((state, 1684119314000, False) for state in ("Success", "Failed", "Cancelled", "CancelFailed", "Evicted", None)),
        *((state, end, True) for state in ("Success", "CancelFailed", "Evicted", None) for end in (None, 0)),
        (["Running"], 1684119314000, False),
        ("Success", 2**63, True),
    ],
)
def test_a_run_is_open_in_an_open_state_or_without_an_end(state: Any, end: int | None, *, expected: bool) -> None:
    records = job_run_records([{"state": state, "endTime": end}], "w-1")
    assert is_open(records.column("state")[0], records.column("endTime")[0]) is expected


@given(st.integers(-(10**15), 10**15))
def test_cu_hours_with_six_decimals_are_exact(millionths: int) -> None:
    hours = millionths / 10**6
    assert job_run(cuHours=hours)["cu_hours"] == Decimal(str(hours)).quantize(Decimal("0.000001"))


@pytest.mark.parametrize(("hours", "expected"), [(3, "3"), (0, "0"), (0.0, "0"), ("2.059", "2.059"), (None, None)])
def test_cu_hours_can_be_integers_or_text(hours: Any, expected: str | None) -> None:
    assert job_run(cuHours=hours)["cu_hours"] == (None if expected is None else Decimal(expected))


def test_an_empty_page_produces_empty_tables() -> None:
    names = ("job_runs", "job_run_tags", "job_run_logs", "job_run_configurations", "job_run_arguments")
    assert convert() == {name: [] for name in names}
