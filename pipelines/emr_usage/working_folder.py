"""The folder of working files: emptied by someone, damaged, or another user's.

All that matters in it is in the destination too: dlt restores its state and schema from there, and what a killed load had not yet
loaded is read again, because no cursor has passed it. So a damaged folder is emptied and made anew.
"""

from __future__ import annotations

import errno
import gzip
import json
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import dlt
import pyarrow.parquet
from dlt.common.storages import PackageStorage

from .errors import WorkingFilesError

logger = logging.getLogger("emr_serverless")

NO_ACCESS: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
# What the next load reads; what was being written when a load was killed is elsewhere, and dlt removes it.
COMPLETED: Final = PackageStorage.PACKAGE_COMPLETED_FILE_NAME
READ_AGAIN: Final = ("state.json", "schemas/*.json", "normalize/extracted/*/**/*", "load/normalized/*/**/*")


def open_in(
    folder: Path, open_pipeline: Callable[[Path], dlt.Pipeline], lock: Callable[[Path], AbstractContextManager[None]]
) -> dlt.Pipeline:
    """Open a pipeline in its folder of working files, which is emptied first where it is damaged.

    Args:
        folder: the working files are in; it need not be there.
        open_pipeline: opens the pipeline with its working files in a folder.
        lock: holds the folder for one process: files that another one is writing look damaged.

    Raises:
        WorkingFilesError: the folder cannot be used by this user, or is no folder.
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
                open_pipeline(Path(empty))  # what fails here too, such as a setting, is no damage
            logger.warning("The working files in %s are damaged; restoring them from the destination", folder)
            for path in list(folder.iterdir()):
                if path.is_dir():
                    shutil.rmtree(path)
        return open_pipeline(folder)
    except OSError as error:
        if error.errno in NO_ACCESS:
            raise WorkingFilesError(folder, f"cannot be used by this user ({error.strerror})") from error
        raise


def _undamaged(folder: Path, open_pipeline: Callable[[Path], dlt.Pipeline]) -> dlt.Pipeline | None:
    try:
        pipeline = open_pipeline(folder)
        _read_all(pipeline)
    except OSError as error:
        # A folder in place of a file, or the reverse, is damage; what is forbidden or full is not.
        if isinstance(error, (IsADirectoryError, NotADirectoryError, FileExistsError, FileNotFoundError, gzip.BadGzipFile)):
            return None
        raise
    except Exception:  # noqa: BLE001  # whatever damaged files make their readers raise
        return None
    return pipeline


def _read_all(pipeline: dlt.Pipeline) -> None:
    """Read the working files as far as dlt will."""
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
            # In a hidden folder dlt notes the jobs under way, in files named like the jobs' own; of a package, that it is loaded.
            is_note = any(part.startswith(".") for part in path.relative_to(folder).parts) or path.name == COMPLETED
            if path.is_file() and not is_note:
                yield path
