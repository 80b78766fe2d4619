"""For any JSON value in any field nothing is raised and nothing is lost: values are in their column or in `extra`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from documented import job_run_records, run_tables, workspace_tables
from emr_serverless.arrow.tables import Origin, observations_table
from emr_serverless.redaction.arrow import mask_tables
from emr_serverless.redaction.redactor import Redactor
from emr_serverless.resources.job_runs import JOB_RUNS

ORIGIN = Origin("cn-hangzhou", "w-1", datetime(2026, 3, 1, tzinfo=UTC))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PLAIN = Redactor(enabled=False)

TEXTS = {
    "name": "name",
    "state": "state",
    "code_type": "codeType",
    "web_ui": "webUI",
    "creator": "creator",
    "release_version": "releaseVersion",
    "display_release_version": "displayReleaseVersion",
    "resource_queue_id": "resourceQueueId",
    "priority": "priority",
}
INTEGERS = {
    "execution_timeout_seconds": "executionTimeoutSeconds",
    "vcore_seconds": "vcoreSeconds",
    "mb_seconds": "mbSeconds",
}
TIMES = {"submit_time": "submitTime", "end_time": "endTime"}
OBJECTS = {
    "stateChangeReason": {"state_change_code": "code", "state_change_message": "message"},
    "log": {
        "driver_std_out": "driverStdOut",
        "driver_std_error": "driverStdError",
        "driver_syslog": "driverSyslog",
        "driver_startup": "driverStartup",
    },
}
KNOWN = {*TEXTS.values(), *INTEGERS.values(), *TIMES.values(), *OBJECTS, "cuHours", "fusion"}
NESTED = {"jobDriver", "configurationOverrides", "tags"}

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70)
near_numbers = numbers.map(str) | st.sampled_from(
    ["", " 7", "007", "1_000", "1e3", "nan", "inf", "-inf", "٣", "true", "False", "x"]
)
times = st.integers(0, 2 * 10**12) | st.sampled_from([253_402_300_799_999, 253_402_300_800_000, -1, 2**63, 1.5e12, 0.5])
scalars = st.none() | st.booleans() | numbers | near_numbers | times | st.text(max_size=8)
json_values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def objects(*names: str) -> st.SearchStrategy[Any]:
    """Make objects with these fields, often, and with others."""
    fields = st.sampled_from(names) | st.text(min_size=1, max_size=4)
    return st.dictionaries(fields, json_values, max_size=4) | json_values


nested: dict[str, st.SearchStrategy[Any]] = {
    **{name: objects(*fields.values()) for name, fields in OBJECTS.items()},
    "tags": st.lists(objects("key", "value"), max_size=3) | json_values,
    "configurationOverrides": st.fixed_dictionaries(
        {}, optional={"configurations": st.lists(objects("configFileName", "configItemKey", "configItemValue"), max_size=3)}
    )
    | objects("configurations"),
    "jobDriver": st.fixed_dictionaries(
        {}, optional={"sparkSubmit": objects("entryPoint", "entryPointArguments", "sparkSubmitParameters")}
    )
    | objects("sparkSubmit"),
}
names = st.sampled_from(sorted(KNOWN - set(nested))) | st.text(min_size=1, max_size=5)


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """Make a row of arbitrary JSON, as the client would have decoded it."""
    row = draw(st.dictionaries(names, json_values, max_size=8))
    for name in draw(st.sets(st.sampled_from(sorted(nested)), max_size=3)):
        row[name] = draw(nested[name])
    row.pop("jobRunId", None)
    decoded: dict[str, Any] = orjson.loads(json.dumps(row).encode())
    return decoded


def pages() -> st.SearchStrategy[list[dict[str, Any]]]:
    """Make pages of such rows, each with its id."""
    return st.lists(rows(), min_size=1, max_size=4).map(
        lambda page: [row | {"jobRunId": f"jr-{number}"} for number, row in enumerate(page)]
    )


def is_text(value: Any, held: Any) -> bool:
    same: bool = held == value if isinstance(value, str) else held is not None and orjson.loads(held) == value
    return same


def is_integer(value: Any, held: Any) -> bool:
    return (
        held is not None and not isinstance(value, (bool, list, dict)) and int(value) == int(held) and float(value) == float(held)
    )


def is_time(value: Any, held: Any) -> bool:
    return held is not None and is_integer(value, (held - EPOCH) // timedelta(milliseconds=1))


def is_cu_hours(value: Any, held: Any) -> bool:
    if held is None or isinstance(value, (bool, list, dict)):
        return False
    exact = Decimal(str(float(value)))
    return bool(abs(held - exact) <= max(Decimal("0.0000005"), abs(exact) * Decimal("1e-15")))


def is_boolean(value: Any, held: Any) -> bool:
    return held is not None and str(value).lower() == str(held).lower()


def is_nothing(value: Any) -> bool:
    """Tell whether a time says that there is none."""
    return value is None or (not value and not isinstance(value, str)) or value == ""


def check(value: Any, held: Any, place: str, extra: dict[str, Any], fits: Callable[[Any, Any], bool]) -> None:
    if value is None:
        assert held is None
    elif held is None:
        assert extra.get(place) == value
        assert place in extra
        assert type(extra[place]) is type(value)
    else:
        assert fits(value, held)
        assert place not in extra


def check_row(row: dict[str, Any], run: dict[str, Any], logs: dict[str, Any]) -> None:
    extra = orjson.loads(run["extra"]) if run["extra"] else {}
    for columns, fits in ((TEXTS, is_text), (INTEGERS, is_integer), ({"cu_hours": "cuHours"}, is_cu_hours)):
        for column, field in columns.items():
            check(row.get(field), run[column], field, extra, fits)
    check(row.get("fusion"), run["fusion"], "fusion", extra, is_boolean)
    for column, field in TIMES.items():
        value = row.get(field)
        check(None if is_nothing(value) else value, run[column], field, extra, is_time)
    for name, columns in OBJECTS.items():
        value = row.get(name)
        if not isinstance(value, dict):
            assert extra.get(name) == value
            continue
        for column, field in columns.items():
            check(value.get(field), (run if name == "stateChangeReason" else logs)[column], f"{name}.{field}", extra, is_text)
        for field in value.keys() - columns.values():
            assert extra[f"{name}.{field}"] == value[field]
    for field in row.keys() - KNOWN - NESTED - {"jobRunId", "workspaceId"}:
        assert extra[field] == row[field]
    if row.get("workspaceId") not in (None, "w-1"):
        assert extra["workspaceId"] == row["workspaceId"]


@given(pages())
@example([{"jobRunId": "jr-0", "vcoreSeconds": 1.5, "mbSeconds": 2**63, "cuHours": True, "submitTime": 1.5e12 + 0.5}])
@example([{"jobRunId": "jr-0", "vcoreSeconds": True, "cuHours": 1e300, "submitTime": True, "fusion": 1}])
@example([{"jobRunId": "jr-0", "vcoreSeconds": [], "cuHours": {}, "submitTime": "", "fusion": "TRUE"}])
@example([{"jobRunId": "jr-0", "cuHours": 1.0}, {"jobRunId": "jr-1", "cuHours": True}])
def test_every_value_is_in_its_column_or_in_extra(page: list[dict[str, Any]]) -> None:
    tables = mask_tables(run_tables(page, ORIGIN), PLAIN)
    runs, logs = tables["job_runs"].to_pylist(), tables["job_run_logs"].to_pylist()
    for row, run, log in zip(page, runs, logs, strict=True):
        assert run["job_run_id"] == log["job_run_id"] == row["jobRunId"]
        check_row(row, run, log)


CHILDREN = {
    "job_run_tags": ("tags", "tag_index", {"tag_key": "key", "tag_value": "value"}),
    "job_run_configurations": (
        "configurationOverrides.configurations",
        "configuration_index",
        {"config_file_name": "configFileName", "config_item_key": "configItemKey", "config_item_value": "configItemValue"},
    ),
}


def check_items(value: Any, name: str, table: list[dict[str, Any]], extra: dict[str, Any]) -> None:
    """Hold a list of objects to its child rows."""
    place, index, columns = CHILDREN[name]
    if not isinstance(value, list):
        assert extra.get(place) == value
        value = []
    assert [row[index] for row in table] == list(range(len(value) or 1))
    assert {row["_deleted"] for row in table} == {not value}
    for position, (item, row) in enumerate(zip(value, table, strict=False)):
        if not isinstance(item, dict):
            assert extra.get(f"{place}[{position}]") == item
            continue
        for column, field in columns.items():
            assert row[column] is None if item.get(field) is None else is_text(item[field], row[column])
        for field in item.keys() - columns.values():
            assert extra[f"{place}[{position}].{field}"] == item[field]


def submit_of(row: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """Return `sparkSubmit` of a row, and hold what stands in its way to `extra`."""
    driver = row.get("jobDriver")
    if not isinstance(driver, dict):
        assert extra.get("jobDriver") == driver
        return {}
    for field in driver.keys() - {"sparkSubmit"}:
        assert extra[f"jobDriver.{field}"] == driver[field]
    submit = driver.get("sparkSubmit")
    if not isinstance(submit, dict):
        assert extra.get("jobDriver.sparkSubmit") == submit
        return {}
    return submit


@given(pages())
@example([{"jobRunId": "jr-0", "jobDriver": {"sparkSubmit": {"entryPointArguments": 0}}}])
def test_every_child_is_in_its_table_or_in_extra(page: list[dict[str, Any]]) -> None:
    tables = {name: table.to_pylist() for name, table in mask_tables(run_tables(page, ORIGIN), PLAIN).items()}
    for row, run in zip(page, tables["job_runs"], strict=True):
        extra = orjson.loads(run["extra"]) if run["extra"] else {}
        own = {name: [child for child in table if child["job_run_id"] == row["jobRunId"]] for name, table in tables.items()}
        check_items(row.get("tags"), "job_run_tags", own["job_run_tags"], extra)
        overrides = row.get("configurationOverrides")
        if isinstance(overrides, dict):
            check_items(overrides.get("configurations"), "job_run_configurations", own["job_run_configurations"], extra)
        else:
            assert extra.get("configurationOverrides") == overrides
        submit = submit_of(row, extra)
        check(submit.get("entryPoint"), run["entry_point"], "jobDriver.sparkSubmit.entryPoint", extra, is_text)
        arguments = submit.get("entryPointArguments")
        if not isinstance(arguments, list):
            assert extra.get("jobDriver.sparkSubmit.entryPointArguments") == arguments
            arguments = []
        held = [child["argument"] for child in own["job_run_arguments"] if not child["_deleted"]]
        assert len(held) == len(arguments)
        # An argument that is null is empty: a command line has no other nothing.
        assert all(text == "" if value is None else is_text(value, text) for value, text in zip(arguments, held, strict=True))


@given(pages())
def test_hostile_rows_are_redacted_without_raising(page: list[dict[str, Any]]) -> None:
    mask_tables(run_tables(page, ORIGIN), Redactor())
    observations_table(JOB_RUNS, [(ORIGIN, job_run_records(page, "w-1"))])


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["createTime", "duration", "autoRenew", "tags", "regionId", "x"]), json_values),
        max_size=3,
    )
)
def test_hostile_workspaces_do_not_raise_and_unknown_fields_are_kept(page: list[dict[str, Any]]) -> None:
    decoded = orjson.loads(json.dumps(page).encode())
    table = mask_tables(workspace_tables([row | {"workspaceId": "w-1"} for row in decoded], ORIGIN), PLAIN)[
        "workspaces"
    ].to_pylist()
    for row, workspace in zip(decoded, table, strict=True):
        extra = orjson.loads(workspace["extra"]) if workspace["extra"] else {}
        assert ("x" in row) == ("x" in extra)
        assert extra.get("x") == row.get("x")
        check(row.get("duration"), workspace["duration"], "duration", extra, is_integer)
        check(row.get("tags"), workspace["tags"], "tags", extra, is_text)


@pytest.mark.parametrize("depth", [100, 300, 1000])
@pytest.mark.parametrize("redactor", [PLAIN, Redactor()])
@pytest.mark.parametrize("field", ["newField", "name", "state", "tags", "log", "vcoreSeconds"])
def test_deep_nesting_does_not_stop_a_load(depth: int, redactor: Redactor, field: str) -> None:
    deep = orjson.loads(b"[" * depth + b"]" * depth)
    tables = mask_tables(run_tables([{"jobRunId": "jr-1", field: deep}, {"jobRunId": "jr-2", "name": "ok"}], ORIGIN), redactor)
    first, second = tables["job_runs"].to_pylist()
    assert first[field] if field in first else first["extra"]
    assert second["name"] == "ok"
