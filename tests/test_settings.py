"""`.dlt/config.toml` contains every setting of the source with its default, and nothing else."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from emr_serverless import emr_serverless
from emr_serverless.api.credentials import AccessKeyConfiguration
from emr_serverless.validation import SETTINGS, Number
from emr_usage.command_settings import SECRETS as COMMAND_SECRETS
from emr_usage.command_settings import SETTINGS as COMMAND_SETTINGS
from emr_usage.defaults import DEFAULT_TIME_ZONE

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / ".dlt" / "config.toml").read_text(encoding="utf-8")
SECTION = "[sources.emr_serverless]"
# What one call is asked for, and access keys, which have no place in a file that is committed.
NO_SETTINGS = {"credentials", "as_of", "backfill", "forget_workspaces", "clock"}
COMMENTED = re.compile(r"^# ?(\w+ = .*)$", re.MULTILINE)


def parameters() -> dict[str, inspect.Parameter]:
    """Return the source's settings."""
    found = inspect.signature(emr_serverless).parameters
    return {name: parameter for name, parameter in found.items() if name not in NO_SETTINGS}


def section(text: str) -> str:
    """Return the text of the source's section."""
    after = text.split(SECTION)[1]
    return after.split("\n[")[0]


def given() -> dict[str, Any]:
    """Return what the file sets."""
    values: dict[str, Any] = tomllib.loads(TEXT)["sources"]["emr_serverless"]
    return values


def offered() -> dict[str, Any]:
    """Return what the file offers in comments."""
    return tomllib.loads("\n".join(COMMENTED.findall(section(TEXT))))


def test_the_config_file_has_every_setting_exactly_once() -> None:
    assert sorted([*given(), *offered()]) == sorted(parameters())


@pytest.mark.parametrize("name", parameters())
def test_the_config_file_has_the_default_of_each_setting(name: str) -> None:
    default = parameters()[name].default
    if name in given():
        expected = list(default) if isinstance(default, tuple) else default
        assert given()[name] == expected
        assert type(given()[name]) is type(expected) or isinstance(default, (int, float))
    else:
        # What has no default cannot be set to it; the comment shows the form.
        assert default is None or "dlt.config.value" in repr(default)


@pytest.mark.parametrize("name", parameters())
def test_every_setting_has_a_comment(name: str) -> None:
    lines = section(TEXT).splitlines()
    at = next(number for number, line in enumerate(lines) if re.match(rf"(# )?{name} = ", line))
    assert lines[at - 1].startswith("# ")


@pytest.mark.parametrize("name", [name for name, setting in SETTINGS.items() if isinstance(setting.kind, Number)])
def test_the_config_file_documents_the_range_of_each_number(name: str) -> None:
    kind = SETTINGS[name].kind
    assert isinstance(kind, Number)
    before = re.split(rf"^(?:# )?{name} = ", section(TEXT), flags=re.MULTILINE)[0]
    assert f"{kind.low:,} to {kind.high:,}" in before.split("\n\n")[-1].replace("\n# ", " ")


@pytest.mark.parametrize("name", parameters())
def test_every_setting_is_described_in_the_sources_docstring(name: str) -> None:
    assert re.search(rf"^\s+{name}: ", inspect.getdoc(emr_serverless) or "", re.MULTILINE)


def test_the_config_file_has_only_the_known_sections() -> None:
    config = tomllib.loads(TEXT)
    assert config.keys() == {"sources", "emr_usage", "runtime"}
    assert config["emr_usage"] == {"billing_time_zone": DEFAULT_TIME_ZONE, "settlement_adjustment": True}
    assert config["sources"].keys() == {"emr_serverless"}
    assert config["runtime"] == {"dlthub_telemetry": False}


def test_each_setting_of_the_command_is_in_its_file() -> None:
    secrets = (ROOT / ".dlt" / "example.secrets.toml").read_text(encoding="utf-8")
    for name in COMMAND_SETTINGS:
        places = {"config": TEXT.split("[emr_usage]")[1], "secrets": secrets}
        found = {place for place, text in places.items() if re.search(rf"^(# )?{name} = ", text, re.MULTILINE)}
        assert found == {"secrets" if name in COMMAND_SECRETS else "config"}, name


def test_the_example_secrets_file_has_every_field_of_the_access_key() -> None:
    text = (ROOT / ".dlt" / "example.secrets.toml").read_text(encoding="utf-8")
    uncommented = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)
    secrets = tomllib.loads(uncommented)["sources"]["emr_serverless"]["credentials"]
    assert secrets.keys() == AccessKeyConfiguration.get_resolvable_fields().keys()
    assert all(value.startswith("<") for value in secrets.values())
