"""A lock between the processes that can reach a folder: a file that names its holder, locked with flock."""

from __future__ import annotations

import errno
import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .errors import NO_SPACE, BusyError, FolderError
from .holder import Holder

# Errors of flock where another process holds the lock; EACCES on some network file systems.
_HELD: Final = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES})


@contextmanager
def lock_file(path: Path, option: str) -> Iterator[None]:
    """Hold a lock file, which is created if it is missing and never removed; the lock ends with the process.

    Args:
        path: of the file.
        option: the option for another folder.

    Raises:
        BusyError: another process holds it.
        FolderError: the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a", encoding="utf-8")
    except OSError as error:
        if error.errno in NO_SPACE:
            raise
        raise FolderError(path.parent, option, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _HELD:
                raise FolderError(path.parent, option, error) from error
            raise BusyError(_read_holder(path)) from None
        # The file may still name a holder that was killed.
        lock.truncate(0)
        lock.write(json.dumps(asdict(Holder.this_process())))
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def _read_holder(path: Path) -> str:
    """Return who holds a lock file, as written in it."""
    try:
        holder = Holder(**json.loads(path.read_text(encoding="utf-8")))
        return holder.since(datetime.fromtimestamp(path.stat().st_mtime, UTC))
    except (OSError, ValueError, TypeError):
        return "a process that is starting or ending"
