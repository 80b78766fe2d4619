"""Children keep their order, a run without children has a tombstone, and unknown fields are kept and counted."""

from __future__ import annotations

from typing import Any

import pytest

from documented import DOCUMENTED_WORKSPACE, KEY, WORKSPACE, convert, convert_workspace, job_run, job_run_records

CHILDLESS: list[dict[str, Any]] = [
    {},
    dict.fromkeys(("tags", "log", "configurationOverrides", "jobDriver")),
    {"tags": [], "log": {}, "configurationOverrides": {}, "jobDriver": {}},
    {"tags": [], "configurationOverrides": {"configurations": []}, "jobDriver": {"sparkSubmit": {"entryPointArguments": []}}},
    {"configurationOverrides": {"configurations": None}, "jobDriver": {"sparkSubmit": {"entryPointArguments": None}}},
]


@pytest.mark.parametrize("fields", CHILDLESS)
def test_a_run_without_children_has_a_tombstone_in_each_child_table(fields: dict[str, Any]) -> None:
    tables = convert(fields)
    for name, table in tables.items():
        if name != "job_runs":
            (tombstone,) = table
            assert tombstone.pop("_deleted") is True
            values = {column: value for column, value in tombstone.items() if value is not None}
            assert values == KEY | {column: 0 for column in tombstone if column.endswith("_index")}
    assert tables["job_runs"][0]["extra"] is None


def test_children_keep_their_order_and_their_run() -> None:
    tables = convert(
        {"jobRunId": "jr-1", "tags": [{"key": "b", "value": "1"}, {"key": "a", "value": None}, {"key": "b"}]},
        {"jobRunId": "jr-2"},
        {"jobRunId": "jr-3", "tags": [{"key": "", "value": ""}]},
    )
    tags = [
        tuple(row[name] for name in ("job_run_id", "tag_index", "tag_key", "tag_value", "_deleted"))
        for row in tables["job_run_tags"]
    ]
    assert tags == [
        ("jr-1", 0, "b", "1", False),
        ("jr-1", 1, "a", None, False),
        ("jr-1", 2, "b", None, False),
        ("jr-2", 0, None, None, True),
        ("jr-3", 0, "", "", False),
    ]


def test_an_item_that_is_not_an_object_keeps_the_positions_of_the_others() -> None:
    fields = {"tags": [{"key": "a"}, "junk", {"key": "c"}]}
    tables = convert(fields)
    assert [(row["tag_index"], row["tag_key"]) for row in tables["job_run_tags"]] == [(0, "a"), (1, None), (2, "c")]
    assert tables["job_runs"][0]["extra"] == '{"tags[1]":"junk"}'
    assert job_run_records([fields], WORKSPACE).unknown_paths() == {"tags[]": 1}


def test_unknown_fields_are_kept_with_their_path_and_counted() -> None:
    fields = {
        "environmentId": "env-1",
        "stateChangeReason": {"code": "0", "hint": [1]},
        "log": {"driverStdOut": "oss://o", "gc": "oss://gc"},
        "jobDriver": {"flink": {}, "sparkSubmit": {"files": ["f"]}},
        "configurationOverrides": {"source": "console", "configurations": [{"configItemKey": "k", "level": 3}]},
        "tags": [{"key": "a"}, {"key": "b", "scope": "x"}, {"key": "c", "scope": "y"}],
        "workspaceId": "w-other",
    }
    rows: list[dict[str, Any]] = [fields, {"jobRunId": "jr-2", "environmentId": "env-2"}]
    tables = convert(*rows)
    first, second = (row["extra"] for row in tables["job_runs"])
    assert first == (
        '{"configurationOverrides.configurations[0].level":3,"configurationOverrides.source":"console","environmentId":"env-1",'
        '"jobDriver.flink":{},"jobDriver.sparkSubmit.files":["f"],"log.gc":"oss://gc","stateChangeReason.hint":[1],'
        '"tags[1].scope":"x","tags[2].scope":"y","workspaceId":"w-other"}'
    )
    assert second == '{"environmentId":"env-2"}'
    once = ("stateChangeReason.hint", "log.gc", "jobDriver.flink", "jobDriver.sparkSubmit.files", "workspaceId")
    assert job_run_records(rows, WORKSPACE).unknown_paths() == {
        "environmentId": 2,
        "tags[].scope": 2,
        **dict.fromkeys((*once, "configurationOverrides.source", "configurationOverrides.configurations[].level"), 1),
    }


def test_unknown_fields_of_a_workspace_are_kept() -> None:
    row = DOCUMENTED_WORKSPACE | {"newField": {"x": 1}, "regionId": "cn-shanghai", "stateChangeReason": {"hint": "h"}}
    workspace = convert_workspace(row)
    assert workspace["region_id"] == "cn-hangzhou"
    assert workspace["extra"] == '{"newField":{"x":1},"regionId":"cn-shanghai","stateChangeReason.hint":"h"}'


def test_arguments_digest_covers_the_entry_point_and_the_masked_arguments() -> None:
    def digest(**submit: Any) -> str | None:
        value: str | None = job_run(jobDriver={"sparkSubmit": submit})["arguments_digest"]
        return value

    assert digest(entryPointArguments=["--password", "one"]) == digest(entryPointArguments=["--password", "two"])
    assert digest(entryPointArguments=["--dt", "1"]) != digest(entryPointArguments=["--dt", "2"])
    assert digest(entryPointArguments=["a b"]) != digest(entryPointArguments=["a", "b"])
    assert digest(entryPoint="a") != digest(entryPointArguments=["a"])
    assert digest(entryPoint="", entryPointArguments=[]) is not None
    assert digest(sparkSubmitParameters="--conf a=b") is None


SECRET = "LTAI5tPlantedKeyId99"
PLACES: list[dict[str, Any]] = [
    {"name": f"load {SECRET}"},
    {"stateChangeReason": {"message": f"denied for {SECRET}"}},
    {"webUI": f"https://ui?ak={SECRET}"},
    {"tags": [{"key": "note", "value": SECRET}]},
    {"tags": [{"key": "password", "value": "hunter2"}]},
    {"configurationOverrides": {"configurations": [{"configItemKey": "fs.oss.accessKeySecret", "configItemValue": "hunter2"}]}},
    {"jobDriver": {"sparkSubmit": {"entryPoint": f"oss://{SECRET}:hunter2@b/x.jar"}}},
    {"jobDriver": {"sparkSubmit": {"entryPointArguments": ["--password", "hunter2"]}}},
    {"jobDriver": {"sparkSubmit": {"sparkSubmitParameters": "--conf spark.x.password=hunter2"}}},
    {"log": {"driverStdOut": f"oss://{SECRET}:hunter2@b/x"}},
    {"newField": {"token": "hunter2", "list": [SECRET]}},
    {"name": {"password": "hunter2"}},
    {"endTime": f"at {SECRET}"},
]


@pytest.mark.parametrize("fields", PLACES)
def test_tables_contain_no_secret(fields: dict[str, Any]) -> None:
    told = str(convert(fields))
    assert SECRET not in told
    assert "hunter2" not in told
    assert "**redacted**" in told


def test_the_workspaces_table_contains_no_secret() -> None:
    row = {"workspaceId": "w-1", "workspaceName": SECRET, "tags": [{"tagKey": "password", "tagValue": "hunter2"}]}
    told = str(convert_workspace(row))
    assert SECRET not in told
    assert "hunter2" not in told
