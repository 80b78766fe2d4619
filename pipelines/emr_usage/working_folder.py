"""The folder of working files, which may be missing, damaged, or owned by another user.

The destination has everything that matters in it: dlt restores its state and schema from there, and what a killed load had not
yet loaded is read again, because its cursors were not saved. So a damaged folder is emptied and created again.
"""

from __future__ import annotations

import errno
import gzip
import json
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import dlt
import pyarrow.parquet
from dlt.common.storages import LoadStorage, PackageStorage

from .errors import WorkingFilesError

logger = logging.getLogger("emr_serverless")

NO_ACCESS: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
# Files that the next load reads; dlt removes those that a killed load was writing.
COMPLETED: Final = PackageStorage.PACKAGE_COMPLETED_FILE_NAME
# Of the packages that are loaded dlt keeps schema and state for ever: 100 kB of each. The last ones help to explain a problem.
LOADED_PACKAGES: Final = 10
READ_AGAIN: Final = ("state.json", "schemas/*.json", "normalize/extracted/*/**/*", "load/normalized/*/**/*")


def open_in(
    folder: Path,
    open_pipeline: Callable[[Path], dlt.Pipeline],
    lock: Callable[[Path], AbstractContextManager[None]],
    kept: str = "",
) -> dlt.Pipeline:
    """Open a pipeline in its folder of working files, which is emptied first if it is damaged.

    Args:
        folder: of the working files; may be missing.
        open_pipeline: opens the pipeline with its working files in a folder.
        lock: locks the folder: files that another process is writing look damaged.
        kept: pattern of the names of folders in it that other processes use under other locks.

    Raises:
        WorkingFilesError: this user cannot use the folder, or it is not a folder.
        BusyError: another process holds it.
    """
    if folder.exists() and not folder.is_dir():
        raise WorkingFilesError(folder, "is not a folder")
    try:
        if (pipeline := _undamaged(folder, open_pipeline)) is not None:
            return pipeline
        with lock(folder):
            if (pipeline := _undamaged(folder, open_pipeline)) is not None:
                return pipeline
            with TemporaryDirectory() as empty:
                open_pipeline(Path(empty))  # an error that remains, such as an invalid setting, is not damage
            logger.warning("The working files in %s are damaged; restoring them from the destination", folder)
            for path in list(folder.iterdir()):
                if path.is_dir() and not fnmatch(path.name, kept):
                    shutil.rmtree(path)
        return open_pipeline(folder)
    except OSError as error:
        if error.errno in NO_ACCESS:
            raise WorkingFilesError(folder, f"cannot be used by this user ({error.strerror})") from error
        raise


def remove_loaded_packages(pipeline: dlt.Pipeline) -> None:
    """Remove what dlt keeps of packages that are loaded, except the last ones, so that the folder does not grow."""
    loaded = Path(pipeline.working_dir, "load", LoadStorage.LOADED_FOLDER)
    for load_id in sorted(pipeline.list_completed_load_packages(), key=float)[:-LOADED_PACKAGES]:
        shutil.rmtree(loaded / load_id, ignore_errors=True)


def _undamaged(folder: Path, open_pipeline: Callable[[Path], dlt.Pipeline]) -> dlt.Pipeline | None:
    try:
        pipeline = open_pipeline(folder)
        _read_all(pipeline)
    except OSError as error:
        # A folder instead of a file, or the reverse, is damage; missing permissions and a full disk are not.
        if isinstance(error, (IsADirectoryError, NotADirectoryError, FileExistsError, FileNotFoundError, gzip.BadGzipFile)):
            return None
        raise
    except Exception:  # noqa: BLE001  # damaged files raise different errors
        return None
    return pipeline


def _read_all(pipeline: dlt.Pipeline) -> None:
    """Read the working files that dlt will read."""
    for name in ("load", "normalize", "schemas"):
        if Path(pipeline.working_dir, name).is_file():
            raise ValueError(f"{name} is not a folder")
    for name in pipeline.schema_names:
        pipeline.schemas[name]
    pipeline.list_extracted_load_packages()
    pipeline.list_normalized_load_packages()
    for path in _files(Path(pipeline.working_dir)):
        match path.suffix:
            case ".json":
                json.loads(path.read_bytes())
            case ".parquet":
                pyarrow.parquet.read_metadata(path)
            case ".gz":
                with gzip.open(path) as content:
                    content.read()
            case ".sql" if not path.read_bytes().strip(b"\0 \n"):
                raise ValueError(f"{path} is empty")


def _files(folder: Path) -> Iterator[Path]:
    for pattern in READ_AGAIN:
        for path in folder.glob(pattern):
            # In a hidden folder, dlt marks running jobs by files with the names of the jobs, and packages that are loaded.
            is_note = any(part.startswith(".") for part in path.relative_to(folder).parts) or path.name == COMPLETED
            if path.is_file() and not is_note:
                yield path
