"""An answer's body as records of the documented shape.

Almost every page of job runs is exactly as documented, and Arrow reads it in one go: no Python object is made for each value, and
other threads work on meanwhile. Any other page is read value by value: what is not documented, or does not fit, goes to `extra`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as arrow_json

from .coerce import CU_HOURS_LIMIT, LAST_MS, fit, json_text
from .schema import CU_HOURS, TEXT, TIMESTAMP
from .shapes import JOB_RUN, WORKSPACE, Shape, wire_type

NUL_ESCAPE: Final = b"\\u0000"
# A backslash before it makes it six characters of text, such as a delimiter written as \u0000.
_NUL: Final = re.compile(r"((?<!\\)(?:\\\\)*)\\u0000")
_POSITION: Final = re.compile(r"\[\d+\]")
_JOB_RUN_TYPE: Final = wire_type(JOB_RUN)
_WORKSPACE_TYPE: Final = wire_type(WORKSPACE)
_AS_DOCUMENTED: Final = arrow_json.ParseOptions(
    explicit_schema=pa.schema(
        {
            "jobRuns": pa.list_(_JOB_RUN_TYPE),
            "nextToken": TEXT,
            "totalCount": pa.int64(),
            "maxResults": pa.int64(),
            "requestId": TEXT,
        }
    ),
    unexpected_field_behavior="error",
)
_TIMES: Final = tuple(name for name, shape in JOB_RUN.items() if shape == TIMESTAMP)
_FIGURES: Final = tuple(name for name, shape in JOB_RUN.items() if shape == CU_HOURS)


@dataclass(frozen=True)
class Records:
    """Rows of a page.

    Attributes:
        values: structs of the documented shape's `wire_type`.
        extra: for each row, as JSON, what is not documented or does not fit, by its path; mostly null.
    """

    values: pa.StructArray
    extra: pa.StringArray

    def __len__(self) -> int:
        return len(self.values)

    @property
    def nbytes(self) -> int:
        """Memory the rows take."""
        return int(self.values.nbytes + self.extra.nbytes)

    def column(self, *path: str) -> list[Any]:
        """Return one field of every row."""
        values: list[Any] = pc.struct_field(self.values, list(path)).to_pylist()
        return values

    def at(self, positions: list[int]) -> Records:
        """Return some of the rows."""
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
    """What a list operation answered with.

    Attributes:
        records: the rows.
        next_token: the token of the next page, or None on the last one.
        total_count: matches of the filter by the API's own count, or None where it gives none.
    """

    records: Records
    next_token: str | None
    total_count: int | None


def read_job_runs(content: bytes, workspace_id: str) -> Answer | None:
    """Return the answer of ListJobRuns about a workspace, or None where the body is no whole JSON object."""
    return _read_as_documented(content, workspace_id) or _read_leniently(
        content, "jobRuns", lambda rows: job_run_records(rows, workspace_id)
    )


def read_workspaces(content: bytes, region_id: str) -> Answer | None:
    """Return the answer of ListWorkspaces about a region, or None where the body is no whole JSON object."""
    return _read_leniently(content, "workspaces", lambda rows: workspace_records(rows, region_id))


def job_run_records(rows: list[Any], workspace_id: str) -> Records:
    """Return job runs from decoded JSON; whatever is no object is left out."""
    return _mend_rows(rows, JOB_RUN, _JOB_RUN_TYPE, {"workspaceId": workspace_id})


def workspace_records(rows: list[Any], region_id: str) -> Records:
    """Return workspaces from decoded JSON; whatever is no object is left out."""
    return _mend_rows(rows, WORKSPACE, _WORKSPACE_TYPE, {"regionId": region_id})


def decode_body(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object of a body, or None where there is no whole one.

    NUL and lone surrogates are legal in JSON and refused by some destinations: they become U+FFFD and `?`, so that one hostile
    name cannot hold a whole window back.
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


def _read_as_documented(content: bytes, workspace_id: str) -> Answer | None:
    """Return an answer that is exactly as documented, or None."""
    # Arrow ends the process over a body of `null`, and takes a second object after the first for another row.
    if not content.startswith(b"{") or NUL_ESCAPE in content or not _is_utf8(content):
        return None
    options = arrow_json.ReadOptions(use_threads=False, block_size=len(content) + 1)
    try:
        body = arrow_json.read_json(pa.BufferReader(content), read_options=options, parse_options=_AS_DOCUMENTED)
    except pa.ArrowException:
        return None
    if body.num_rows != 1:
        return None
    values = body["jobRuns"].chunk(0).flatten()
    if values.null_count or not _fits(values, workspace_id):
        return None
    token = body["nextToken"][0].as_py()
    total = body["totalCount"][0].as_py()
    return Answer(Records(values, pa.nulls(len(values), TEXT)), token or None, total if total is None or total >= 0 else None)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _fits(values: pa.StructArray, workspace_id: str) -> bool:
    """Tell whether all values are such as their columns can hold, and of the workspace that was asked."""
    for name in _TIMES:
        bounds = pc.min_max(values.field(name)).as_py()
        if bounds["min"] is not None and not 0 <= bounds["min"] <= bounds["max"] <= LAST_MS:
            return False
    # Not-a-number is not less than anything.
    checks = [pc.less(pc.abs(values.field(name)), float(CU_HOURS_LIMIT)) for name in _FIGURES]
    checks.append(pc.equal(values.field("workspaceId"), workspace_id))
    return all(pc.all(check).as_py() is not False for check in checks)


def _read_leniently(content: bytes, rows_key: str, mend: Callable[[list[Any]], Records]) -> Answer | None:
    body = decode_body(content)
    if body is None:
        return None
    rows, token, total = body.get(rows_key), body.get("nextToken"), body.get("totalCount")
    return Answer(
        mend(rows if isinstance(rows, list) else []),
        next_token=str(token) if token else None,
        total_count=int(total) if isinstance(total, (int, str)) and str(total).isdecimal() else None,
    )


def _mend_rows(rows: list[Any], shape: Mapping[str, Shape], kind: pa.DataType, asked: Mapping[str, str]) -> Records:
    mended, extras = [], []
    for row in rows:
        if not isinstance(row, dict):
            continue
        extra: dict[str, Any] = {name: row[name] for name, value in asked.items() if row.get(name) not in (None, value)}
        mended.append(_mend(row, shape, "", extra))
        extras.append(json_text(extra) if extra else None)
    return Records(pa.array(mended, kind), pa.array(extras, TEXT))


def _mend(value: Any, shape: Shape, path: str, extra: dict[str, Any]) -> Any:
    """Return a value in its shape; what has no place in it goes to `extra`."""
    if value is None:
        return None
    if isinstance(shape, Mapping):
        if type(value) is dict:
            prefix = f"{path}." if path else ""
            extra.update({prefix + name: value[name] for name in value.keys() - shape.keys()})
            return {name: _mend(value.get(name), inner, prefix + name, extra) for name, inner in shape.items()}
    elif isinstance(shape, list):
        if type(value) is list:
            return [_mend(item, shape[0], f"{path}[{position}]", extra) for position, item in enumerate(value)]
    elif shape == TIMESTAMP and not value:
        return None  # null, 0 and nothing are the API's ways to say that there is no time
    elif (fitted := fit(value, shape)) is not None:
        return fitted
    extra[path] = value
    return None
