"""Hostile bodies: every valid JSON value is decoded, and invalid characters do not fail a page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answers import ScriptedApi, reply
from emr_serverless.arrow.decode import decode_body


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (r'"a\u0000b"', "a\ufffdb"),
        (r'"\u0000\u0000"', "\ufffd\ufffd"),
        (r'"a\ud800b"', "a?b"),
        (r'"\udc00\ud800"', "??"),
        (r'"\ud83d\ude00 \ud83d"', "😀 ?"),
        (r'"\u0000\ud800"', "\ufffd?"),
        # Six characters of text that look like an escape, as in a delimiter of a Hive table.
        (r'"a\\u0000b"', r"a\u0000b"),
        (r'"a\\\u0000b"', "a\\\ufffdb"),
        (r'"\\u0000\u0000\\\\u0000"', "\\u0000\ufffd\\\\u0000"),
        (r'"\u0001\u001f"', "\u0001\u001f"),
        (r'"\\ud800"', r"\ud800"),
    ],
)
def test_only_characters_that_destinations_reject_are_replaced(raw: str, text: str) -> None:
    body = decode_body(f'{{"jobRuns":[{{"name":{raw},"n":1.25,"项目":"订单"}}]}}'.encode())
    assert body == {"jobRuns": [{"name": text, "n": 1.25, "项目": "订单"}]}
    text.encode()


def test_bytes_that_are_not_utf_8_are_replaced() -> None:
    assert decode_body(b'{"name":"a\xff\xfeb"}') == {"name": "a\ufffd\ufffdb"}


def test_a_page_with_invalid_characters_is_read_completely() -> None:
    body = b'{"jobRuns":[{"jobRunId":"jr-1","name":"\\u0000\\ud800"},{"jobRunId":"jr-2"}],"totalCount":2}'
    page = ScriptedApi(reply(200, body)).list_job_runs()
    assert page.records.column("jobRunId") == ["jr-1", "jr-2"]
    assert page.total_count == 2


@pytest.mark.parametrize("content", [b'{"n": NaN}', b'{"n": Infinity}', b'{"n": -Infinity}'])
def test_numbers_outside_json_become_text(content: bytes) -> None:
    body = decode_body(content)
    assert body is not None
    assert isinstance(body["n"], str)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b'"x"',
        b"12",
        b"{",
        b'{"a":',
        b'{"a":1}}',
        b"<html>",
        b"\x1f\x8b\x08",
        b"[" * 100_000,
        b'{"a":' * 5_000,
    ],
)
def test_invalid_and_non_object_bodies_are_rejected(content: bytes) -> None:
    assert decode_body(content) is None


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def replaced(value: Any) -> Any:
    """Return what a value is after NUL has been replaced."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, list):
        return [replaced(item) for item in value]
    if isinstance(value, dict):
        return {replaced(key): replaced(item) for key, item in value.items()}
    return value


@given(st.dictionaries(st.text(), json_values, max_size=4), st.booleans())
def test_all_other_values_are_decoded_unchanged(body: dict[str, Any], ascii_only: bool) -> None:  # noqa: FBT001  # hypothesis
    assert decode_body(json.dumps(body, ensure_ascii=ascii_only).encode()) == replaced(body)


@given(st.text(alphabet='\\u0\0"a', max_size=12))
def test_backslashes_before_nul_are_decoded_correctly(text: str) -> None:
    assert decode_body(json.dumps({"a": text}).encode()) == {"a": replaced(text)}
