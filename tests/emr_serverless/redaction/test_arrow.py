"""Masking a batch equals masking each of its texts, in every column that can contain a secret."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from documented import run_tables, workspace_tables
from emr_serverless.arrow.schema import RAW_TABLES, TEXT
from emr_serverless.arrow.tables import Origin
from emr_serverless.redaction.arrow import mask_tables
from emr_serverless.redaction.redactor import Redactor

ORIGIN = Origin("cn-hangzhou", "w-1", datetime(2026, 1, 1, tzinfo=UTC))
KEY_ID = "LTAI5tMadeUpKeyId12345"
# Pieces of secrets, of their names, and of what only looks like one.
PIECES = (
    *("password=", "--token", "--db-pwd=", "secret", "spark.hadoop.fs.oss.accessKeySecret", "ak=", "SK: ", "sessionSig=", "pw ="),
    *(
        KEY_ID,
        "STS.NMadeUpToken123456",
        "AKIAMADEUPKEYID12345",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0",
        "ghp_0123456789abcdefghij",
    ),
    *("jdbc:mysql://u:p4ss@h:3306/d", "https://h/x?Signature=abc%3D&Expires=1", "mongodb%3A%2F%2Fu%3Ap%40h", "redis://:p@h:1"),
    *(
        "-----BEGIN RSA PRIVATE KEY-----",
        "Bearer 0123456789abcdefgh",
        "密码=",
        "令牌\uff1ax1",
        "hooks.slack.com/services/T0/B0/x",
        "identified by 'x'",
        "curl",
        "-u",
        "u:p4ss",
        "mysql -pp4ss",
        "machine h login u password p4ss",
        "Authorization:",
        "Basic",
    ),
    *("hunter2", "risk", "task_1", "oss://b/p", " ", "\n", "'", '"', "{", "}", ":", ",", "-", "", "\u212a", "\u017f", "\\"),
)
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=6).map("".join)
runs = st.fixed_dictionaries(
    {
        "name": texts | st.none(),
        "webUI": texts,
        "stateChangeReason": st.fixed_dictionaries({"code": st.just("1"), "message": texts}),
        "tags": st.lists(st.fixed_dictionaries({"key": texts | st.none(), "value": texts | st.none()}), max_size=3),
        "log": st.fixed_dictionaries({"driverStdOut": texts}),
        "newField": texts,
        "jobDriver": st.fixed_dictionaries(
            {
                "sparkSubmit": st.fixed_dictionaries(
                    {
                        "entryPoint": texts | st.none(),
                        "entryPointArguments": st.lists(texts, max_size=4),
                        "sparkSubmitParameters": texts,
                    }
                )
            }
        ),
        "configurationOverrides": st.fixed_dictionaries(
            {
                "configurations": st.lists(
                    st.fixed_dictionaries({"configItemKey": texts | st.none(), "configItemValue": texts | st.none()}), max_size=2
                )
            }
        ),
    }
)


def one_by_one(table: str, row: dict[str, Any], name: str, redactor: Redactor) -> Any:
    """Return what a column must hold, by the redactor alone."""
    value = row[name]
    if value is None or RAW_TABLES[table].masks[name] == "plain" or RAW_TABLES[table].schema.field(name).type != TEXT:
        return value
    if key := RAW_TABLES[table].named_by.get(name):
        return redactor.setting(row[key] or "", value)
    if name == "spark_submit_parameters":
        return redactor.spark_submit_parameters(value)
    if name == "extra":
        return orjson.dumps(redactor.json(orjson.loads(value)), option=orjson.OPT_SORT_KEYS).decode()
    return redactor.text(value)


@given(st.lists(runs, min_size=1, max_size=4))
@example([{"tags": [{"key": "a", "value": KEY_ID}]}, {"name": "x"}, {"name": "x"}])
def test_masking_a_batch_equals_masking_each_text(drawn: list[dict[str, Any]]) -> None:
    redactor = Redactor()
    rows = [row | {"jobRunId": f"jr-{number}"} for number, row in enumerate(drawn)]
    raw = run_tables(rows, ORIGIN)
    masked = mask_tables(raw, redactor)
    for table, columns in masked.items():
        for before, after in zip(raw[table].to_pylist(), columns.to_pylist(), strict=True):
            for name in after:
                if name not in {"argument", "arguments_digest"}:
                    assert after[name] == one_by_one(table, before, name, redactor), (table, name)
    for row, after in zip(rows, masked["job_runs"].to_pylist(), strict=True):
        submit = row.get("jobDriver", {}).get("sparkSubmit", {})
        arguments = redactor.arguments(submit.get("entryPointArguments", []))
        mine = [line for line in masked["job_run_arguments"].to_pylist() if line["job_run_id"] == row["jobRunId"]]
        assert [line["argument"] for line in mine if not line["_deleted"]] == arguments
        said = [after["entry_point"], *arguments]
        digest = hashlib.sha256(json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
        assert after["arguments_digest"] == (digest if arguments or after["entry_point"] is not None else None)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        (table, field.name)
        for table, raw in RAW_TABLES.items()
        for field in raw.page_schema
        if field.type == TEXT and raw.masks[field.name] != "plain"
    ],
)
def test_every_text_column_is_masked_unless_listed_as_plain(table: str, column: str) -> None:
    """New columns are masked unless they are listed as plain."""
    schema = RAW_TABLES[table].page_schema
    # Children need a parent with the same run; its columns are plain here.
    value = json.dumps({"x": KEY_ID}) if column == "extra" else f"see {KEY_ID} there"
    row: dict[str, Any] = {
        field.name: False if field.name == "_deleted" else 0 if field.name.endswith("_index") else None for field in schema
    }
    row |= dict.fromkeys(raw_key(table), "x") | {column: value}
    tables = {table: pa.Table.from_pylist([row], schema=schema_without_null_checks(schema))}
    if table == "job_run_arguments":
        tables["job_runs"] = pa.Table.from_pylist([{"entry_point": None}], schema=RAW_TABLES["job_runs"].page_schema)
    assert KEY_ID not in str(mask_tables(tables, Redactor())[table].to_pylist())
    assert KEY_ID in str(mask_tables(tables, Redactor(enabled=False))[table].to_pylist())


def raw_key(table: str) -> list[str]:
    """Return a table's keys that are text."""
    return [name for name in RAW_TABLES[table].primary_key if RAW_TABLES[table].schema.field(name).type == TEXT]


def schema_without_null_checks(schema: pa.Schema) -> pa.Schema:
    """Return a schema that lets a test leave columns out."""
    return pa.schema(
        [
            field.with_nullable(True)  # noqa: FBT003  # pyarrow takes it by position
            for field in schema
        ]
    )


def test_extra_patterns_disable_the_screen() -> None:
    rows = [{"jobRunId": "jr-1", "name": "project-manhattan", "tags": [{"key": "codename", "value": "blue"}]}]
    masked = mask_tables(run_tables(rows, ORIGIN), Redactor(extra_patterns=["manhattan", "codename"]))
    assert masked["job_runs"]["name"].to_pylist() == ["project-**redacted**"]
    assert masked["job_run_tags"]["tag_value"].to_pylist() == ["**redacted**"]


def test_workspaces_are_masked() -> None:
    row = {"workspaceId": "w-1", "tags": [{"tagKey": "api_token", "tagValue": "hunter2"}], "failReason": f"bad key {KEY_ID}"}
    told = str(mask_tables(workspace_tables([row], ORIGIN), Redactor())["workspaces"].to_pylist())
    assert "hunter2" not in told
    assert KEY_ID not in told
