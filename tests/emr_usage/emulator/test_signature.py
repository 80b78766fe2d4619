"""ACS3 verification: requests signed by the vendor's SDK are accepted, and all others rejected with the reason."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from emr_usage.emulator import DEFAULT_KEY, AccessKey, Emulator, Faults
from emr_usage.emulator.signature import SignedRequest, canonical_request, signature_of

Sign = Callable[..., dict[str, str]]
PATH = "/api/v1/workspaces/w-1/jobRuns"
QUERY = {"regionId": "cn-hangzhou", "name": "a b+*~/ü&=%", "creator": ""}
STS_KEY = AccessKey("STS.emulator-temporary", "temporary-secret", "temporary-token")


def stamp(offset: timedelta = timedelta()) -> str:
    return (datetime.now(UTC) + offset).strftime("%Y-%m-%dT%H:%M:%SZ")


def code(response: httpx.Response) -> tuple[int, str | None]:
    return response.status_code, response.json().get("Code")


def test_the_vendors_published_example_has_the_published_signature() -> None:
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    query = "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai"
    canonical = canonical_request(SignedRequest("POST", "/", query, headers), sorted(headers), headers["x-acs-content-sha256"])
    assert signature_of(canonical, "YourAccessKeySecret") == "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"


def test_the_vendors_signature_is_accepted(http: httpx.Client, sign: Sign) -> None:
    assert http.get(PATH, params=QUERY, headers=sign(PATH, QUERY, "ListJobRuns")).status_code == 200


def test_a_space_can_be_encoded_as_plus_or_percent_20(http: httpx.Client, sign: Sign) -> None:
    query = {"name": "a b", "regionId": "cn-hangzhou"}
    for text in ("name=a+b&regionId=cn-hangzhou", "regionId=cn-hangzhou&name=a%20b"):
        assert http.get(f"{PATH}?{text}", headers=sign(PATH, query, "ListJobRuns")).status_code == 200


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"key": AccessKey(DEFAULT_KEY.id, "wrong")}, (400, "SignatureDoesNotMatch")),
        ({"key": AccessKey("LTAI5tNobody", "x")}, (404, "InvalidAccessKeyId.NotFound")),
        ({"x_acs_date": "yesterday"}, (400, "InvalidTimeStamp.Format")),
        ({"x_acs_signature_nonce": None}, (400, "MissingSignatureNonce")),
        ({"x_acs_date": None}, (400, "IncompleteSignature")),
        ({"x_acs_version": None}, (400, "IncompleteSignature")),
        ({"x_acs_content_sha256": "0" * 64}, (400, "InvalidContentSha256")),
        ({"x_acs_version": "2019-01-01"}, (400, "InvalidVersion")),
        ({"action": "GetJobRun"}, (404, "InvalidApi.NotFound")),
        ({"x_acs_security_token": "out of nowhere"}, (400, "InvalidSecurityToken.MismatchWithAccessKey")),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_a_disabled_variant_is_refused_by_name(
    http: httpx.Client, sign: Sign, changes: dict[str, str], expected: tuple[int, str]
) -> None:
    headers = sign(PATH, QUERY, **({"action": "ListJobRuns"} | changes))
    response = http.get(PATH, params=QUERY, headers=headers)
    assert code(response) == expected
    assert response.headers["x-acs-request-id"] == response.json()["RequestId"]


@pytest.mark.parametrize("minutes", [-16, 16])
def test_dates_outside_the_window_are_refused(http: httpx.Client, sign: Sign, minutes: int) -> None:
    headers = sign(PATH, QUERY, "ListJobRuns", x_acs_date=stamp(timedelta(minutes=minutes)))
    assert code(http.get(PATH, params=QUERY, headers=headers)) == (400, "InvalidTimeStamp.Expired")


@pytest.mark.parametrize("minutes", [-14, 14])
def test_dates_inside_the_window_are_accepted(http: httpx.Client, sign: Sign, minutes: int) -> None:
    headers = sign(PATH, QUERY, "ListJobRuns", x_acs_date=stamp(timedelta(minutes=minutes)))
    assert http.get(PATH, params=QUERY, headers=headers).status_code == 200


def test_the_date_window_follows_the_servers_clock(http: httpx.Client, sign: Sign, emulator: Emulator) -> None:
    emulator.faults = Faults(clock_skew_seconds=3600)
    refused = http.get(PATH, params=QUERY, headers=sign(PATH, QUERY, "ListJobRuns"))
    assert code(refused) == (400, "InvalidTimeStamp.Expired")
    told = datetime.strptime(refused.headers["date"], "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
    corrected = told.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert told - datetime.now(UTC) > timedelta(minutes=55)
    headers = sign(PATH, QUERY, "ListJobRuns", x_acs_date=corrected)
    assert http.get(PATH, params=QUERY, headers=headers).status_code == 200


@pytest.mark.parametrize("authorization", [None, "", "Bearer x", "ACS3-HMAC-SHA256 Credential=a,SignedHeaders=host,Signature=zz"])
def test_a_missing_or_malformed_authorization_is_refused(http: httpx.Client, sign: Sign, authorization: str | None) -> None:
    headers = sign(PATH, QUERY, "ListJobRuns")
    del headers["authorization"]
    if authorization is not None:
        headers["authorization"] = authorization
    assert code(http.get(PATH, params=QUERY, headers=headers)) == (400, "IncompleteSignature")


@pytest.mark.parametrize("tampered", [{"name": "another"}, {"regionId": "cn-beijing"}, {"maxResults": "5"}])
def test_a_changed_query_is_refused(http: httpx.Client, sign: Sign, tampered: dict[str, str]) -> None:
    headers = sign(PATH, QUERY, "ListJobRuns")
    assert code(http.get(PATH, params=QUERY | tampered, headers=headers)) == (400, "SignatureDoesNotMatch")


def test_a_changed_path_and_a_changed_header_are_refused(http: httpx.Client, sign: Sign) -> None:
    headers = sign(PATH, QUERY, "ListJobRuns")
    elsewhere = http.get(PATH.replace("w-1", "w-2"), params=QUERY, headers=headers)
    assert code(elsewhere) == (400, "SignatureDoesNotMatch")
    renamed = http.get(PATH, params=QUERY, headers=headers | {"x-acs-action": "GetJobRun"})
    assert code(renamed) == (400, "SignatureDoesNotMatch")


def test_an_acs_header_that_is_not_signed_is_refused(http: httpx.Client, sign: Sign) -> None:
    headers = sign(PATH, QUERY, "ListJobRuns") | {"x-acs-extra": "1"}
    assert code(http.get(PATH, params=QUERY, headers=headers)) == (400, "IncompleteSignature")


def test_a_nonce_is_accepted_once(http: httpx.Client, sign: Sign, emulator: Emulator) -> None:
    headers = sign(PATH, QUERY, "ListJobRuns", x_acs_signature_nonce="once")
    assert http.get(PATH, params=QUERY, headers=headers).status_code == 200
    assert code(http.get(PATH, params=QUERY, headers=headers)) == (400, "SignatureNonceUsed")
    signed_again = sign(PATH, QUERY, "ListJobRuns", x_acs_signature_nonce="once", x_acs_date=stamp(timedelta(seconds=5)))
    assert code(http.get(PATH, params=QUERY, headers=signed_again)) == (400, "SignatureNonceUsed")
    emulator.reset()
    assert http.get(PATH, params=QUERY, headers=headers).status_code == 200


@pytest.mark.parametrize("fault", ["throttle_429", "error_500", "drop", "truncate"])
def test_failed_requests_consume_their_nonce(http: httpx.Client, sign: Sign, emulator: Emulator, fault: str) -> None:
    emulator.faults = Faults(script=[fault])
    headers = sign(PATH, QUERY, "ListJobRuns")
    try:
        assert http.get(PATH, params=QUERY, headers=headers).status_code in {429, 500}
    except httpx.RemoteProtocolError:
        assert fault in {"drop", "truncate"}
    assert code(http.get(PATH, params=QUERY, headers=headers)) == (400, "SignatureNonceUsed")


def test_a_rejected_signature_does_not_consume_its_nonce(http: httpx.Client, sign: Sign) -> None:
    stranger = sign(PATH, QUERY, "ListJobRuns", key=AccessKey(DEFAULT_KEY.id, "wrong"), x_acs_signature_nonce="n")
    assert code(http.get(PATH, params=QUERY, headers=stranger)) == (400, "SignatureDoesNotMatch")
    owner = sign(PATH, QUERY, "ListJobRuns", x_acs_signature_nonce="n")
    assert http.get(PATH, params=QUERY, headers=owner).status_code == 200


def test_a_temporary_key_needs_its_token_and_expires(http: httpx.Client, sign: Sign, emulator: Emulator) -> None:
    in_an_hour = int(time.time() * 1000) + 3_600_000
    emulator.access_keys = (DEFAULT_KEY, AccessKey(STS_KEY.id, STS_KEY.secret, STS_KEY.security_token, in_an_hour))

    def ask(**changes: str | None) -> tuple[int, str | None]:
        headers = sign(PATH, QUERY, "ListJobRuns", key=STS_KEY, **changes)
        return code(http.get(PATH, params=QUERY, headers=headers))

    assert ask() == (200, None)
    assert ask(x_acs_security_token=None) == (400, "MissingSecurityToken")
    assert ask(x_acs_security_token="another") == (400, "InvalidSecurityToken.MismatchWithAccessKey")
    emulator.access_keys = (AccessKey(STS_KEY.id, STS_KEY.secret, STS_KEY.security_token, in_an_hour - 3_600_001),)
    assert ask() == (400, "InvalidSecurityToken.Expired")


def test_without_verification_any_signature_is_accepted(http: httpx.Client, emulator: Emulator) -> None:
    emulator.verify_signatures = False
    assert http.get(PATH, params=QUERY).status_code == 200
