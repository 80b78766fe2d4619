"""What the texts of DuckDB's errors mean: who holds the file, whether it is damaged, whether it may be written."""

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
    """Return whether an exception carries a text of the database, be it by way of dlt or dbt."""
    return isinstance(cause, (duckdb.Error, DatabaseException, BuildError))


def file_user(cause: BaseException) -> str | None:
    """Return which other program holds the database file, or None where an exception does not say that one does."""
    if is_of_database(cause) and _HELD.search(str(cause)):
        holder = _HOLDER.search(str(cause))
        return f"another program (process {holder[1]})" if holder else "another program"
    return None


def file_failure(cause: BaseException, target: str) -> Failure | None:
    """Return what to show where the database file is damaged or may not be written."""
    text = str(cause)
    if is_of_database(cause) and _DAMAGED.search(text):
        sentence = f"The file {target} is not a DuckDB database, or is damaged. Give another --database, or move it away."
        return Failure(sentence, FAILED, "DatabaseDamaged")
    if isinstance(cause, (duckdb.Error, BuildError)) and (denied := _DENIED.search(text)):
        sentence = (
            f"The database {target} or its folder cannot be written by this user ({denied[1].capitalize()}). Change their"
            " permissions, or give another --database; status, report and explain only read."
        )
        return Failure(sentence, FAILED, "NoFolder")
    return None
