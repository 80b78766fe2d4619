"""Which responses are retried, after which waits, and when the client gives up."""

from __future__ import annotations

import threading
from itertools import cycle

import httpx
import pytest

from answers import Answer, ScriptedApi, broken, refusal, reply, rows
from emr_serverless.api.credentials import AccessKey, AccessKeyProvider, AccessKeys
from emr_serverless.api.errors import CheckCredentialsError, EmrServerlessError, ReachEndpointError, TryLaterError
from emr_serverless.api.retry import backoff_seconds
from emr_serverless.resources.workspaces import WORKSPACES

HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
PASSING = [
    # api.md section 2.2; the gateway sends throttling as 400.
    *(refusal(400, code) for code in ("Throttling", "Throttling.User", "Throttling.Api")),
    refusal(503, "Throttling.Api"),
    refusal(429, None),
    refusal(429, "Throttling"),
    refusal(503, "ServiceUnavailable"),
    refusal(400, "ServiceUnavailable"),
    refusal(500, "InternalError"),
    refusal(400, "InternalError"),
    refusal(500, "Error.Internal"),
    refusal(400, "Error.Internal"),
    refusal(500, None),
    refusal(502, None),
    refusal(504, None),
    refusal(400, "SignatureNonceUsed"),
    refusal(403, "Forbidden", x_acs_retry_after="10"),
    reply(500, {"requestId": "R", "code": "InternalError", "message": "camel"}),
    *(reply(status, HTML) for status in (200, 500, 502, 503, 504)),
    reply(200, b""),
    reply(200, b'{"jobRuns":[{"jobRunId":"jr-'),
    reply(200, b"[]"),
    reply(200, b"{}", content_encoding="gzip"),
    reply(200, b'\x1f\x8b\x08\x00{"jobRuns":[\xff\xfe'),
    *(
        broken(kind)
        for kind in (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.ReadError,
            httpx.ReadTimeout,
            httpx.WriteError,
            httpx.RemoteProtocolError,
            httpx.PoolTimeout,
            httpx.ProxyError,
        )
    ),
]
REFUSED = [
    (400, "InvalidTimeStamp.Expired"),
    (403, "Forbidden.RAM"),
    (403, "NoPermission"),
    (400, "MissingParameter.regionId"),
    (400, "InvalidParameter"),
    (404, "InvalidApi.NotFound"),
    (400, "QuotaExceeded"),
    (400, None),
    (403, None),
    (404, None),
    (409, "OperationDenied"),
]
REFUSED_KEYS = [
    (400, "SignatureDoesNotMatch"),
    (403, "SignatureDoesNotMatch"),
    (400, "InvalidAccessKeyId.NotFound"),
    (404, "InvalidAccessKeyId.NotFound"),
    (400, "InvalidSecurityToken.Expired"),
    (400, "InvalidSecurityToken.MismatchWithAccessKey"),
    (400, "MissingSecurityToken"),
    (401, None),
]


@pytest.mark.parametrize("answer", PASSING)
def test_retryable_errors_are_retried(answer: Answer) -> None:
    api = ScriptedApi(rows("jr-0"), answer, answer, rows("jr-1"))
    api.list_job_runs()
    assert api.list_job_runs().records.column("jobRunId") == ["jr-1"]
    assert len(api.requests) == 1 + 3


@pytest.mark.parametrize(("status", "code"), REFUSED)
def test_errors_that_are_not_retryable_are_not_retried(status: int, code: str | None) -> None:
    api = ScriptedApi(refusal(status, code))
    with pytest.raises(EmrServerlessError):
        api.list_job_runs()
    assert len(api.requests) == 1
    assert api.waits == []


