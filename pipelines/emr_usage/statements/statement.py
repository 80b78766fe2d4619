"""A statement, and the text by which it is recognised; docs/statements.md describes the text, so that others can compute it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

_ORDER: Final = ("adjusted_month", "cause", "owner", "workspace_id", "currency")


@dataclass(frozen=True)
class Statement:
    """The statement of a closed month.

    Attributes:
        header: its row of `statements`, without the SHA-256.
        lines: its rows of `statement_lines`, without the month, in order.
    """

    header: Mapping[str, Any]
    lines: Sequence[Mapping[str, Any]]

    @property
    def content(self) -> str:
        """Everything it says, in one form: a line of JSON."""
        return canonical({"statement": self.header, "lines": in_order(self.lines)})

    @property
    def sha256(self) -> str:
        """SHA-256 of the content, in hexadecimal digits."""
        return sha256_of(self.content)


def in_order(lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return lines in the order of a statement: use of the month first, then adjustments by month and cause; null comes first."""
    return sorted(lines, key=lambda line: [str(line[name] or "") for name in _ORDER])


def canonical(value: object) -> str:
    """Return a value as one line of JSON: keys sorted, no white space, decimals and times as texts."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_text)
    return f"{text}\n"


def sha256_of(text: str) -> str:
    """Return the SHA-256 of a text's UTF-8, in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
