"""A lock for the processes that reach one folder: a file that names its holder, held by flock."""

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

# What flock says of a lock that another process holds; EACCES on some network file systems.
_HELD: Final = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES})


@contextmanager
def lock_file(path: Path, option: str) -> Iterator[None]:
    """Hold a lock file, which is made where it is missing and stays; the system releases the lock of a process that ends.

    Args:
        path: of the file.
        option: with which another folder can be given.

    Raises:
        BusyError: another process holds it.
        FolderError: it cannot be written.
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
        # A killed holder could not remove its name.
        lock.truncate(0)
        lock.write(json.dumps(asdict(Holder.this_process())))
        lock.flush()
        try:
            yield
        finally:
            lock.truncate(0)


def _read_holder(path: Path) -> str:
    """Return who holds a lock file, which it wrote into it when it began."""
    try:
        holder = Holder(**json.loads(path.read_text(encoding="utf-8")))
        return holder.since(datetime.fromtimestamp(path.stat().st_mtime, UTC))
    except (OSError, ValueError, TypeError):
        return "a process that has just begun or is about to end"
