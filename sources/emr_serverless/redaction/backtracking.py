"""Finds regular expressions that may never end: `re` tries every way to divide a text among nested or adjacent repetitions."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from functools import cache
from typing import Final

# Exponential patterns double with every character: these lengths take a millionth of a second to a few hundredths.
_SHORT: Final = range(4, 29)
# Polynomial ones are caught by doubling the text. Searching is quadratic for many harmless patterns, 20 ms at the last length.
_LONG: Final = (32, 64, 128, 256, 512, 1024)
_CPU_SECONDS: Final = 0.25
# Characters that common classes match, beside those that the pattern names.
_USUAL: Final = "a0 _="
# Longer patterns are lists of names, whose letters repeat.
_MOST_CHARACTERS: Final = 24


@cache
def backtracks_without_bound(pattern: re.Pattern[str]) -> bool:
    """Return whether a search of some text of a kilobyte takes more than a quarter of a second of CPU.

    The texts repeat one character, of a common class or of the pattern itself, and end in one that no repetition expects. A
    pattern that is slow only where several characters repeat in turn is not noticed.
    """
    return any(_seconds(pattern, text) > _CPU_SECONDS for text in _texts(pattern.pattern))


def _texts(pattern: str) -> Iterator[str]:
    characters = dict.fromkeys([*_USUAL, *pattern])
    for length in (*_SHORT, *_LONG):
        for character in list(characters)[:_MOST_CHARACTERS]:
            yield f"{character * length}\N{REPLACEMENT CHARACTER}"


def _seconds(pattern: re.Pattern[str], text: str) -> float:
    began = time.thread_time()
    pattern.search(text)
    return time.thread_time() - began
