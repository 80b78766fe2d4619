"""Each failure has a message with advice and without secrets."""

from __future__ import annotations

import errno
from pathlib import Path

import duckdb
import pytest
from dlt.common.configuration.exceptions import (
    ConfigFieldMissingException,
    ConfigurationValueError,
    ConfigValueCannotBeCoercedException,
    InvalidNativeValue,
    LookupTrace,
    ValueNotSecretException,
)
from dlt.common.configuration.providers.toml import TomlProviderReadException
from dlt.common.configuration.specs import BaseConfiguration
from dlt.common.exceptions import MissingDependencyException, SignalReceivedException
from dlt.destinations.exceptions import DatabaseTransientException

from emr_serverless import CheckSettingsError, EmrServerlessError
from emr_usage.errors import BusyError, Failure, LostLockError, UnreachableError
from emr_usage.exit_codes import FAILED, IN_USE, USAGE
from emr_usage.failures import chain, explain

TARGET = "emr.duckdb"
SECRET = "PlantedInAnException"


def of_database(text: str) -> DatabaseTransientException:
    return DatabaseTransientException(duckdb.IOException(text))


class StepError(Exception):
    """Stands for dlt's own exceptions, which come around the real one and quote it."""


def wrapped(error: BaseException) -> StepError:
    """Return an exception as dlt hands it over: around the real one, twice."""
    inner, outer = StepError(f"step failed: {error} {SECRET}"), StepError(f"pipeline failed: {SECRET}")
    inner.__cause__, outer.__cause__ = error, inner
    return outer


KNOWN = {
    "ours": (
        EmrServerlessError("It broke", advice="Repair it.", code="Broken"),
        FAILED,
        "Broken",
        "It broke (code Broken). Repair it.",
    ),
    "settings": (CheckSettingsError("No region is set", advice="Give one."), USAGE, "CheckSettingsError", "Give one."),
    "busy": (
        BusyError("process 1 of user a"),
        IN_USE,
        "Busy",
        "in use by another emr-usage: process 1 of user a. Run again when",
    ),
    "a lost lock": (LostLockError(), FAILED, "LostLock", "Run the same command again. Committed rows remain."),
    "no destination": (UnreachableError(), FAILED, "NoDestination", "Check that it is running, and its address"),
    "Ctrl-C": (KeyboardInterrupt(), FAILED, "Stopped", "Committed rows remain; run the same command again"),
    "a signal in dlt": (SignalReceivedException(15), FAILED, "Stopped", "Committed rows remain"),
    "disk full": (OSError(errno.ENOSPC, "No space left on device"), FAILED, "DiskFull", "Free some space and run again"),
    "quota": (OSError(errno.EDQUOT, "Disk quota exceeded"), FAILED, "DiskFull", "emr.duckdb"),
    "file limit": (OSError(errno.EFBIG, "File too large"), FAILED, "DiskFull", "Committed rows remain"),
    "disk full in DuckDB": (
        of_database('Could not write file "x.wal": No space left on device'),
        FAILED,
        "DiskFull",
        "Free some",
    ),
    "file limit in DuckDB": (of_database('Could not write file "x.wal": File too large'), FAILED, "DiskFull", "Free some space"),
    "held": (
        of_database("Could not set lock on file x: Conflicting lock is held in /usr/bin/duckdb (PID 4711) by user root."),
        IN_USE,
        "DatabaseHeld",
        "is in use by another program (process 4711). Run again when it has finished, or give --wait SECONDS",
    ),
    "held, holder unknown": (
        of_database("Could not set lock on file x"),
        IN_USE,
        "DatabaseHeld",
        "in use by another program.",
    ),
    "damaged": (
        of_database('The file "x" exists, but it is not a valid DuckDB database file!'),
        FAILED,
        "DatabaseDamaged",
        "--database",
    ),
    "cut off": (of_database('Could not read enough bytes from file "x"'), FAILED, "DatabaseDamaged", "move it away"),
    "no region": (
        ConfigFieldMissingException(BaseConfiguration(), {"region_ids": [LookupTrace("e", ["s"], "R", None)]}),
        USAGE,
        "MissingSetting",
        "A setting is missing: region_ids. Give --region, or set it in .dlt/config.toml",
    ),
    "no secret": (
        ConfigFieldMissingException(BaseConfiguration(), {"access_key_secret": [LookupTrace("e", ["s"], "K", None)]}),
        USAGE,
        "MissingSetting",
        "A setting is missing: access_key_secret. Set it in .dlt/config.toml (secrets in .dlt/secrets.toml)",
    ),
    "no package": (MissingDependencyException("postgres", ["psycopg2"]), USAGE, "MissingDependency", "not installed: psycopg2"),
    "a number of dlt's": (
        ConfigValueCannotBeCoercedException("workers", "many", int),
        USAGE,
        "ConfigValueCannotBeCoercedException",
        "The dlt setting workers = 'many' is invalid: it must be a whole number.",
    ),
    "a document of dlt's": (
        ConfigValueCannotBeCoercedException("global_config", f'{{"password": "{SECRET}"', dict),
        USAGE,
        "ConfigValueCannotBeCoercedException",
        "The dlt setting global_config is invalid: it must be a JSON object.",
    ),
    "a secret in the wrong file": (
        ValueNotSecretException("config.toml", "sources.emr_serverless.credentials"),
        USAGE,
        "ValueNotSecretException",
        "The setting sources.emr_serverless.credentials is a secret, but is set in config.toml. Move it to .dlt/secrets.toml.",
    ),
    "an address": (
        InvalidNativeValue(BaseConfiguration, str, ("credentials",), ValueError(SECRET)),
        USAGE,
        "InvalidNativeValue",
        "The dlt setting credentials cannot be read.",
    ),
    "invalid TOML": (
        TomlProviderReadException("secrets.toml", "secrets.toml", [".dlt/secrets.toml"], SECRET),
        USAGE,
        "TomlProviderReadException",
        ".dlt/secrets.toml is not TOML. Correct the file.",
    ),
    "a setting of dlt": (ConfigurationValueError(f"bad {SECRET}"), USAGE, "ConfigurationValueError", ".dlt/config.toml"),
}


