"""Requests that a call sends, and the content of a page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from answers import START, ScriptedApi, refusal, reply, rows
from emr_serverless.api.credentials import AccessKey
from emr_serverless.api.endpoint import endpoint_of
from emr_serverless.api.errors import CheckSettingsError
from emr_serverless.resources.workspaces import WORKSPACES
from emr_usage.emulator import DEFAULT_KEY, Clock, Emulator, State


def test_ranges_and_lists_are_sent_as_compact_unescaped_json() -> None:
    api = ScriptedApi(rows())
    api.list_job_runs(
        {
            "startTime": {"startTime": 1709740800000, "endTime": 1710432000000},
            "states": ["Running", "Success"],
            "tags": [{"key": "项目", "value": "a b"}],
            "jobRunId": "jr-1",
        }
    )
    assert dict(api.requests[0].url.params) == {
        "startTime": '{"startTime":1709740800000,"endTime":1710432000000}',
        "states": '["Running","Success"]',
        "tags": '[{"key":"项目","value":"a b"}]',
        "jobRunId": "jr-1",
        "regionId": "cn-hangzhou",
        "maxResults": "100",
    }
    query = api.requests[0].url.query.decode()
    assert "tags=%5B%7B%22key%22%3A%22%E9%A1%B9%E7%9B%AE%22%2C%22value%22%3A%22a%20b%22%7D%5D" in query


def test_a_page_is_requested_by_token_and_size() -> None:
    api = ScriptedApi(rows())
    api.list_job_runs(next_token="t/1+=", max_results=20)
    assert api.requests[0].url.params["nextToken"] == "t/1+="
    assert api.requests[0].url.params["maxResults"] == "20"
    assert api.requests[0].method == "GET"
    assert api.requests[0].url.path == "/api/v1/workspaces/w-1/jobRuns"


def test_workspaces_are_listed_by_region_token_and_size() -> None:
    api = ScriptedApi(reply(200, {"workspaces": [{"workspaceId": "w-1"}], "totalCount": 1}))
    page = api.client.fetch_page(WORKSPACES, "cn-beijing", "*", api.request_stats, next_token="t", max_results=7)
    assert page.records.column("workspaceId") == ["w-1"]
    assert api.requests[0].url.path == "/api/v1/workspaces"
    assert dict(api.requests[0].url.params) == {"regionId": "cn-beijing", "maxResults": "7", "nextToken": "t"}
    assert api.requests[0].headers["x-acs-action"] == "ListWorkspaces"


def test_each_request_is_signed_with_the_current_key() -> None:
    keys = iter([AccessKey("first", "s"), AccessKey("second", "s", "token")])
    api = ScriptedApi(rows(), provide_key=lambda: next(keys))
    api.list_job_runs()
    api.list_job_runs()
    assert ["Credential=first," in api.requests[0].headers["authorization"]] == [True]
    assert ["Credential=second," in api.requests[1].headers["authorization"]] == [True]
    assert api.requests[1].headers["x-acs-security-token"] == "token"


@pytest.mark.parametrize(
    ("body", "names", "token", "total"),
    [
        ({"jobRuns": [{"name": "a"}], "nextToken": "1", "totalCount": 7}, ["a"], "1", 7),
        ({"jobRuns": [], "nextToken": "", "totalCount": 0}, [], None, 0),
        ({"jobRuns": [], "nextToken": None, "totalCount": "12"}, [], None, 12),
        ({"jobRuns": [], "nextToken": 2}, [], "2", None),
        ({"jobRuns": None, "totalCount": None}, [], None, None),
        ({"jobRuns": {"a": 1}, "totalCount": "many"}, [], None, None),
        ({"jobRuns": [{"name": "a"}, None, "x", 5], "totalCount": 4.5}, ["a"], None, None),
        ({"totalCount": -1}, [], None, None),
        ({"totalCount": "²"}, [], None, None),
        ({"totalCount": True}, [], None, None),
    ],
)
def test_malformed_page_fields_are_tolerated(
    body: dict[str, Any], names: list[str], token: str | None, total: int | None
) -> None:
    page = ScriptedApi(reply(200, body)).list_job_runs()
    assert (page.records.column("name"), page.next_token, page.total_count) == (names, token, total)


def test_observed_at_is_the_send_time_of_the_successful_attempt() -> None:
    api = ScriptedApi(refusal(500, "InternalError"), refusal(500, "InternalError"), rows("jr-1"))
    page = api.list_job_runs()
    assert page.observed_at == START + timedelta(seconds=0.5 + 1)
    assert [request.headers["x-acs-date"] for request in api.requests][-1] == "2026-03-01T00:00:01Z"


def test_request_stats_count_all_and_throttled_requests() -> None:
    api = ScriptedApi(refusal(400, "Throttling.User"), refusal(500, "InternalError"), refusal(429, None), rows())
    api.list_job_runs()
    assert (api.request_stats.requests, api.request_stats.throttled) == (4, 2)
    assert api.client.throttle.throttlings == 2


@pytest.mark.parametrize(
    ("region_id", "endpoint", "url"),
    [
        ("cn-hangzhou", None, "https://emr-serverless-spark.cn-hangzhou.aliyuncs.com"),
        (
            "cn-beijing",
            "emr-serverless-spark-vpc.{region_id}.aliyuncs.com",
            "https://emr-serverless-spark-vpc.cn-beijing.aliyuncs.com",
        ),
        ("cn-beijing", "https://{region_id}.proxy.test/", "https://cn-beijing.proxy.test"),
        ("x", "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("x", "http://localhost:8080/", "http://localhost:8080"),
        ("x", "http://[::1]:8080", "http://[::1]:8080"),
        ("x", "127.0.0.1:8080", "https://127.0.0.1:8080"),
    ],
)
def test_endpoints_default_to_https_and_include_the_region(region_id: str, endpoint: str | None, url: str) -> None:
    assert endpoint_of(region_id, endpoint) == url
    api = ScriptedApi(rows(), endpoint=endpoint)
    api.client.fetch_page(WORKSPACES, region_id, "*", api.request_stats)
    assert str(api.requests[0].url).startswith(f"{url}/api/v1/workspaces?")


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://emr-serverless-spark.cn-hangzhou.aliyuncs.com",
        "http://10.0.0.1:8080",
        "http://127.0.0.1.evil.test",
        "http://localhost.evil.test",
        "ftp://127.0.0.1",
        "https://",
        "https://[::1",
    ],
)
def test_nothing_is_sent_unencrypted_to_other_machines(endpoint: str) -> None:
    with pytest.raises(CheckSettingsError, match="endpoint"):
        endpoint_of("cn-hangzhou", endpoint)
    with pytest.raises(CheckSettingsError, match="endpoint"):
        ScriptedApi(rows(), endpoint=endpoint)


def test_requests_to_loopback_bypass_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    state = State()
    state.add_workspace("w-1")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with Emulator(state, Clock(0), verify_signatures=False) as emulator:
        api = ScriptedApi(rows(), endpoint=emulator.url, transport=None)
        page = api.client.fetch_page(WORKSPACES, "cn-hangzhou", "*", api.request_stats)
        api.client.close()
    assert page.records.column("workspaceId") == ["w-1"]


def test_the_emulator_accepts_signed_requests() -> None:
    state = State()
    state.add_workspace("w-1")
    key = AccessKey(DEFAULT_KEY.id, DEFAULT_KEY.secret)
    with Emulator(state, Clock(0)) as emulator:
        api = ScriptedApi(rows(), endpoint=emulator.url, transport=None, provide_key=lambda: key, clock=lambda: datetime.now(UTC))
        page = api.list_job_runs({"tags": [{"key": "项目", "value": "a b*~/+"}]})
        api.client.close()
    assert (len(page.records), page.total_count) == (0, 0)


@pytest.mark.parametrize(("seconds", "connect"), [(30.0, 5.0), (2.0, 2.0)])
def test_request_timeout_applies_and_the_connect_timeout_is_capped(seconds: float, connect: float) -> None:
    api = ScriptedApi(rows(), request_timeout_seconds=seconds)
    api.list_job_runs()
    assert api.requests[0].extensions["timeout"] == {"connect": connect, "read": seconds, "write": seconds, "pool": seconds}


def test_redirects_are_not_followed() -> None:
    api = ScriptedApi(reply(302, b"", location="https://elsewhere.test/"))
    with pytest.raises(Exception, match="not as the API does"):
        api.list_job_runs()
    assert {request.url.host for request in api.requests} == {"emr-serverless-spark.cn-hangzhou.aliyuncs.com"}
