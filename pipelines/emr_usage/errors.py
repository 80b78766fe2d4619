"""The exceptions of the application, and what a user is shown of any of them."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# A limit on a file's size or on a user's share of the disk ends a load as a full disk does.
NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# What a folder of another user, or one that is read-only or no folder at all, answers.
NO_ACCESS: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ELOOP})


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
            " loaded is in it, and the next load restores it."
        )


class DataTestFailedError(BuildError):
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