@pytest.mark.parametrize(("status", "code"), REFUSED_KEYS)
def test_a_rejected_key_is_fetched_again_once(status: int, code: str | None) -> None:
    """What a provider has cached may have been replaced where it comes from."""
    keys = iter([AccessKey("old", "secret"), AccessKey("new", "secret")])

    def connect() -> AccessKeyProvider:
        key = next(keys)
        return lambda: key

    api = ScriptedApi(rows("jr-0"), refusal(status, code), rows("jr-1"), provide_key=AccessKeys(connect))
    api.list_job_runs()
    assert api.list_job_runs().records.column("jobRunId") == ["jr-1"]
    signed = [request.headers["authorization"].partition("Credential=")[2].partition(",")[0] for request in api.requests]
    assert signed == ["old", "old", "new"]
    assert api.request_stats.requests == 3


@pytest.mark.parametrize(("status", "code"), REFUSED_KEYS)
def test_a_key_that_is_rejected_twice_is_not_retried_again(status: int, code: str | None) -> None:
    api = ScriptedApi(refusal(status, code))
    with pytest.raises(CheckCredentialsError):
        api.list_job_runs()
    assert len(api.requests) == 2
    assert api.waits == []


def test_threads_whose_key_is_rejected_together_fetch_one_new_key() -> None:
    made = []

    def connect() -> AccessKeyProvider:
        made.append("a provider")
        return lambda: AccessKey("id", "secret")

    keys = AccessKeys(connect)
    keys()
    refused = keys.generation
    for _ in range(3):
        keys.renew(refused)
        keys()
    assert len(made) == 2


@pytest.mark.parametrize("answer", PASSING)
def test_a_wait_beyond_the_limit_advises_to_try_later(answer: Answer) -> None:
    api = ScriptedApi(rows(), answer)
    api.list_job_runs()
    with pytest.raises(TryLaterError):
        api.list_job_runs()


def test_backoff_doubles_up_to_its_cap_and_attempts_are_limited() -> None:
    api = ScriptedApi(refusal(500, "InternalError"))
    with pytest.raises(TryLaterError):
        api.list_job_runs()
    assert api.waits == [0.5, 1, 2, 4, *[8] * 9]
    assert len(api.requests) == 14


def test_every_wait_has_full_jitter() -> None:
    jitters = cycle([0.0, 0.25, 0.5, 0.75, 0.999, 0.1, 0.2])
    api = ScriptedApi(refusal(500, "InternalError"), jitter=lambda: next(jitters))
    with pytest.raises(TryLaterError):
        api.list_job_runs()
    assert api.waits == pytest.approx([0, 0.25, 1, 3, 7.992, 0.8, 1.6, 0, 2, 4, 6, 7.992, 0.8])


def test_backoff_never_exceeds_its_cap() -> None:
    assert backoff_seconds(1, lambda: 1.0) == 0.5
    assert backoff_seconds(900, lambda: 0.5) == 4


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"x_acs_retry_after": "1500"}, 1.5),
        ({"retry_after": "7"}, 7),
        ({"x_acs_retry_after": "250", "retry_after": "7"}, 0.25),
        ({"x_acs_retry_after": "0", "retry_after": "7"}, 7),
        ({"x_acs_retry_after": "soon", "retry_after": "2"}, 2),
        ({"x_acs_retry_after": "0"}, 0.5),
        ({"x_acs_retry_after": "-5"}, 0.5),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0.5),
        ({"retry_after": "nan"}, 0.5),
        ({}, 0.5),
    ],
)
def test_retry_after_overrides_backoff(headers: dict[str, str], wait: float) -> None:
    api = ScriptedApi(refusal(400, "Throttling.User", **headers), rows())
    api.list_job_runs()
    assert api.waits == [wait]


def test_retry_after_makes_any_error_retryable() -> None:
    api = ScriptedApi(refusal(400, "SomethingNew", x_acs_retry_after="40"), rows("jr-1"))
    assert api.list_job_runs().records.column("jobRunId") == ["jr-1"]
    assert api.waits == [0.04]


