"""The regular expressions that a user adds to the redaction."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .tokens import MASK


class UserPatterns:
    """Regular expressions, case-insensitive.

    Args:
        patterns: the expressions.

    Raises:
        ValueError: one of them is not a regular expression, or matches the empty text.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(_compile(pattern) for pattern in patterns)

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def match_key(self, key: str) -> bool:
        """Return whether a key names a secret; the dashes of an option do not count."""
        return any(pattern.search(key.lstrip("-")) for pattern in self._patterns)

    def mask(self, text: str) -> str:
        """Return a text with what the patterns match masked."""
        for pattern in self._patterns:
            text = pattern.sub(_mask_match, text)
        return text


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"The extra redaction pattern {pattern!r} is not a regular expression: {error}.") from error
    if compiled.search(""):
        raise ValueError(f"The extra redaction pattern {pattern!r} matches the empty text and would mask everything.")
    return compiled


def _mask_match(match: re.Match[str]) -> str:
    """Mask what a pattern of the user matches, unless it lies inside a mask."""
    start, end = match.span()
    is_masked = match.string.find(MASK, max(0, end - len(MASK)), start + len(MASK)) >= 0
    return match[0] if start == end or is_masked else MASK
