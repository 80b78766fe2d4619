"""Decodes the body of a response into records of the declared shape.

Arrow converts the rows of almost every page as they are. A page with a value that does not fit its column is converted value
by value: what does not fit goes to `extra`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ..resources import RESOURCES
from ..resources.declaration import Resource
from .check import Checker, checker
from .coerce import DECIMAL_LIMIT, LAST_MS, json_text
from .normalize import normalize
from .schema import TEXT, Shape, shape_of, wire_type

NUL_ESCAPE: Final = b"\\u0000"
# A backslash before it makes it six characters of text, such as a delimiter written as \u0000.
_NUL: Final = re.compile(r"((?<!\\)(?:\\\\)*)\\u0000")
_POSITION: Final = re.compile(r"\[\d+\]")
# Errors of Arrow for a value that is not of its column's type.
_MISFIT: Final = (pa.ArrowException, TypeError, ValueError, OverflowError)


@dataclass(frozen=True)
class _Layout:
    """How a resource's rows are laid out."""

    shape: Mapping[str, Shape]
    kind: pa.DataType
    checker: Checker
    left_out: Mapping[str, str]


_LAYOUTS: Final = {
    resource.table: _Layout(shape, wire_type(shape), checker(shape, resource.left_out), resource.left_out)
    for resource, shape in ((resource, shape_of(resource)) for resource in RESOURCES)
}


@dataclass(frozen=True)
class Records:
    """Rows of a page.

    Attributes:
        values: structs of the declared shape's `wire_type`.
        extra: for each row, as JSON, what is not declared or does not fit, by its path; mostly null.
    """

    values: pa.StructArray
    extra: pa.StringArray

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def nbytes(self) -> int:
        """Memory of the rows, bytes."""
        return int(self.values.nbytes + self.extra.nbytes)

    @cached_property
    def largest_column_nbytes(self) -> int:
        """Memory of the largest column, bytes."""
        return max(int(column.nbytes) for column in (*self.values.flatten(), self.extra))

    def column(self, *path: str) -> list[Any]:
        """Return one field of every row."""
        values: list[Any] = pc.struct_field(self.values, list(path)).to_pylist()
        return values

    def at(self, positions: list[int]) -> Records:
        """Return the rows at some positions."""
        if len(positions) == len(self):
            return self
        where = pa.array(positions, pa.int64())
        return Records(self.values.take(where), self.extra.take(where))

    def unknown_paths(self) -> Counter[str]:
        """Count what is in `extra` by its path, without positions in lists."""
        found: Counter[str] = Counter()
        if self.extra.null_count < len(self):
            for text in self.extra.drop_null().to_pylist():
                extra = orjson.loads(text)
                found.update(_POSITION.sub("[]", path) for path in (extra if isinstance(extra, dict) else ()))
        return found


@dataclass(frozen=True)
class Answer:
    """The response of a list operation.

    Attributes:
        records: the rows.
        next_token: the token of the next page, or None on the last one.
        total_count: number of rows that match the filter by the API's count, or None where it gives none.
    """

    records: Records
    next_token: str | None
    total_count: int | None


def read_answer(content: bytes, resource: Resource, asked: Mapping[str, str]) -> Answer | None:
    """Return the response of a list operation, or None where the body is not a complete JSON object.

    Args:
        content: the body.
        resource: what was listed.
        asked: what was asked, by the name under which rows may repeat it.
    """
    body = decode_body(content)
    if body is None:
        return None
    rows, token, total = body.get(resource.rows), body.get("nextToken"), body.get("totalCount")
    return Answer(
        read_rows(rows if isinstance(rows, list) else [], resource, asked),
        next_token=str(token) if token else None,
        total_count=int(total) if isinstance(total, (int, str)) and str(total).isdecimal() else None,
    )


def read_rows(rows: list[Any], resource: Resource, asked: Mapping[str, str]) -> Records:
    """Return rows of decoded JSON as records; values that are not objects are left out."""
    layout = _LAYOUTS[resource.table]
    rows = [row for row in rows if type(row) is dict]
    return _as_they_are(rows, layout, asked) or _value_by_value(rows, layout, asked)


def decode_body(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object of a body, or None where it is not a complete one.

    NUL and lone surrogates are valid in JSON and refused by some destinations. They become U+FFFD and `?`, so that one such
    name does not block a whole window.
    """
    try:
        if NUL_ESCAPE not in content:
            body = orjson.loads(content)
            return body if isinstance(body, dict) else None
    except orjson.JSONDecodeError:
        pass
    try:
        lenient = json.dumps(json.loads(content.decode(errors="replace"), parse_constant=str), ensure_ascii=False)
        body = orjson.loads(_NUL.sub(r"\1\\ufffd", lenient).encode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _as_they_are(rows: list[dict[str, Any]], layout: _Layout, asked: Mapping[str, str]) -> Records | None:
    """Return rows as Arrow takes them, or None where a value does not fit its column."""
    try:
        undeclared = [layout.checker.undeclared(row) for row in rows]
        values = pa.array(rows, layout.kind)
    except _MISFIT:
        return None
    if not _fits(values, layout.shape, asked):
        return None
    return Records(values, _extra(undeclared))


def _value_by_value(rows: list[dict[str, Any]], layout: _Layout, asked: Mapping[str, str]) -> Records:
    normalized = [normalize(row, layout.shape, asked, layout.left_out) for row in rows]
    return Records(pa.array([row for row, _ in normalized], layout.kind), _extra(extra for _, extra in normalized))


def _extra(found: Iterable[dict[str, Any]]) -> pa.StringArray:
    return pa.array([json_text(extra) if extra else None for extra in found], TEXT)


def _fits(values: pa.StructArray, shape: Mapping[str, Shape], asked: Mapping[str, str]) -> bool:
    """Return whether all values are such as their columns can hold, and of what was asked."""
    for name, inner in shape.items():
        column = values.field(name)
        if isinstance(inner, Mapping):
            if not _fits(column, inner, {}):
                return False
        elif inner == "timestamp":
            bounds = pc.min_max(column).as_py()
            if bounds["min"] is not None and not 0 <= bounds["min"] <= bounds["max"] <= LAST_MS:
                return False
        elif inner == "decimal" and pc.any(pc.greater_equal(pc.abs(column), float(DECIMAL_LIMIT))).as_py():
            return False
    return all(pc.all(pc.equal(values.field(name), value)).as_py() is not False for name, value in asked.items())
