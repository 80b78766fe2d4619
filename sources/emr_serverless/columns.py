"""Python values as Arrow columns: quick where every value has its column's type, lenient one by one where not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from types import NoneType
from typing import Any, Final

import orjson
import pyarrow as pa

from .tables import BOOLEAN, CU_HOURS, INTEGER, TEXT, TIMESTAMP

_MILLISECONDS: Final = pa.timestamp("ms", tz="UTC")
# The end of the year 9999, the last that every destination and Python can hold.
LAST_MS: Final = 253_402_300_799_999
_INT64: Final = 2**63
_CU_LIMIT: Final = 10**12
_TOO_DEEP: Final = '"nested too deep"'


def typed_column(values: list[Any], kind: pa.DataType) -> tuple[pa.Array, Iterable[int]]:
    """Return the values in their column's type, and the positions of those that do not fit it and became null."""
    try:
        return _FAST[kind](values), ()
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        fitted = [None if value is None else _FIT[kind](value) for value in values]
        lost = [index for index, value in enumerate(values) if value is not None and fitted[index] is None]
        return _FAST[kind](fitted), lost


def _hold_to(values: list[Any], *kinds: type) -> None:
    # Arrow itself would cut fractions off and take true for 1.
    if not {*map(type, values)} <= {NoneType, *kinds}:
        raise TypeError("values of other types")


def _integers(values: list[Any]) -> pa.Array:
    _hold_to(values, int)
    return pa.array(values, INTEGER)


def _milliseconds(values: list[Any]) -> pa.Array:
    if not all(value is None or 0 < value <= LAST_MS for value in values):
        raise ValueError("a time outside the years that destinations can hold")
    return _integers(values).cast(_MILLISECONDS).cast(TIMESTAMP)


def _cu_hours(values: list[Any]) -> pa.Array:
    _hold_to(values, int, float)
    # Arrow rounds to the nearest millionth, which is the API's own resolution.
    return pa.array(values, pa.float64()).cast(CU_HOURS)


def _fit_integer(value: Any) -> int | None:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        return None
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if -_INT64 <= number < _INT64 else None


def fit_timestamp(value: Any) -> int | None:
    """Return epoch milliseconds that a destination can hold, or None."""
    number = _fit_integer(value)
    return number if number is not None and 0 < number <= LAST_MS else None


def _fit_cu_hours(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if -_CU_LIMIT < number < _CU_LIMIT else None


def _fit_boolean(value: Any) -> bool | None:
    return {"true": True, "false": False}.get(str(value).lower())


def as_text(value: Any) -> str | None:
    """Return a text as it is, None as None, and anything else as JSON."""
    return value if value is None or type(value) is str else json_text(value)


def json_text(value: Any) -> str:
    """Return a value as compact JSON with sorted keys."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:  # orjson reads four times deeper than it writes
        return _TOO_DEEP


_FAST: Final[Mapping[pa.DataType, Callable[[list[Any]], pa.Array]]] = {
    TEXT: lambda values: pa.array(values, TEXT),
    INTEGER: _integers,
    BOOLEAN: lambda values: pa.array(values, BOOLEAN),
    TIMESTAMP: _milliseconds,
    CU_HOURS: _cu_hours,
}
_FIT: Final[Mapping[pa.DataType, Callable[[Any], Any]]] = {
    TEXT: as_text,
    INTEGER: _fit_integer,
    BOOLEAN: _fit_boolean,
    TIMESTAMP: fit_timestamp,
    CU_HOURS: _fit_cu_hours,
}


def utc_from_ms(milliseconds: int) -> datetime:
    """Return epoch milliseconds as a UTC time."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
