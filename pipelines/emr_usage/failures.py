"""Any exception, as one sentence that says what happened and what to do. Secrets do not pass: only known texts are quoted."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
from dlt.common.configuration.exceptions import (
    ConfigFieldMissingException,
    ConfigurationException,
    ConfigValueCannotBeCoercedException,
    InvalidNativeValue,
    ValueNotSecretException,
)
from dlt.common.configuration.providers.toml import TomlProviderReadException
from dlt.common.destination.exceptions import SqlClientNotAvailable, UnknownDestinationModule
from dlt.common.exceptions import MissingDependencyException, SignalReceivedException
from dlt.destinations.exceptions import DatabaseException
from dlt.pipeline.exceptions import PipelineStepFailed

from emr_serverless import CheckSettingsError, EmrServerlessError, shown

from .exit_codes import FAILED, IN_USE, USAGE

# The code of a load that its user ended.
STOPPED: Final = "Stopped"
# A limit on a file's size or on a user's share of the disk ends a load as a full disk does.
NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# What a folder of another user, or one that is read-only or no folder at all, answers.
NO_ACCESS: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ELOOP})
_DISK_FULL: Final = re.compile(
    r"no space left|disk full|out of (disk )?space|could not write file|disk quota|file too large", re.IGNORECASE
)
_HELD: Final = re.compile(r"could not set lock|conflicting lock|being used by another process", re.IGNORECASE)
_DAMAGED: Final = re.compile(r"not a valid duckdb database|could not read enough bytes|checksum", re.IGNORECASE)
_KIND_OF_HINT: Final[Mapping[Any, str]] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a JSON object",
    list: "a JSON list",
}


_DENIED: Final = re.compile(
    r"(?:cannot|could not|failed to) (?:open|create|write).*: (permission denied|read-only file system|operation not permitted)",
    re.IGNORECASE,
)
_HOLDER: Final = re.compile(r"PID (\d+)")


class BusyError(Exception):
    """Another process writes to the same database.

    Args:
        holder: which one, and since when.
    """


class UnreachableError(Exception):
    """A destination cannot be opened; the driver's error is its cause."""


class LostLockError(Exception):
    """The connection that held the lock of a destination was lost."""


class InvalidInputsError(Exception):
    """The files of inputs have problems; nothing was written.

    Args:
        problems: each as one line.
        folder: the files are in.
    """

    def __init__(self, problems: Sequence[str], folder: Path) -> None:
        found = f"{len(problems):,} problems" if len(problems) > 1 else "A problem"
        super().__init__("\n".join([f"{found} in {folder}; nothing was written:", *problems]))


class BuildError(Exception):
    """The marts could not be made."""


class FolderError(Exception):
    """A folder that files go into cannot be written.

    Args:
        folder: it.
        option: that names another one.
        error: what the system says.
    """

    def __init__(self, folder: Path, option: str, error: OSError) -> None:
        super().__init__(f"{folder} cannot be written ({error.strerror}). Give another folder with {option}.")


class TooManyRowsError(Exception):
    """A table does not fit on a sheet of a workbook.

    Args:
        table: its name.
        rows: it has.
        limit: rows that a sheet holds.
    """

    def __init__(self, table: str, rows: int, limit: int) -> None:
        sentence = f"{table} has {rows:,} rows in this month, and a sheet of a workbook holds {limit:,}."
        super().__init__(f"{sentence} Write it with --format csv or --format parquet.")


class NothingLoadedError(Exception):
    """The destination holds nothing that a load has completed."""


class WorkingFilesError(Exception):
    """The folder of working files cannot be used.

    Args:
        folder: it.
        why: what is the matter with it, as a part of a sentence.
    """

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(
            f"The folder of working files {folder} {why}. Give it to the user who runs emr-usage, or remove it: nothing that is"
            " loaded is in it, and the next load makes it anew."
        )


class BrokenPromiseError(BuildError):
    """A check found the new marts wrong; those of the last build stay."""


