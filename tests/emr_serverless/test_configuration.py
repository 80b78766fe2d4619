"""Settings of the source from files, environment variables and arguments, and unknown keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.exceptions import ConfigFieldMissingException
from dlt.common.configuration.specs import PluggableRunContext

from emr_serverless import CheckSettingsError, emr_serverless
from emr_serverless.validation import SETTINGS, environment_name

REGIONS = ["cn-hangzhou"]
BAD: dict[str, Any] = {
    "region_ids": ["cn-hangzhou", "cn-hangzhou"],
    "workspace_ids": [""],
    "endpoint": "http://emr.example.com",
    "initial_days": -1,
    "lookback_hours": -5,
    "settle_days": -1,
    "window_rows": 0,
    "package_rows": -1,
    "max_connections": 0,
    "requests_per_second": 0,
    "request_timeout_seconds": 0,
    "redact": "flase",
    "redact_patterns": ["("],
    "redact_key": "short",
}


class Files:
    """The folder of settings that dlt reads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / ".dlt").mkdir()
        self.write("config.toml", "")

    def write(self, name: str, text: str) -> None:
        """Write a file, which dlt reads again."""
        (self._folder / ".dlt" / name).write_text(text, encoding="utf-8")
        Container()[PluggableRunContext].reload(str(self._folder))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "data"))
    yield Files(tmp_path)
    monkeypatch.undo()
    Container()[PluggableRunContext].reload()


def refusal(**arguments: Any) -> str:
    """Return why the source cannot be made."""
    with pytest.raises(CheckSettingsError) as caught:
        emr_serverless(**arguments)
    return str(caught.value)


@pytest.mark.parametrize("name", SETTINGS)
def test_invalid_values_are_rejected_from_every_source(name: str, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    regions = {"region_ids": REGIONS} if name != "region_ids" else {}
    told = refusal(**{**regions, name: BAD[name]})
    for part in ("The endpoint",) if name == "endpoint" else (f"The setting {name}", "It must be"):
        assert part in told

    files.write("config.toml", f"[sources.emr_serverless]\n{name} = {json.dumps(BAD[name])}")
    assert refusal(**regions) == told
    files.write("config.toml", "")
    text = BAD[name] if isinstance(BAD[name], str) else json.dumps(BAD[name])
    for variable in (environment_name(name), name.upper()):
        with monkeypatch.context() as patch:
            patch.setenv(variable, text)
            assert refusal(**regions).startswith(told.partition(" = ")[0])


def test_values_reach_the_source_from_files_and_environment(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write("config.toml", '[sources.emr_serverless]\nregion_ids = ["cn-hangzhou"]\nwindow_rows = 7\nmax_connections = 3')
    files.write("secrets.toml", '[sources.emr_serverless.credentials]\naccess_key_id = "id"\naccess_key_secret = "secret"')
    monkeypatch.setenv(environment_name("max_connections"), "4")
    source = emr_serverless(window_rows=9)
    assert "job_runs" in source.resources


@pytest.mark.parametrize(
    ("section", "key", "meant"),
    [
        ("sources.emr_serverless", "max_connection", "sources.emr_serverless.max_connections"),
        ("sources.emr_serverless", "max-connections", "sources.emr_serverless.max_connections"),
        ("sources.emr_serverless", "Max_Connections", "sources.emr_serverless.max_connections"),
        ("sources.emr_serverless", "region_id", "sources.emr_serverless.region_ids"),
        ("sources.emr_serverless.emr_serverless", "lookback_hour", "sources.emr_serverless.lookback_hours"),
        ("sources.emr_serverless.credentials", "access_key_idd", "sources.emr_serverless.credentials.access_key_id"),
        ("sources.emr_serverless.credentails", "access_key_id", "sources.emr_serverless.credentials.access_key_id"),
        ("sources.emr-serverless", "max_connections", "sources.emr_serverless"),
        ("sources.emr_serverles", "max_connections", "sources.emr_serverless"),
    ],
)
@pytest.mark.parametrize("file", ["config.toml", "secrets.toml"])
def test_a_misspelled_key_in_a_file_is_refused(files: Files, file: str, section: str, key: str, meant: str) -> None:
    # dlt itself refuses a credential in config.toml.
    file = "secrets.toml" if section.endswith(".credentials") else file
    files.write(file, f'[{section}]\n{key} = "hunter2"')
    told = refusal(region_ids=REGIONS)
    assert file in told
    assert section in told
    assert told.endswith(f"Did you mean {meant}?")
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("SOURCES__EMR_SERVERLESS__MAX_CONNECTION", "MAX_CONNECTIONS"),
        ("SOURCES__EMR_SERVERLESS__max_connections", "MAX_CONNECTIONS"),
        ("SOURCES_EMR_SERVERLESS_MAX_CONNECTIONS", "MAX_CONNECTIONS"),
        ("SOURCES__EMR_SERVERLESS_MAX_CONNECTIONS", "MAX_CONNECTIONS"),
        ("SOURCE__EMR_SERVERLESS__MAX_CONNECTIONS", "MAX_CONNECTIONS"),
        ("SOURCES__EMR__SERVERLESS__MAX_CONNECTIONS", "MAX_CONNECTIONS"),
        ("SOURCES__EMR_SERVERLESS__CREDENTIALS__ACCESS_KEY", "CREDENTIALS__ACCESS_KEY_ID"),
        ("SOURCES__EMR_SERVERLESS__CREDENTIALS_ACCESS_KEY_SECRET", "CREDENTIALS__ACCESS_KEY_SECRET"),
    ],
)
def test_a_misspelled_variable_is_refused(files: Files, monkeypatch: pytest.MonkeyPatch, variable: str, meant: str) -> None:
    del files
    monkeypatch.setenv(variable, "hunter2")
    told = refusal(region_ids=REGIONS)
    assert told == f"{variable} in the environment is not a setting. Did you mean SOURCES__EMR_SERVERLESS__{meant}?"


