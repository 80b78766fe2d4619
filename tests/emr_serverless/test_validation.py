"""Valid and invalid values of each setting."""

from __future__ import annotations

import inspect
import math
from typing import Any

import pytest

from emr_serverless import CheckSettingsError, emr_serverless, read_setting
from emr_serverless.validation import SETTINGS, Number

NUMBERS = {name: setting.kind for name, setting in SETTINGS.items() if isinstance(setting.kind, Number)}
OUT_OF_RANGE = [
    (name, value)
    for name, kind in NUMBERS.items()
    for value in (
        kind.low - 1,
        kind.high + 1,
        -5,
        -1,
        math.nan,
        math.inf,
        -math.inf,
        "nan",
        "Infinity",
        "-1",
        "",
        " ",
        "many",
        True,
    )
]
FRACTIONS = [(name, value) for name, kind in NUMBERS.items() if kind.whole for value in (1.5, "1.5")]
OTHERS: dict[str, list[Any]] = {
    "region_ids": [
        *([], "", "cn-hangzhou", "[", "5", [""], [" "], ["cn-hangzhou"] * 2, [None], [1], {"a": 1}, 5),
        *([text] for text in ("CN-Hangzhou", "cn_hangzhou", "evil.com/", "cn-hangzhou ", "a.b", "cn-", "地区")),
    ],
    "workspace_ids": ["w-1", [""], ["w-1", "w-1"], ["w/1"], ["../x"], ["w 1"], [{}], True],
    "endpoint": [
        *("", " ", 5, "http://emr.example.com", "ftp://host", "https://", "https://a b", "https://h:0x", "https://h:99999"),
        *("https://h?x=1", "https://h#x", "https://u:p@h", "{region}.example.com"),
    ],
    "redact": ["flase", "", 1, 0, "yes", [], 2.0],
    "redact_patterns": ["acme", [""], ["("], ["a*"], ["x", "x"], [1], ["(a+)+$"], [r"(\w+\s?)+$"], [r"(-+)+!"]],
}
BAD = [*OUT_OF_RANGE, *FRACTIONS, *((name, value) for name, values in OTHERS.items() for value in values)]
GOOD: list[tuple[str, Any, Any]] = [
    ("region_ids", ["cn-hangzhou"], ("cn-hangzhou",)),
    ("region_ids", '["cn-hangzhou", "ap-southeast-1"]', ("cn-hangzhou", "ap-southeast-1")),
    ("workspace_ids", [], ()),
    ("workspace_ids", "[]", ()),
    ("endpoint", None, None),
    ("endpoint", "emr-serverless-spark-vpc.{region_id}.aliyuncs.com", "emr-serverless-spark-vpc.{region_id}.aliyuncs.com"),
    ("endpoint", "http://[::1]:8600", "http://[::1]:8600"),
    ("max_connections", "8", 8),
    ("max_connections", 8.0, 8),
    ("lookback_hours", "0", 0.0),
    ("lookback_hours", "1.5", 1.5),
    ("requests_per_second", None, None),
    ("redact", "Strict", "strict"),
    (
        "redact_patterns",
        [r"acme-[0-9a-f]{8}", r"(?:[a-z0-9]+-)*token", r".*foo.*"],
        (r"acme-[0-9a-f]{8}", r"(?:[a-z0-9]+-)*token", r".*foo.*"),
    ),
]


def test_the_table_has_every_setting_of_the_source_with_its_default() -> None:
    parameters = inspect.signature(emr_serverless).parameters
    of_one_load = {"as_of", "backfill", "forget_workspaces", "clock"}
    assert [name for name in parameters if name not in {"credentials", *of_one_load}] == list(SETTINGS)
    for name, setting in SETTINGS.items():
        assert setting.required or parameters[name].default == setting.default
        assert setting.required or setting.default is None or read_setting(name, setting.default) == setting.default


@pytest.mark.parametrize(("name", "value", "read"), GOOD, ids=str)
def test_valid_settings_are_accepted(name: str, value: Any, read: Any) -> None:
    assert read_setting(name, value) == read
    assert type(read_setting(name, value)) is type(read)


@pytest.mark.parametrize(("name", "value"), BAD, ids=str)
def test_an_invalid_setting_is_reported_with_its_value_and_the_allowed_values(name: str, value: Any) -> None:
    with pytest.raises(CheckSettingsError) as caught:
        read_setting(name, value)
    told = str(caught.value)
    assert name in told
    if name in NUMBERS:
        assert repr(value) in told
        assert f"{NUMBERS[name].low:,} to {NUMBERS[name].high:,}" in told


@pytest.mark.parametrize("name", NUMBERS)
def test_both_bounds_of_a_range_are_valid(name: str) -> None:
    for value in (NUMBERS[name].low, NUMBERS[name].high):
        assert read_setting(name, value) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("endpoint", "https://user:hunter2@emr.example.com"),
        ("region_ids", ["LTAI5tNobodyKnowsThis"]),
        ("region_ids", "https://user:hunter2@emr.example.com"),
        ("redact_patterns", ["hunter2("]),
        ("redact_patterns", "hunter2("),
        ("redact_patterns", ["hunter2", "hunter2"]),
    ],
    ids=str,
)
def test_errors_show_no_secret(name: str, value: Any) -> None:
    with pytest.raises(CheckSettingsError) as caught:
        read_setting(name, value)
    assert "hunter2" not in str(caught.value)
    assert "LTAI5tNobodyKnowsThis" not in str(caught.value)
