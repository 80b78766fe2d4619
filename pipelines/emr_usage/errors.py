"""The exceptions of the application, and how an error is shown to the user."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# A limit on file size or a disk quota is reported like a full disk.
NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# Errors of a folder that belongs to another user, is read-only, or is not a folder.
NO_ACCESS: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ELOOP})


class BusyError(Exception):
    """Another process writes to the same database.

    Args:
        holder: which process, and since when.
    """


class UnreachableError(Exception):
    """A destination cannot be opened; the driver's error is its cause."""


class LostLockError(Exception):
    """The connection that held the lock of a destination was lost."""


class InvalidInputsError(Exception):
    """The files of inputs have problems; nothing was written.

    Args:
        problems: one line each.
        folder: where the files are.
    """

    def __init__(self, problems: Sequence[str], folder: Path) -> None:
        found = f"{len(problems):,} problems" if len(problems) > 1 else "A problem"
        super().__init__("\n".join([f"{found} in {folder}; nothing was written:", *problems]))


class BuildError(Exception):
    """The marts could not be built."""


class NoChargesError(Exception):
    """Nothing in a month has a cost that could be exported."""


class StatementError(Exception):
    """A month cannot be closed, or its statement is not what was closed.

    Args:
        sentence: what happened and what to do.
        code: a short name for programs.
    """

    def __init__(self, sentence: str, code: str) -> None:
        super().__init__(sentence)
        self.code = code


class FolderError(Exception):
    """A folder cannot be written to.

    Args:
        folder: the folder.
        option: the option for another folder.
        error: of the operating system.
    """

    def __init__(self, folder: Path, option: str, error: OSError) -> None:
        super().__init__(f"{folder} cannot be written to ({error.strerror}). Give another folder with {option}.")


class TooManyRowsError(Exception):
    """A table does not fit on a sheet of a workbook.

    Args:
        table: name of the table.
        rows: number of its rows.
        limit: maximum number of rows of a sheet.
    """

    def __init__(self, table: str, rows: int, limit: int) -> None:
        sentence = f"{table} has {rows:,} rows in this month, and a worksheet holds at most {limit:,}."
        super().__init__(f"{sentence} Use --format csv or --format parquet.")


class NothingLoadedError(Exception):
    """No load into the destination has completed."""


class WorkingFilesError(Exception):
    """The folder of working files cannot be used.

    Args:
        folder: the folder.
        why: the problem, as a part of a sentence.
    """

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(
            f"The folder of working files {folder} {why}. Change its owner to the user who runs emr-usage, or remove it: the"
            " next load restores it from the database."
        )


class DataTestFailedError(BuildError):
    """A data test of the new marts failed; the marts of the last build remain."""


@dataclass(frozen=True)
class Failure:
    """An error as it is shown to the user.

    Attributes:
        sentence: what happened and what to do.
        exit_code: of the process.
        code: a short name for programs; the API's code where there is one.
    """

    sentence: str
    exit_code: int
    code: str