@dataclass(frozen=True)
class Failure:
    """What to tell the user.

    Attributes:
        sentence: what happened and what to do.
        exit_code: of the process.
        code: a short name for machines: the API's code where there is one.
    """

    sentence: str
    exit_code: int
    code: str


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and everything it was raised from, outermost first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def explain(error: BaseException, target: str) -> Failure:
    """Return what to tell the user about an exception.

    Args:
        error: as caught, usually one of dlt's around the real one.
        target: the database or destination, by name.
    """
    causes = list(chain(error))
    for cause in causes:
        if isinstance(cause, EmrServerlessError):
            usage = isinstance(cause, CheckSettingsError)
            return Failure(str(cause), USAGE if usage else FAILED, cause.code or type(cause).__name__)
    for cause in causes:
        if (failure := _known(cause, target)) is not None:
            return failure
    innermost = causes[-1]
    # dlt's first step asks the destination what it has; how a driver says that it cannot is its own affair.
    if any(_is_of_opening(cause) for cause in causes):
        return Failure(
            f"The destination {target} cannot be opened ({type(innermost).__name__}). Check that it runs, and its address and"
            " credentials in .dlt/secrets.toml or the environment; --verbose tells what it said. Nothing was changed.",
            FAILED,
            "NoDestination",
        )
    return Failure(
        f"This failed in an unexpected way ({type(innermost).__name__}). What is loaded stays; run with --verbose for the"
        " traceback, and report it.",
        FAILED,
        type(innermost).__name__,
    )


def in_use(error: BaseException) -> str | None:
    """Return which other process uses the database, or None where an exception says nothing of it."""
    return next((user for cause in chain(error) if (user := _user(cause))), None)


def _user(cause: BaseException) -> str | None:
    if isinstance(cause, BusyError):
        return f"another emr-usage: {cause}"
    if isinstance(cause, (duckdb.Error, DatabaseException, BuildError)) and _HELD.search(str(cause)):
        holder = _HOLDER.search(str(cause))
        return f"another program (process {holder[1]})" if holder else "another program"
    return None


def _is_of_opening(cause: BaseException) -> bool:
    return isinstance(cause, UnreachableError) or (isinstance(cause, PipelineStepFailed) and cause.step == "sync")


def _known(cause: BaseException, target: str) -> Failure | None:
    if user := _user(cause):
        code = "Busy" if isinstance(cause, BusyError) else "DatabaseHeld"
        advice = "Run again when it has ended, or give --wait SECONDS to a command that writes; what is loaded stays."
        return Failure(f"The database {target} is in use by {user}. {advice}", IN_USE, code)
    return _of_this_machine(cause, target) or _of_files(cause, target) or _of_settings(cause, target) or _of_models(cause)


def _of_models(cause: BaseException) -> Failure | None:
    if not isinstance(cause, BuildError):
        return None
    code = "BrokenPromise" if isinstance(cause, BrokenPromiseError) else "BuildFailed"
    return Failure(f"{cause} What is loaded stays, and so do the marts of the last build.", FAILED, code)


def _of_this_machine(cause: BaseException, target: str) -> Failure | None:
    text = str(cause)
    if isinstance(cause, LostLockError):
        sentence = (
            f"The connection that held the lock of {target} was lost, so another process may have begun to write. Run the same"
            " command again; what is committed stays."
        )
        return Failure(sentence, FAILED, "LostLock")
    if isinstance(cause, (KeyboardInterrupt, SignalReceivedException)):
        sentence = "Stopped. What is committed stays; run the same command again and it goes on from there."
        return Failure(sentence, FAILED, STOPPED)
    of_database = isinstance(cause, (duckdb.Error, DatabaseException, BuildError))
    if (isinstance(cause, OSError) and cause.errno in NO_SPACE) or (of_database and _DISK_FULL.search(text)):
        sentence = f"The disk is full while writing to {target}. Free some space, then run again; what was committed stays."
        return Failure(sentence, FAILED, "DiskFull")
    if of_database and _DAMAGED.search(text):
        sentence = f"The file {target} is not a DuckDB database, or is damaged. Give another --database, or move it away."
        return Failure(sentence, FAILED, "DatabaseDamaged")
    return None


