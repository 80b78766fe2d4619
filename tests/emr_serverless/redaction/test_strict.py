"""Strict redaction: no value that a user passes to a job is loaded, and reruns still match."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documented import run_tables, workspace_tables
from emr_serverless.redaction.arrow import mask_tables
from emr_serverless.redaction.redactor import Redactor
from emr_serverless.redaction.spark_settings import HARMLESS, SUBMIT_OPTIONS
from emr_serverless.redaction.strict import KEY_FILE, StrictRedactor, kept_key

KEY = "a key of this test"
STRICT = StrictRedactor(KEY)
MARK = "zqmark"
# A value around a mark that occurs nowhere else; a dash, a sign or a quote makes it look like an option or a pair.
VALUES = st.builds("{}{}{}".format, st.text(max_size=6), st.just(MARK), st.text(max_size=6)) | st.sampled_from(
    [
        MARK,
        f"--{MARK}",
        f"-{MARK}=x",
        f"{MARK}=1",
        f"k={MARK}",
        f'"{MARK}',
        f"oss://{MARK}/x",
        f"com.acme.{MARK}.Main",
        f"{MARK}g",
        f"http://{MARK}",
    ]
)
KEYS = st.sampled_from([*HARMLESS, "spark.app.name", "a.b", "", "spark.executorEnv.X", *SUBMIT_OPTIONS])
JSON = st.recursive(
    VALUES | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(VALUES, inner, max_size=2),
    max_leaves=4,
)


def run(configurations: list[Any], arguments: list[str], parameters: str, unknown: Any) -> dict[str, Any]:
    return {
        "jobRunId": "jr-1",
        "name": "nightly",
        "tags": [{"key": "team", "value": "growth"}],
        "stateChangeReason": {"code": "1", "message": f"failed at {' '.join(arguments)} {unknown}"},
        "webUI": f"https://ui.example.com/history/jr-1?x={parameters}",
        "log": {"driverStdOut": f"https://logs.example.com/jr-1?x={arguments}"},
        "jobDriver": {
            "sparkSubmit": {
                "entryPoint": f"SELECT '{arguments}'",
                "entryPointArguments": arguments,
                "sparkSubmitParameters": parameters,
                "new": unknown,
            }
        },
        "configurationOverrides": {"configurations": configurations},
        "diagnosis": unknown,
    }


@given(
    configurations=st.lists(st.fixed_dictionaries({"configItemKey": KEYS, "configItemValue": VALUES}), max_size=3),
    arguments=st.lists(VALUES, max_size=3),
    parameters=st.lists(
        st.builds("{}{}{}".format, KEYS, st.sampled_from([" ", "="]), VALUES)
        | VALUES
        | VALUES.map(lambda value: f"--conf a.b={value}"),
        max_size=4,
    ).map(" ".join),
    unknown=JSON,
)
def test_no_user_value_is_loaded(configurations: list[Any], arguments: list[str], parameters: str, unknown: Any) -> None:
    # A class may be anything that has a class's form: its key is on the list.
    parameters = parameters.replace("--class", "--name")
    tables = mask_tables(run_tables([run(configurations, arguments, parameters, unknown)]), STRICT)
    landed = {
        name: table.drop_columns(["config_item_key"]) if "config_item_key" in table.column_names else table
        for name, table in tables.items()
    }
    # Keys are no values: what looks like one may name a mark in a pair.
    text = str([table.to_pylist() for table in landed.values()])
    assert MARK not in without_keys(text, parameters)


def without_keys(text: str, parameters: str) -> str:
    return text.replace(f"{MARK}=hmac:", "") if f"{MARK}=" in parameters else text


@pytest.mark.parametrize("key", HARMLESS)
def test_a_harmless_setting_is_loaded_only_in_its_expected_format(key: str) -> None:
    assert STRICT.setting(key, "hunter2 my secret") == STRICT.digest("hunter2 my secret")
    assert key.startswith(("spark.", "hive.", "--"))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("spark.executor.memory", "4g"),
        ("spark.executor.instances", "16"),
        ("spark.sql.adaptive.enabled", "true"),
        ("spark.network.timeout", "120s"),
        ("spark.serializer", "org.apache.spark.serializer.KryoSerializer"),
        ("hive.metastore.type", "DLF"),
    ],
)
def test_settings_of_spark_are_loaded(key: str, value: str) -> None:
    assert STRICT.setting(key, value) == value
    assert (
        STRICT.spark_submit_parameters(f"--class com.acme.Main --conf {key}={value}")
        == f"--class com.acme.Main --conf {key}={value}"
    )


def test_tags_and_names_are_kept_for_owners_and_masked_by_patterns() -> None:
    rows = [
        {
            "jobRunId": "jr-1",
            "name": "sync password=hunter2",
            "tags": [{"key": "team", "value": "growth"}, {"key": "pw", "value": "hunter2"}],
        }
    ]
    tables = mask_tables(run_tables(rows), STRICT)
    assert tables["job_runs"]["name"].to_pylist() == ["sync password=**redacted**"]
    assert tables["job_run_tags"]["tag_value"].to_pylist() == ["growth", "**redacted**"]


def test_a_normalized_message_keeps_what_distinguishes_failures() -> None:
    said = STRICT.message("java.sql.SQLException: no access to hunter2 after 5 s")
    assert said.startswith("SQLException hmac:")
    assert said == STRICT.message("java.sql.SQLException: no access to hunter2 after 17 s")
    assert STRICT.message("") == ""


def test_addresses_with_credentials_are_digested_and_plain_ones_are_kept() -> None:
    rows = [
        {
            "jobRunId": "jr-1",
            "webUI": "https://ui.example.com/history/jr-1",
            "jobDriver": {"sparkSubmit": {"entryPoint": "oss://b/x.py"}},
        }
    ]
    (row,) = mask_tables(run_tables(rows), STRICT)["job_runs"].to_pylist()
    assert row["web_ui"] == "https://ui.example.com/history/jr-1"
    assert row["entry_point"] == "oss://b/x.py"
    assert STRICT.address("https://u:p@h/x") == STRICT.digest("https://u:p@h/x")


def test_reruns_have_equal_digests_under_the_same_key_only() -> None:
    def digest(key: str, argument: str) -> Any:
        row = {"jobRunId": "jr-1", "jobDriver": {"sparkSubmit": {"entryPointArguments": [argument]}}}
        return mask_tables(run_tables([row]), StrictRedactor(key))["job_runs"]["arguments_digest"].to_pylist()

    assert digest(KEY, "a") == digest(KEY, "a")
    assert digest(KEY, "a") != digest(KEY, "b")
    assert digest(KEY, "a") != digest(f"{KEY}!", "a")


def test_failure_reasons_of_workspaces_are_digested() -> None:
    (row,) = mask_tables(workspace_tables([{"workspaceId": "w-1", "failReason": "out of hunter2", "new": "hunter2"}]), STRICT)[
        "workspaces"
    ].to_pylist()
    assert "hunter2" not in str(row)


def test_the_key_file_is_created_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    key = kept_key(tmp_path)
    assert len(key) >= 32
    assert kept_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    (tmp_path / KEY_FILE).write_text("short")
    with pytest.raises(ValueError, match="does not contain a key"):
        kept_key(tmp_path)


def test_a_short_key_is_rejected() -> None:
    with pytest.raises(ValueError, match="shorter than 16"):
        StrictRedactor("guessable")


def test_disabled_redaction_loads_values_unchanged() -> None:
    rows = [run([], ["--password", "hunter2"], "--conf a.secret=hunter2", "hunter2")]
    assert str(mask_tables(run_tables(rows), Redactor(enabled=False))).count("hunter2") > 3
