"""Exit codes of the command; 0 is complete."""

from __future__ import annotations

from typing import Final

FAILED: Final = 1
USAGE: Final = 2
INCOMPLETE: Final = 3
IN_USE: Final = 4
