"""Signatures equal those of the vendor: its published example, its SDK, and the headers of sent requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest
from hypothesis import example, given
from hypothesis import strategies as st

from answers import ScriptedApi, rows
from emr_serverless.api.credentials import AccessKey
from emr_serverless.api.signing import canonical_path, canonical_query, request_headers, sign_request
from emr_serverless.settings import API_VERSION, EMPTY_BODY_SHA256, SIGNATURE_ALGORITHM

KEY = AccessKey("YourAccessKeyId", "YourAccessKeySecret")
NOW = datetime(2026, 10, 26, 10, 22, 32, 999_999, UTC)
PATH = "/api/v1/workspaces/w-1/jobRuns"
QUERY = {"regionId": "cn-hangzhou", "tags": '[{"key":"项目","value":"a b*~+/ü%"}]'}

# What may stand in a decoded value: any text but lone surrogates, which have no bytes.
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["", " ", "*~+%2F", "a b&c=d", "双十一"]
)
# The vendor's function leaves parameter names as they are, so only names without special characters can be compared.
names = st.from_regex(r"[A-Za-z][A-Za-z0-9._~-]{0,9}", fullmatch=True)
header_names = st.from_regex(r"x-acs-[a-z]{1,8}", fullmatch=True)
header_values = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12)


def vendor_signature(key: AccessKey, path: str, query: dict[str, str], headers: dict[str, str]) -> str:
    """Return what the vendor's SDK signs for a GET; it wants the path encoded already."""
    request = DaraRequest()
    request.method, request.pathname, request.query, request.headers = "GET", Utils.get_encode_path(path), query, headers
    signature: str = Utils.get_authorization(
        request, SIGNATURE_ALGORITHM, EMPTY_BODY_SHA256, key.access_key_id, key.access_key_secret
    )
    return signature


def test_signatures_match_the_vendors_published_example() -> None:
    authorization = sign_request(
        KEY,
        "POST",
        "/",
        {"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"},
        {
            "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
            "x-acs-date": "2023-10-26T10:22:32Z",
            "host": "ecs.cn-shanghai.aliyuncs.com",
            "x-acs-action": "RunInstances",
            "x-acs-version": "2014-05-26",
            "x-acs-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        },
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    )
    assert authorization == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,"
        "SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


@given(
    path=st.lists(texts, max_size=4).map(lambda parts: "/" + "/".join(parts)),
    query=st.dictionaries(names, texts, max_size=5),
    headers=st.dictionaries(header_names, header_values, max_size=3),
    secret=st.text(min_size=1, max_size=30, alphabet=st.characters(exclude_categories=["Cs"])),
    token=st.none() | header_values,
)
@example(path="/a b/~*+/双", query=dict.fromkeys(("b", "a.", "a"), " *~+/"), headers={}, secret="s", token="CAIS+/=")
@example(path="/", query={"empty": ""}, headers={"x-acs-a": " spaced "}, secret="s", token=None)
@example(path="/w-1/jobRuns", query={"startTime": '{"startTime":1,"endTime":2}'}, headers={}, secret="s", token=None)
def test_signatures_match_the_vendors_sdk(
    path: str, query: dict[str, str], headers: dict[str, str], secret: str, token: str | None
) -> None:
    key = AccessKey("LTAI-test", secret, token)
    signed = {"host": "emr-serverless-spark.cn-hangzhou.aliyuncs.com", **headers}
    if token is not None:
        signed["x-acs-security-token"] = token
    assert sign_request(key, "GET", path, query, signed) == vendor_signature(key, path, query, signed)


def test_header_names_are_signed_in_lower_case_and_sorted() -> None:
    lower = {"host": "h", "x-acs-a": "1", "x-acs-b": "2"}
    upper = {"X-ACS-B": "2", "Host": "h", "X-Acs-A": "1"}
    assert sign_request(KEY, "GET", "/", {}, upper) == sign_request(KEY, "GET", "/", {}, lower)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ""),
        ({"b": "2", "a": "1", "B": "3"}, "B=3&a=1&b=2"),
        ({"a": ""}, "a="),
        ({"a": " *~+/-_."}, "a=%20%2A~%2B%2F-_."),
        ({"a": "双"}, "a=%E5%8F%8C"),
        ({"tag.1 key": "x"}, "tag.1%20key=x"),
    ],
)
def test_the_canonical_query_is_sorted_and_percent_encoded(query: dict[str, str], expected: str) -> None:
    assert canonical_query(query) == expected


def test_the_canonical_path_keeps_slashes_and_encodes_the_rest() -> None:
    assert canonical_path("/api/v1/w *~/双") == "/api/v1/w%20%2A~/%E5%8F%8C"


def headers_of(key: AccessKey = KEY, now: datetime = NOW) -> dict[str, str]:
    return request_headers(key, now, "ListJobRuns", "emr.test:8443", PATH, QUERY)


def test_each_request_has_its_own_nonce() -> None:
    assert len({headers_of()["x-acs-signature-nonce"] for _ in range(20)}) == 20


def test_the_date_header_is_utc_in_every_time_zone() -> None:
    shanghai = NOW.astimezone(timezone(timedelta(hours=8)))
    assert headers_of(now=shanghai)["x-acs-date"] == "2026-10-26T10:22:32Z"


@pytest.mark.parametrize("key", [KEY, AccessKey("second", "2", "token-2"), AccessKey("third", "3", "token-3")])
def test_the_security_token_is_signed(key: AccessKey) -> None:
    headers = headers_of(key)
    assert headers.get("x-acs-security-token") == key.security_token
    authorization = headers.pop("authorization")
    assert authorization == vendor_signature(key, PATH, QUERY, headers)


def test_all_documented_headers_are_signed() -> None:
    headers = headers_of()
    required = {
        "host": "emr.test:8443",
        "x-acs-action": "ListJobRuns",
        "x-acs-version": API_VERSION,
        "x-acs-content-sha256": EMPTY_BODY_SHA256,
    }
    assert {name: headers[name] for name in required} == required
    assert (
        "SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        in headers["authorization"]
    )


@pytest.mark.parametrize(("endpoint", "host"), [("emr.test:8443", "emr.test:8443"), ("https://emr.test:443/", "emr.test")])
def test_the_sent_request_is_signed_with_the_current_key(endpoint: str, host: str) -> None:
    keys = [KEY, AccessKey("second", "2", "token-2")]
    api = ScriptedApi(rows(), endpoint=endpoint, provide_key=iter(keys).__next__)
    for key in keys:
        api.list_job_runs({"tags": QUERY["tags"]})
        sent = api.requests[-1]
        signed_names = sent.headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
        query = dict(sent.url.params)
        assert sent.url.raw_path.decode() == f"{canonical_path(sent.url.path)}?{canonical_query(query)}"
        signed = {name: sent.headers[name] for name in signed_names}
        assert sent.headers["authorization"] == vendor_signature(key, sent.url.path, query, signed)
        assert signed["host"] == host
