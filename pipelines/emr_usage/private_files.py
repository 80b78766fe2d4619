"""Files that only their owner may read: databases and working files hold what jobs were given."""

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
    """Have every file and folder that this process makes be its owner's only, whatever umask it was started with."""
    before = os.umask(_NOTHING_FOR_OTHERS)
    try:
        yield
    finally:
        os.umask(before)


def make_private_folder(folder: Path) -> None:
    """Make a folder of working files, or take the rights of others from one that is there; its owner may be another user."""
    folder.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_uid == os.getuid():
        folder.chmod(_OWNERS_FOLDER)