def _of_files(cause: BaseException, target: str) -> Failure | None:
    text = str(cause)
    if isinstance(cause, (FolderError, WorkingFilesError)):
        return Failure(text, FAILED, "NoFolder")
    if isinstance(cause, NothingLoadedError):
        return Failure(f"{target} holds no completed load. Load first: emr-usage load --region REGION", FAILED, "NothingLoaded")
    if isinstance(cause, (duckdb.Error, BuildError)) and (denied := _DENIED.search(text)):
        sentence = (
            f"The database {target} or its folder cannot be written by this user ({denied[1].capitalize()}). Change their"
            " permissions, or give another --database; status, report and explain only read."
        )
        return Failure(sentence, FAILED, "NoFolder")
    if isinstance(cause, OSError) and cause.errno in NO_ACCESS and cause.filename:
        path = Path(os.fsdecode(cause.filename)).absolute()
        sentence = (
            f"{path.parent} cannot be used by this user: {path.name}: {cause.strerror}. Change the permissions of the folder and"
            " what is in it, or give another one; nothing that is loaded was changed."
        )
        return Failure(sentence, FAILED, "NoFolder")
    return None


def _of_settings(cause: BaseException, target: str) -> Failure | None:
    if isinstance(cause, SqlClientNotAvailable):
        sentence = f"emr-usage cannot use the destination {target} here: it cannot be read with SQL. Give duckdb or postgres."
        return Failure(sentence, USAGE, "NoSql")
    if isinstance(cause, TooManyRowsError):
        return Failure(str(cause), FAILED, "TooManyRows")
    if isinstance(cause, InvalidInputsError):
        return Failure(str(cause), USAGE, "InvalidInputs")
    if isinstance(cause, ConfigFieldMissingException):
        missing = ", ".join(sorted(cause.traces))
        advice = "Give --region, or set it" if "region_ids" in cause.traces else "Set it"
        sentence = (
            f"A setting is missing: {missing}. {advice} in .dlt/config.toml (secrets in .dlt/secrets.toml) or the environment."
        )
        return Failure(sentence, USAGE, "MissingSetting")
    return _of_dlt(cause, target)


def _of_dlt(cause: BaseException, target: str) -> Failure | None:
    if isinstance(cause, MissingDependencyException):
        sentence = f"The destination {target} needs a package that is not installed. Install dlt with that destination's extra."
        return Failure(sentence, USAGE, "MissingDependency")
    if isinstance(cause, UnknownDestinationModule):
        return Failure(f"dlt has no destination {target}. Give duckdb or postgres to --destination.", USAGE, "NoSuchDestination")
    if isinstance(cause, ConfigurationException):
        return Failure(_sentence_of_dlt_setting(cause), USAGE, type(cause).__name__)
    return None


def _sentence_of_dlt_setting(cause: ConfigurationException) -> str:
    """Name the setting that dlt cannot use. Its value is shown where the setting is a number or a switch, and thus no secret."""
    if isinstance(cause, ConfigValueCannotBeCoercedException):
        value = f" = {shown(cause.field_value)}" if cause.hint in {int, float, bool} else ""
        kind = _KIND_OF_HINT.get(cause.hint, "of another form")
        return (
            f"The setting {cause.field_name}{value} of dlt cannot be used: it must be {kind}. Correct it in .dlt/config.toml,"
            " .dlt/secrets.toml or the environment."
        )
    if isinstance(cause, ValueNotSecretException):
        return f"The setting {cause.key} is a secret and stands in {cause.provider_name}. Move it to .dlt/secrets.toml."
    if isinstance(cause, InvalidNativeValue):
        key = ".".join(cause.embedded_sections) or "credentials"
        return f"The setting {key} of dlt cannot be read. Correct it in .dlt/secrets.toml or the environment."
    if isinstance(cause, TomlProviderReadException):
        # Its text may quote the file.
        line = getattr(cause.__context__, "line", None)
        return f"{' or '.join(cause.full_paths)} is not TOML{f' in line {line}' if line else ''}. Correct the file."
    return f"A setting of dlt cannot be used ({type(cause).__name__}). Check .dlt/config.toml and .dlt/secrets.toml."
