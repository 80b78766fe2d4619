"""Files that are written completely or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file atomically, and create its folder: readers see the old file until then, and no partial file is left.

    Args:
        path: of the file.
        write: writes its content to the path it is given.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
        new = Path(folder) / path.name
        write(new)
        new.replace(path)
