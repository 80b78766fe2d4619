"""Files that only their owner may read: databases and working files contain the parameters of jobs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_NOTHING_FOR_OTHERS: Final = 0o077
_OWNERS_FOLDER: Final = 0o700


@contextmanager
def private_files() -> Iterator[None]:
    """Make new files and folders of this process readable by their owner only, regardless of the umask."""
    before = os.umask(_NOTHING_FOR_OTHERS)
    try:
        yield
    finally:
        os.umask(before)


def make_private_folder(folder: Path) -> None:
    """Create a folder of working files, or remove the permissions of other users from an existing one."""
    folder.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_uid == os.getuid():
        folder.chmod(_OWNERS_FOLDER)
