"""Converts a JSON value to the type of a column, or to None where it does not fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from ..resources.declaration import DataType

# The end of the year 9999, the last that every destination and Python can hold.
LAST_MS: Final = 253_402_300_799_999
# `decimal(18, 6)` has twelve digits before the point.
DECIMAL_LIMIT: Final = 10**12
_INT64: Final = 2**63
_TOO_DEEP: Final = '"nested too deep"'


def fit(value: Any, kind: DataType) -> Any:
    """Return a value in the type of its column, or None where it does not fit.

    Args:
        value: any JSON value except null.
        kind: of the column. Times are epoch milliseconds, decimals a float: Arrow makes the rest of them.
    """
    return _FIT[kind](value)


def _fit_integer(value: Any) -> int | None:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        return None
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if -_INT64 <= number < _INT64 else None


def _fit_timestamp(value: Any) -> int | None:
    number = _fit_integer(value)
    return number if number is not None and 0 < number <= LAST_MS else None


def _fit_decimal(value: Any) -> float | None:
    number = _fit_double(value)
    return number if number is not None and -DECIMAL_LIMIT < number < DECIMAL_LIMIT else None


def _fit_double(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _fit_boolean(value: Any) -> bool | None:
    return {"true": True, "false": False}.get(str(value).lower())


def _fit_text(value: Any) -> str:
    return value if type(value) is str else json_text(value)


def json_text(value: Any) -> str:
    """Return a value as compact JSON with sorted keys."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:  # orjson reads four times deeper than it writes
        return _TOO_DEEP


_FIT: Final[Mapping[DataType, Callable[[Any], Any]]] = {
    "text": _fit_text,
    "bigint": _fit_integer,
    "double": _fit_double,
    "decimal": _fit_decimal,
    "bool": _fit_boolean,
    "timestamp": _fit_timestamp,
}


def utc_from_ms(milliseconds: int) -> datetime:
    """Return epoch milliseconds as a UTC time."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
