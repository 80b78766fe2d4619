"""A pseudo-terminal for commands, and the text on its screen and in its scrollback."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

# A control sequence of a terminal, or a sequence of two characters.
SEQUENCE = re.compile(r"\x1b(?:\[(?P<numbers>[0-9;?]*)(?P<letter>[A-Za-z])|.)")


class Screen:
    """Draws what a program writes, as far as ours and rich write it: text, moves of the cursor, erased lines.

    Args:
        columns: its width; a longer line goes on in the next row.
    """

    def __init__(self, columns: int = 80) -> None:
        self._columns = columns
        self._rows: list[list[str]] = [[]]
        self._row = self._column = 0

    def draw(self, text: str) -> None:
        """Draw what was written."""
        position = 0
        while position < len(text):
            if found := SEQUENCE.match(text, position):
                self._obey(found["letter"], found["numbers"] or "")
                position = found.end()
            else:
                self._put(text[position])
                position += 1

    @property
    def lines(self) -> list[str]:
        """What is to be read, from the first line that was ever drawn."""
        return ["".join(row).rstrip() for row in self._rows]

    def _put(self, character: str) -> None:
        if character == "\n":
            self._down()
        elif character == "\r":
            self._column = 0
        else:
            width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
            if self._column + width > self._columns:
                self._column = 0
                self._down()
            row = self._rows[self._row]
            row += " " * (self._column + width - len(row))
            row[self._column : self._column + width] = [character, *[""] * (width - 1)]
            self._column += width

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self._rows):
            self._rows.append([])

    def _obey(self, letter: str | None, numbers: str) -> None:
        if letter == "A":
            self._row = max(0, self._row - int(numbers or 1))
        elif letter == "K":
            assert numbers == "2", f"erases a part of a line: {numbers}"
            self._rows[self._row] = []
        else:
            # Colours, and whether the cursor is shown.
            assert letter in {"m", "h", "l"}, f"moves otherwise: {numbers}{letter}"


def on_a_terminal(
    arguments: list[str], folder: Path, environment: Mapping[str, str], *, columns: int = 80, rows: int = 40
) -> tuple[str, int]:
    """Run a command on a terminal; return all that was written to it, and the exit code."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    variables = dict(environment) | {"TERM": "xterm-256color"}
    with subprocess.Popen(arguments, cwd=folder, env=variables, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        written = b"".join(until_closed(ours))
        process.wait(60)
    os.close(ours)
    return written.decode(), process.returncode


def until_closed(terminal: int) -> Iterator[bytes]:
    """Yield what comes out of a terminal until nobody has it open any more."""
    while True:
        try:
            part = os.read(terminal, 65_536)
        except OSError:  # Linux says so when the other side is closed
            return
        if not part:
            return
        yield part
