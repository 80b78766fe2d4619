"""Error responses become exceptions with advice and the details of the API, without secrets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from answers import START, Answer, ScriptedApi, broken, refusal, reply
from emr_serverless.api.errors import (
    CheckCredentialsError,
    CheckSettingsError,
    EmrServerlessError,
    FindWorkspaceError,
    FixRequestError,
    GrantPermissionError,
    ReachEndpointError,
    RestartWindowError,
    SetClockError,
    TryLaterError,
)
from emr_serverless.redaction.redactor import Redactor
from emr_serverless.resources.workspaces import WORKSPACES


def failure(answer: Answer, *, next_token: str | None = None, **settings: Any) -> EmrServerlessError:
    """Return the error that an answer becomes."""
    with pytest.raises(EmrServerlessError) as caught:
        ScriptedApi(answer, **settings).list_job_runs(next_token=next_token)
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "InvalidTimeStamp.Expired", SetClockError),
        (400, "SignatureDoesNotMatch", CheckCredentialsError),
        (403, "SignatureDoesNotMatch", CheckCredentialsError),
        (400, "IncompleteSignature", CheckCredentialsError),
        (400, "InvalidAccessKeyId.NotFound", CheckCredentialsError),
        (404, "InvalidAccessKeyId.NotFound", CheckCredentialsError),
        (403, "InvalidAccessKeyId.Inactive", CheckCredentialsError),
        (400, "InvalidSecurityToken.Expired", CheckCredentialsError),
        (400, "MissingSecurityToken", CheckCredentialsError),
        (401, None, CheckCredentialsError),
        (403, "Forbidden.RAM", GrantPermissionError),
        (403, "Forbidden", GrantPermissionError),
        (403, "NoPermission", GrantPermissionError),
        (403, "NoPermission.Workspace", GrantPermissionError),
        (403, "SomethingNew", GrantPermissionError),
        (404, "InvalidApi.NotFound", CheckSettingsError),
        (404, "InvalidProduct.NotFound", CheckSettingsError),
        (404, "InvalidWorkspaceId.NotFound", FindWorkspaceError),
        (404, None, FindWorkspaceError),
        (400, None, FindWorkspaceError),
        (400, "", FindWorkspaceError),
        (400, "MissingParameter.regionId", FixRequestError),
        (400, "InvalidParameter", FixRequestError),
        (400, "OperationDenied", FixRequestError),
        (400, "UnSupportedOperator", FixRequestError),
        (400, "QuotaExceeded", FixRequestError),
        (409, "ResourceNotFound", FixRequestError),
        (429, "Throttling", TryLaterError),
        (503, "ServiceUnavailable", TryLaterError),
        (400, "SignatureNonceUsed", TryLaterError),
    ],
)
def test_the_exception_class_decides_the_exit_code(status: int, code: str | None, kind: type[EmrServerlessError]) -> None:
    error = failure(refusal(status, code, "Because of x."))
    assert type(error) is kind
    assert (error.code, error.status, error.request_id) == (code or None, status, "R-1")
    said = "the signature is wrong" if code == "SignatureDoesNotMatch" else "Because of x"
    assert error.sentence.startswith(f"ListJobRuns failed: {said}")
    assert "request id R-1" in str(error)
    assert f"HTTP {status}" in str(error)
    assert str(error).endswith(error.advice)


@pytest.mark.parametrize(
    "body",
    [
        {"RequestId": "R-7", "HostId": "h", "Code": "QuotaExceeded", "Message": "Too much"},
        {"requestId": "R-7", "code": "QuotaExceeded", "message": "Too much"},
    ],
)
def test_errors_are_parsed_in_both_spellings(body: dict[str, str]) -> None:
    error = failure(reply(400, body))
    assert (error.code, error.request_id) == ("QuotaExceeded", "R-7")
    assert "Too much" in error.sentence


@pytest.mark.parametrize("body", [{}, {"code": None, "message": None}, {"Code": 7, "Message": {"a": 1}, "RequestId": 5}])
def test_an_unreadable_error_body_is_still_an_error(body: dict[str, Any]) -> None:
    error = failure(reply(404, body, x_acs_request_id="H-1"))
    assert isinstance(error, FindWorkspaceError)
    assert error.request_id in {"H-1", "5"}


def test_an_error_without_a_body_means_that_the_workspace_is_not_visible() -> None:
    error = failure(reply(400, b"", x_acs_request_id="H-1"))
    assert type(error) is FindWorkspaceError
    assert error.request_id == "H-1"


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 407])
def test_an_error_response_that_is_not_from_the_api_points_to_the_network(status: int) -> None:
    error = failure(reply(status, b"<html>Please log in</html>"))
    assert type(error) is ReachEndpointError
    assert error.status == status
    assert "proxy" in str(error)


def test_a_missing_permission_is_reported_by_its_ram_action() -> None:
    assert "emr-serverless-spark:ListJobRuns" in str(failure(refusal(403, "Forbidden.RAM")))
    api = ScriptedApi(refusal(403, "NoPermission"))
    with pytest.raises(GrantPermissionError, match="emr-serverless-spark:ListWorkspaces"):
        api.client.fetch_page(WORKSPACES, "cn-hangzhou", "*", api.request_stats)


@pytest.mark.parametrize(
    ("offset", "sentence"),
    [
        (timedelta(minutes=-20), "this machine's clock is 20 minutes ahead of the API's"),
        (timedelta(minutes=95), "this machine's clock is 95 minutes behind the API's"),
    ],
)
def test_clock_skew_is_reported_with_its_amount(offset: timedelta, sentence: str) -> None:
    date = (START + offset).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert sentence in str(failure(refusal(400, "InvalidTimeStamp.Expired", date=date)))


@pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}, {"date": "Sun, 01 Mar 2026 00:20:00"}, {"date": ""}])
def test_clock_skew_is_reported_without_a_usable_date_header(headers: dict[str, str]) -> None:
    error = failure(refusal(400, "InvalidTimeStamp.Expired", **headers))
    assert "more than 15 minutes" in str(error)


@pytest.mark.parametrize("code", ["InvalidParameter", "InvalidParameter.NextToken", "InvalidNextToken", None])
def test_a_rejected_page_token_restarts_the_window(code: str | None) -> None:
    assert type(failure(refusal(400, code), next_token="7")) is RestartWindowError
    assert type(failure(refusal(400, code))) is not RestartWindowError


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "InvalidSecurityToken.Expired", CheckCredentialsError),
        (400, "Throttling.User", TryLaterError),
        (403, "Forbidden", GrantPermissionError),
        (404, None, FindWorkspaceError),
        (400, "InvalidTimeStamp.Expired", SetClockError),
    ],
)
def test_a_page_with_a_token_can_fail_for_other_reasons(status: int, code: str | None, kind: type[EmrServerlessError]) -> None:
    assert type(failure(refusal(status, code), next_token="7")) is kind


SAID = (
    "The request cannot be taken:\n"
    "x-acs-security-token:CAISnQR1q6Ft5B2yfSjIr5bkL8nApoplhrFxxhHi\nLTAI5tPlantedKeyId99 password=hunter2"
)
SECRETS = ("CAISnQR1q6Ft5B2yfSjIr5bkL8nApoplhrFxxhHi", "LTAI5tPlantedKeyId99", "hunter2")


@pytest.mark.parametrize(
    "answer",
    [
        refusal(403, "InvalidAccessKeySecret", SAID),
        refusal(400, "InvalidParameter", SAID),
        refusal(500, "InternalError", SAID),
        refusal(403, "Forbidden", SAID),
        broken(httpx.ConnectError, SAID),
    ],
)
def test_error_messages_of_the_api_are_masked(answer: Answer) -> None:
    error = failure(answer, scrub=Redactor().text)
    told = f"{error} {error!r} {error.sentence} {error.args}"
    assert [secret for secret in SECRETS if secret in told] == []
    assert "**redacted**" in told


@pytest.mark.parametrize(
    "said",
    [
        "server string to sign is: 'GET\n/api/v1/workspaces\nregionId=x\nhost:emr'",
        "Specified signature does not match our calculation. server string to sign is:GET\n/api\nregionId=x",
        "Specified signature is not matched with our calculation. server StringToSign is ACS3-HMAC-SHA256\nabc, regionId=x",
        "The request signature does not conform to Aliyun standards. Server CanonicalRequest is: GET regionId=x",
        "The signature is wrong (server's string-to-sign: [GET&%2F&regionId=x])",
        "The signature is wrong, your canonical string is regionId=x",
    ],
)
@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "IncompleteSignature", "InvalidParameter"])
def test_the_string_to_sign_is_not_printed(code: str, said: str) -> None:
    told = str(failure(refusal(400, code, said)))
    assert "regionId" not in told
    assert "sign is" not in told
    assert "GET" not in told
    assert f"code {code}" in told
    if code == "SignatureDoesNotMatch":
        assert told.startswith("ListJobRuns failed: the signature is wrong, so the secret is not that of the access key (code")


def test_error_messages_of_the_api_are_shortened_to_one_line() -> None:
    told = failure(refusal(403, "Forbidden", "You  are\n\tnot\r\nauthorized. " + "x" * 10_000)).sentence
    assert told.startswith("ListJobRuns failed: You are not authorized. x")
    assert len(told) < 600


def test_errors_hold_no_reference_to_the_signed_request() -> None:
    for answer in (refusal(500, "InternalError"), broken(httpx.ReadTimeout), refusal(403, "Forbidden")):
        error = failure(answer)
        assert error.__cause__ is None
        assert error.__suppress_context__ or error.__context__ is None


def test_an_error_without_details_has_no_empty_parentheses() -> None:
    assert str(CheckSettingsError("No region is set", advice="Give one.")) == "No region is set. Give one."
    assert str(EmrServerlessError("It broke", code="C", status=500, request_id="R")).startswith(
        "It broke (code C, HTTP 500, request id R). "
    )


def test_every_exception_class_has_default_advice() -> None:
    for kind in EmrServerlessError.__subclasses__():
        if kind is not GrantPermissionError:
            assert kind("x").advice != EmrServerlessError.default_advice