def test_total_waiting_time_is_bounded() -> None:
    api = ScriptedApi(refusal(429, "Throttling", retry_after="120"))
    with pytest.raises(TryLaterError):
        api.list_job_runs()
    assert api.waits == [120, 120]


def test_a_wait_above_the_bound_fails_at_once() -> None:
    api = ScriptedApi(refusal(429, "Throttling", retry_after="301"), rows())
    with pytest.raises(TryLaterError):
        api.list_job_runs()
    assert api.waits == []


def test_nonces_are_never_reused() -> None:
    api = ScriptedApi(refusal(400, "SignatureNonceUsed"))
    for _ in range(40):
        with pytest.raises(TryLaterError):
            api.list_job_runs()
    nonces = [request.headers["x-acs-signature-nonce"] for request in api.requests]
    assert len(nonces) == 40 * 14
    assert len(set(nonces)) == len(nonces)


def test_each_attempt_is_signed_with_its_own_date() -> None:
    api = ScriptedApi(refusal(429, "Throttling", retry_after="2"), rows())
    api.list_job_runs()
    assert [request.headers["x-acs-date"] for request in api.requests] == ["2026-03-01T00:00:00Z", "2026-03-01T00:00:02Z"]
    assert len({request.headers["authorization"] for request in api.requests}) == 2


def test_retries_request_the_same_page() -> None:
    api = ScriptedApi(refusal(500, "InternalError"), refusal(500, "InternalError"), rows())
    api.list_job_runs({"states": ["Running"]}, next_token="7")
    assert len({str(request.url) for request in api.requests}) == 1


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_an_unreachable_endpoint_is_reported_after_few_attempts(kind: type[httpx.TransportError]) -> None:
    api = ScriptedApi(broken(kind, "[Errno -2] Name or service not known"))
    with pytest.raises(
        ReachEndpointError, match=f"cn-hangzhou.aliyuncs.com did not answer .{kind.__name__}: .Errno -2."
    ) as caught:
        api.list_job_runs()
    assert api.waits == [0.5, 1]
    assert "region" in caught.value.advice


def test_a_host_that_has_responded_before_gets_all_attempts() -> None:
    api = ScriptedApi(refusal(403, "Forbidden"), broken(httpx.ConnectError))
    with pytest.raises(EmrServerlessError):
        api.list_job_runs()
    with pytest.raises(TryLaterError):
        api.list_job_runs()
    assert len(api.requests) == 1 + 14


def test_each_region_has_a_separate_endpoint() -> None:
    api = ScriptedApi(rows(), broken(httpx.ConnectError))
    api.list_job_runs()
    with pytest.raises(ReachEndpointError, match="cn-nowhere"):
        api.client.fetch_page(WORKSPACES, "cn-nowhere", "*", api.request_stats)


def test_a_stopped_client_sends_nothing() -> None:
    stop = threading.Event()
    stop.set()
    api = ScriptedApi(refusal(500, "InternalError"), stop=stop)
    with pytest.raises(TryLaterError, match="load is being stopped"):
        api.list_job_runs()
    assert api.requests == []


@pytest.mark.parametrize(
    ("answer", "limit"),
    [
        (refusal(400, "Throttling.User"), 4),
        (refusal(429, None), 4),
        (refusal(503, "ServiceUnavailable"), 4),
        (refusal(500, "InternalError"), 8),
        (broken(httpx.ReadTimeout), 8),
    ],
)
def test_only_throttling_halves_the_requests_in_flight(answer: Answer, limit: int) -> None:
    api = ScriptedApi(answer, rows())
    api.list_job_runs()
    assert api.client.throttle.limit == limit
    assert api.client.throttle.in_flight == 0


def test_successes_raise_the_requests_in_flight_again() -> None:
    api = ScriptedApi(refusal(429, "Throttling"), rows())
    for _ in range(4):
        api.list_job_runs()
    assert api.client.throttle.limit == 5
