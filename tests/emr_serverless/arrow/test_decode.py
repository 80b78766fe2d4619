"""Pages that Arrow converts directly equal pages that are converted value by value."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from documented import DOCUMENTED_RUN, ORIGIN, WORKSPACE
from emr_serverless.arrow import decode
from emr_serverless.arrow.coerce import json_text
from emr_serverless.arrow.decode import Answer, Records, decode_body, read_answer
from emr_serverless.arrow.normalize import normalize
from emr_serverless.arrow.schema import shape_of, wire_type
from emr_serverless.arrow.tables import resource_tables
from emr_serverless.resources.job_runs import JOB_RUNS

ASKED = {"workspaceId": WORKSPACE}
PAGE: dict[str, Any] = {
    "jobRuns": [
        DOCUMENTED_RUN,
        DOCUMENTED_RUN | {"jobRunId": "jr-2", "endTime": None, "tags": [], "log": {}},
        {"jobRunId": "jr-3"},
    ],
    "nextToken": "t",
    "totalCount": 3,
    "maxResults": 100,
    "requestId": "R-1",
}
BODY = json.dumps(PAGE, ensure_ascii=False).encode()

# What a field may be instead of what is documented.
odd_values: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.5, 1e300, 2**63, 253_402_300_800_000, "", "7", "订单", "\0", "\ud800", [], [None], {}, {"x": 1}, [[1]]]
)
# What a body may contain by accident or malice.
PIECES = (
    b"null",
    b"{}",
    b"[]",
    b"{",
    b"}",
    b"]",
    b",",
    b'"',
    b"\\",
    b"1",
    b"NaN",
    b"\n",
    b"\\u0000",
    b"\\ud800",
    b"\xff",
    b"\x00",
)


def normalized(rows: list[Any]) -> Records:
    """Return rows in their shape, each value by itself."""
    shape = shape_of(JOB_RUNS)
    pairs = [normalize(row, shape, ASKED) for row in rows if isinstance(row, dict)]
    extras = [json_text(extra) if extra else None for _, extra in pairs]
    return Records(pa.array([row for row, _ in pairs], wire_type(shape)), pa.array(extras, pa.string()))


def read_value_by_value(content: bytes) -> Answer | None:
    """Return what the page says, by way of Python values alone."""
    body = decode_body(content)
    if body is None:
        return None
    rows, total, token = body.get("jobRuns"), body.get("totalCount"), body.get("nextToken")
    counted = int(total) if isinstance(total, (int, str)) and str(total).isdecimal() else None
    return Answer(normalized(rows if isinstance(rows, list) else []), str(token) if token else None, counted)


def assert_same(content: bytes) -> None:
    quick, slow = read_answer(content, JOB_RUNS, ASKED), read_value_by_value(content)
    assert (quick is None) == (slow is None)
    if quick and slow:
        assert (quick.next_token, quick.total_count) == (slow.next_token, slow.total_count)
        assert tables_of(quick) == tables_of(slow)


def tables_of(answer: Answer) -> dict[str, list[dict[str, Any]]]:
    """Return what a page becomes."""
    return {name: table.to_pylist() for name, table in resource_tables(JOB_RUNS, [(ORIGIN, answer.records)]).items()}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of everything in a page."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(inner for key, item in items for inner in places(item, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a page with something else in one place."""
    if not path:
        return new
    copy: Any = value.copy()
    copy[path[0]] = put(copy[path[0]], path[1:], new)
    return copy


def test_a_documented_page_is_converted_without_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = read_value_by_value(BODY)
    monkeypatch.setattr(decode, "normalize", lambda *_: pytest.fail("read value by value"))
    answer = read_answer(BODY, JOB_RUNS, ASKED)
    assert answer is not None
    assert expected is not None
    assert tables_of(answer) == tables_of(expected)
    assert (answer.next_token, answer.total_count, answer.records.extra.null_count) == ("t", 3, 3)


@given(st.lists(st.tuples(st.sampled_from(places(PAGE)[1:]), odd_values), max_size=3))
def test_pages_with_unusual_values_are_decoded_alike(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    page: Any = PAGE
    for path, value in changes:
        if path in places(page):
            page = put(page, path, value)
    assert_same(json.dumps(page).encode())


@given(st.sampled_from(places(PAGE)), st.text(max_size=3), odd_values)
def test_pages_with_an_unknown_field_are_decoded_alike(path: tuple[Any, ...], name: str, value: Any) -> None:
    target: Any = PAGE
    for key in path:
        target = target[key]
    assert_same(json.dumps(put(PAGE, path, {**target, name: value}) if isinstance(target, dict) else PAGE).encode())


@given(st.lists(st.tuples(st.integers(0, len(BODY)), st.integers(0, 8), st.sampled_from((*PIECES, b""))), max_size=3))
@example([(len(BODY), 0, b"{}")])
@example([(0, len(BODY), b"null")])
@example([(0, len(BODY), b"")])
@example([(0, 0, b"\xef\xbb\xbf")])
@example([(BODY.index(b"2.059"), 5, b"NaN")])
@example([(BODY.index(b"2.059"), 5, b"1e12")])
def test_damaged_bodies_are_decoded_alike(damage: list[tuple[int, int, bytes]]) -> None:
    body = BODY
    for start, length, piece in damage:
        body = body[:start] + piece + body[start + length :]
    assert_same(body)


@pytest.mark.parametrize("body", [b'{"jobRuns":[]}\n{"jobRuns":[]}', b" " + BODY, BODY + b" \n", b"{}", b'{"jobRuns":null}'])
def test_bodies_at_the_limits_of_json_are_decoded_alike(body: bytes) -> None:
    assert_same(body)