def test_an_unknown_key_is_reported_with_the_valid_names(files: Files) -> None:
    files.write("config.toml", "[sources.emr_serverless]\nfrobnicate = 1")
    assert "The settings are: region_ids, workspace_ids, endpoint" in refusal(region_ids=REGIONS)


def test_a_misspelled_key_is_reported_before_a_missing_one(files: Files) -> None:
    files.write("config.toml", '[sources.emr_serverless]\nregion = ["cn-hangzhou"]')
    assert refusal().endswith("Did you mean sources.emr_serverless.region_ids?")
    files.write("config.toml", "")
    with pytest.raises(ConfigFieldMissingException):
        emr_serverless()


def test_keys_of_dlt_and_of_other_sources_are_ignored(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write(
        "config.toml",
        "[sources.emr_serverless.data_writer]\nbuffer_max_items = 100\n[sources.emr_serverless.schema]\nnaming = 'direct'\n"
        "[sources.emr_on_ecs]\nmax_connections = 0\n[sources.emr_serverless_notes]\nauthor = 'x'\n[load]\nworkers = 3",
    )
    monkeypatch.setenv("SOURCES__OTHER__MAX_CONNECTION", "3")
    assert emr_serverless(region_ids=REGIONS).name == "emr_serverless"


@pytest.mark.parametrize(
    "given",
    [
        {"ACCESS_KEY_ID": "LTAI"},
        {"ACCESS_KEY_SECRET": "hunter2"},
        {"SECURITY_TOKEN": "hunter2"},
        {"ACCESS_KEY_ID": " ", "ACCESS_KEY_SECRET": "hunter2"},
        {"ACCESS_KEY_ID": "LTAI", "ACCESS_KEY_SECRET": ""},
    ],
)
def test_an_incomplete_access_key_is_rejected(files: Files, monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    """dlt would ignore it and use the vendor's default chain instead, with another key or none."""
    del files
    for name, value in given.items():
        monkeypatch.setenv(environment_name("credentials", name), value)
    told = refusal(region_ids=REGIONS)
    assert "is missing or empty. Set both the id and the secret" in told
    assert "hunter2" not in told
