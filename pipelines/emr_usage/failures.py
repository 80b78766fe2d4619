"""Turns any exception into one sentence that says what happened and what to do. Only texts without secrets are quoted."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dlt.common.exceptions import SignalReceivedException
from dlt.pipeline.exceptions import PipelineStepFailed

from emr_serverless import CheckSettingsError, EmrServerlessError

from .destinations.duckdb_errors import file_failure, file_user, is_of_database
from .dlt_failures import dlt_failure
from .errors import (
    NO_ACCESS,
    NO_SPACE,
    BuildError,
    BusyError,
    DataTestFailedError,
    Failure,
    FolderError,
    InvalidInputsError,
    LostLockError,
    NoChargesError,
    NothingLoadedError,
    StatementError,
    TooManyRowsError,
    UnreachableError,
    WorkingFilesError,
)
from .exit_codes import FAILED, IN_USE, USAGE

# The code of a load that the user stopped.
STOPPED: Final = "Stopped"
_DISK_FULL: Final = re.compile(
    r"no space left|disk full|out of (disk )?space|could not write file|disk quota|file too large", re.IGNORECASE
)


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and everything it was raised from, outermost first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def explain(error: BaseException, target: str) -> Failure:
    """Return how an exception is shown to the user.

    Args:
        error: as caught; usually an exception of dlt that wraps the real one.
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
    # dlt first reads the state of the destination; drivers raise different exceptions where they cannot connect.
    if any(_is_of_opening(cause) for cause in causes):
        return Failure(
            f"The destination {target} cannot be opened ({type(innermost).__name__}). Check that it is running, and its address"
            " and credentials in .dlt/secrets.toml or the environment; --verbose shows the error. Nothing was changed.",
            FAILED,
            "NoDestination",
        )
    return Failure(
        f"An unexpected error occurred ({type(innermost).__name__}). Loaded rows remain. Run again with --verbose for the"
        " traceback, and report it.",
        FAILED,
        type(innermost).__name__,
    )


def in_use(error: BaseException) -> str | None:
    """Return which other process uses the database, or None where that is not the cause of an exception."""
    return next((user for cause in chain(error) if (user := _user(cause))), None)


def _user(cause: BaseException) -> str | None:
    if isinstance(cause, BusyError):
        return f"another emr-usage: {cause}"
    return file_user(cause)


def _is_of_opening(cause: BaseException) -> bool:
    return isinstance(cause, UnreachableError) or (isinstance(cause, PipelineStepFailed) and cause.step == "sync")


def _known(cause: BaseException, target: str) -> Failure | None:
    if user := _user(cause):
        code = "Busy" if isinstance(cause, BusyError) else "DatabaseHeld"
        advice = "Run again when it has finished, or give --wait SECONDS to a command that writes. Loaded rows remain."
        return Failure(f"The database {target} is in use by {user}. {advice}", IN_USE, code)
    return (
        _of_this_machine(cause, target)
        or file_failure(cause, target)
        or _of_files(cause, target)
        or _of_settings(cause, target)
        or _of_models(cause)
    )


def _of_models(cause: BaseException) -> Failure | None:
    if isinstance(cause, StatementError):
        return Failure(str(cause), FAILED, cause.code)
    if not isinstance(cause, BuildError):
        return None
    code = "DataTestFailed" if isinstance(cause, DataTestFailedError) else "BuildFailed"
    return Failure(f"{cause} Loaded rows and the marts of the last build remain.", FAILED, code)


def _of_this_machine(cause: BaseException, target: str) -> Failure | None:
    if isinstance(cause, LostLockError):
        sentence = (
            f"The connection that held the lock of {target} was lost, so another process may have begun to write. Run the same"
            " command again. Committed rows remain."
        )
        return Failure(sentence, FAILED, "LostLock")
    if isinstance(cause, (KeyboardInterrupt, SignalReceivedException)):
        sentence = "Stopped. Committed rows remain; run the same command again to resume."
        return Failure(sentence, FAILED, STOPPED)
    if (isinstance(cause, OSError) and cause.errno in NO_SPACE) or (is_of_database(cause) and _DISK_FULL.search(str(cause))):
        sentence = f"The disk is full while writing to {target}. Free some space and run again. Committed rows remain."
        return Failure(sentence, FAILED, "DiskFull")
    return None


def _of_files(cause: BaseException, target: str) -> Failure | None:
    text = str(cause)
    if isinstance(cause, (FolderError, WorkingFilesError)):
        return Failure(text, FAILED, "NoFolder")
    if isinstance(cause, NothingLoadedError):
        return Failure(f"{target} holds no completed load. Load first: emr-usage load --region REGION", FAILED, "NothingLoaded")
    if isinstance(cause, OSError) and cause.errno in NO_ACCESS and cause.filename:
        path = Path(os.fsdecode(cause.filename)).absolute()
        sentence = (
            f"This user cannot access {path.name} in {path.parent} ({cause.strerror}). Change the permissions of the folder"
            " and its files, or use another folder. Loaded rows remain."
        )
        return Failure(sentence, FAILED, "NoFolder")
    return None


def _of_settings(cause: BaseException, target: str) -> Failure | None:
    if isinstance(cause, TooManyRowsError):
        return Failure(str(cause), FAILED, "TooManyRows")
    if isinstance(cause, NoChargesError):
        return Failure(str(cause), FAILED, "NoCharges")
    if isinstance(cause, InvalidInputsError):
        return Failure(str(cause), USAGE, "InvalidInputs")
    return dlt_failure(cause, target)
