"""A console for text from anywhere, in any locale."""

from __future__ import annotations

import errno
import os
import re
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from .streams import failed_writes

# C0 and C1 controls but the line feed, what changes the direction of text or takes no space, separators of lines, surrogates.
_ACTING: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def printable(text: str) -> str:
    """Return a text with the characters that act on a terminal written as escapes: a name must not move the cursor."""
    return _ACTING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class SafeConsole(Console):
    """Prints text as it is: without markup, emoji codes, or characters that act on the terminal.

    A write that fails raises nothing; it is noted in `failed_writes`, and nothing more is written.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text, printable."""
        return super().render_str(printable(text), **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print, if it can be."""
        try:
            super().print(*objects, **options)
        except OSError as error:
            self._give_up(error)

    def __exit__(self, exc_type: object, exc_value: object, traceback: object) -> None:
        try:
            super().__exit__(exc_type, exc_value, traceback)
        except OSError as error:
            self._give_up(error)

    def on_broken_pipe(self) -> None:
        """Note that the reader has gone; rich would end the process."""
        self._give_up(BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)))

    def _give_up(self, error: OSError) -> None:
        failed_writes["stderr" if self.stderr else "stdout"] = error
        self.quiet = True
