"""What the API's refusals mean: which pass with time, and which error says what to do about the others. Data, in one place."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ..arrow.decode import decode_body
from .errors import (
    CheckCredentialsError,
    CheckSettingsError,
    EmrServerlessError,
    FindWorkspaceError,
    FixRequestError,
    GrantPermissionError,
    RestartWindowError,
    SetClockError,
)

BAD_REQUEST: Final = 400
# The vendor's own text is the string that was signed, many lines of it.
UNMATCHED_SIGNATURE: Final = "the signature is wrong, so the secret is not that of the access key"
SIGNED_REQUEST: Final = re.compile(
    r"[\s.,;:(\[]*\b(?:the\s+)?(?:(?:server|client|your|our)(?:'s)?\s+)?(?:string[\s_-]*to[\s_-]*sign|canonical[\s_-]*(?:request|string)).*",
    re.IGNORECASE | re.DOTALL,
)
# More is a page of some gateway, or a dump.
MESSAGE_CHARACTERS: Final = 500
# Codes that pass with time, whatever status they come with: the gateway sends Throttling as 400.
RETRIED_CODES: Final = ("Throttling", "ServiceUnavailable", "InternalError", "Error.Internal", "SignatureNonceUsed")
RETRIED_STATUSES: Final = (429, 500, 502, 503, 504)
THROTTLED_STATUSES: Final = (429, 503)
# What the user does about the codes that do not pass, by the code's beginning; then by status.
ERROR_OF_CODE: Final[tuple[tuple[str, type[EmrServerlessError]], ...]] = (
    ("InvalidTimeStamp", SetClockError),
    ("SignatureDoesNotMatch", CheckCredentialsError),
    ("IncompleteSignature", CheckCredentialsError),
    ("InvalidAccessKey", CheckCredentialsError),
    ("InvalidSecurityToken", CheckCredentialsError),
    ("MissingSecurityToken", CheckCredentialsError),
    ("Forbidden", GrantPermissionError),
    ("NoPermission", GrantPermissionError),
    ("AccessDenied", GrantPermissionError),
    ("InvalidApi.NotFound", CheckSettingsError),
    ("InvalidProduct.NotFound", CheckSettingsError),
)
ERROR_OF_STATUS: Final[Mapping[int, type[EmrServerlessError]]] = {
    401: CheckCredentialsError,
    403: GrantPermissionError,
    404: FindWorkspaceError,
}


def is_throttling(code: str | None, status: int) -> bool:
    """Tell whether a refusal asks for fewer requests."""
    return (code or "").startswith("Throttling") or status in THROTTLED_STATUSES


def is_retryable(code: str | None, status: int, wait_seconds: float | None) -> bool:
    """Tell whether a refusal passes with time; the API says so itself where it names a wait."""
    return wait_seconds is not None or (code is not None and code.startswith(RETRIED_CODES)) or status in RETRIED_STATUSES


def error_class(code: str | None, status: int, *, has_token: bool) -> type[EmrServerlessError]:
    """Return the error of a refusal that does not pass.

    Args:
        code: the API's code.
        status: of HTTP.
        has_token: whether a page token was sent, which may have expired.
    """
    for beginning, named in ERROR_OF_CODE:
        if code and code.startswith(beginning):
            return named
    if has_token and status == BAD_REQUEST:
        return RestartWindowError
    # The service is known to answer for a workspace it does not show with an empty code.
    return ERROR_OF_STATUS.get(status, FindWorkspaceError if code is None else FixRequestError)


def error_facts(content: bytes, headers: Mapping[str, str]) -> tuple[str | None, str, str | None]:
    """Return code, message and request id of an error answer; gateway bodies are Pascal case, service bodies camel."""
    body = decode_body(content)
    if body is None:
        return None, "", headers.get("x-acs-request-id")
    lower = {str(name).lower(): value for name, value in body.items()}
    code = lower.get("code") or None
    request_id = lower.get("requestid") or headers.get("x-acs-request-id")
    return str(code) if code else None, _one_sentence(code, lower.get("message")), str(request_id) if request_id else None


def _one_sentence(code: object, message: object) -> str:
    """Return what the API says on one line, without the request as it was signed, which is of use to the vendor only."""
    if str(code).startswith("SignatureDoesNotMatch"):
        return UNMATCHED_SIGNATURE
    text = " ".join(SIGNED_REQUEST.sub("", str(message or "")).split())
    return text if len(text) <= MESSAGE_CHARACTERS else f"{text[:MESSAGE_CHARACTERS]}..."


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the wait the API asks for: `x-acs-retry-after` in milliseconds, else `Retry-After` in seconds."""
    for name, unit in (("x-acs-retry-after", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        if seconds > 0:
            return seconds
    return None


def skew_sentence(date: str, now: datetime) -> str:
    """Say how far this machine's clock is from the API's, by the answer's Date header."""
    try:
        theirs = email.utils.parsedate_to_datetime(date)
        minutes = (now - theirs).total_seconds() / 60
    except (TypeError, ValueError):  # no date, or one without a zone
        return "this machine's clock and the API's differ by more than 15 minutes"
    return f"this machine's clock is {abs(minutes):.0f} minutes {'ahead of' if minutes > 0 else 'behind'} the API's"
