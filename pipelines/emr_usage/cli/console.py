"""A console for untrusted text, in any locale."""

from __future__ import annotations

import errno
import os
import re
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from .streams import failed_writes

# C0 and C1 controls except the line feed; characters that change the text direction, have no width or end a line; surrogates.
_ACTING: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def printable(text: str) -> str:
    """Return a text with control characters escaped: a name must not move the cursor."""
    return _ACTING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class SafeConsole(Console):
    """Prints text literally: no markup, emoji codes or control characters.

    A failed write raises nothing; it is recorded in `failed_writes`, and no more is written.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text with control characters escaped."""
        return super().render_str(printable(text), **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; a failed write is recorded."""
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
        """Record that the reader closed the pipe; rich would end the process."""
        self._give_up(BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)))

    def _give_up(self, error: OSError) -> None:
        failed_writes["stderr" if self.stderr else "stdout"] = error
        self.quiet = True
