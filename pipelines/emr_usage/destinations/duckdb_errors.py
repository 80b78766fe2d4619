"""Recognizes DuckDB errors by their text: a file in use, damaged, or not writable."""

from __future__ import annotations

import re
from typing import Final

import duckdb
from dlt.destinations.exceptions import DatabaseException

from emr_usage.errors import BuildError, Failure
from emr_usage.exit_codes import FAILED

_HELD: Final = re.compile(r"could not set lock|conflicting lock|being used by another process", re.IGNORECASE)
_HOLDER: Final = re.compile(r"PID (\d+)")
_DAMAGED: Final = re.compile(r"not a valid duckdb database|could not read enough bytes|checksum", re.IGNORECASE)
_DENIED: Final = re.compile(
    r"(?:cannot|could not|failed to) (?:open|create|write).*: (permission denied|read-only file system|operation not permitted)",
    re.IGNORECASE,
)


def is_of_database(cause: BaseException) -> bool:
    """Return whether an exception has a message of the database, also through dlt or dbt."""
    return isinstance(cause, (duckdb.Error, DatabaseException, BuildError))


def file_user(cause: BaseException) -> str | None:
    """Return which other program has the database file open, or None if that is not the cause of an exception."""
    if is_of_database(cause) and _HELD.search(str(cause)):
        holder = _HOLDER.search(str(cause))
        return f"another program (process {holder[1]})" if holder else "another program"
    return None


def file_failure(cause: BaseException, target: str) -> Failure | None:
    """Return the message for a database file that is damaged or not writable, or None."""
    text = str(cause)
    if is_of_database(cause) and _DAMAGED.search(text):
        sentence = f"The file {target} is not a DuckDB database, or is damaged. Use another --database, or move it away."
        return Failure(sentence, FAILED, "DatabaseDamaged")
    if isinstance(cause, (duckdb.Error, BuildError)) and (denied := _DENIED.search(text)):
        sentence = (
            f"This user cannot write to the database {target} or its folder ({denied[1].capitalize()}). Change their"
            " permissions, or use another --database. status, report and explain only read."
        )
        return Failure(sentence, FAILED, "NoFolder")
    return None