@pytest.mark.parametrize("kind", KNOWN)
def test_known_errors_are_explained_at_any_depth_of_wrapping(kind: str) -> None:
    error, exit_code, code, part = KNOWN[kind]
    failure = explain(wrapped(error), TARGET)
    assert (failure.exit_code, failure.code) == (exit_code, code)
    assert part in failure.sentence
    assert failure == explain(error, TARGET)


@pytest.mark.parametrize("kind", KNOWN)
def test_no_wrapping_message_is_shown(kind: str) -> None:
    assert SECRET not in explain(wrapped(KNOWN[kind][0]), TARGET).sentence


def test_only_the_type_of_an_unknown_failure_is_shown() -> None:
    failure = explain(wrapped(ValueError(f"postgresql://u:{SECRET}@h/d")), TARGET)
    assert failure == Failure(
        "An unexpected error occurred (ValueError). Loaded rows remain. Run again with --verbose for the traceback, and"
        " report it.",
        FAILED,
        "ValueError",
    )


def test_a_message_about_a_full_disk_counts_only_from_the_database_or_the_system() -> None:
    assert explain(ValueError("no space left on device"), TARGET).code == "ValueError"
    assert explain(OSError(errno.EACCES, "no space left, they said"), TARGET).code == "PermissionError"


def test_an_error_of_the_source_takes_precedence_over_later_ones() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    full.__context__ = EmrServerlessError("It broke", code="Broken")
    assert explain(wrapped(full), TARGET).code == "Broken"


def test_a_cycle_of_exceptions_is_followed_once() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert list(chain(first)) == [first, second]


def test_a_file_that_is_not_a_database_is_reported(tmp_path: Path) -> None:
    """The messages above are fixed texts; this one comes from the installed version of DuckDB."""
    wrong = tmp_path / "wrong.duckdb"
    wrong.write_text("not a database" * 2000)
    with pytest.raises(duckdb.Error) as caught:
        duckdb.connect(str(wrong))
    assert explain(caught.value, TARGET).code == "DatabaseDamaged"
