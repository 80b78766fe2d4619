"""Which errors of the API are retried and after what wait, and which exception stands for the others."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from ..arrow.decode import decode_body
from ..settings import BACKOFF_BASE_SECONDS, BACKOFF_CAP_SECONDS
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
# The vendor's message contains the string that was signed, which has many lines.
UNMATCHED_SIGNATURE: Final = "the signature is wrong, so the secret is not that of the access key"
SIGNED_REQUEST: Final = re.compile(
    r"[\s.,;:(\[]*\b(?:the\s+)?(?:(?:server|client|your|our)(?:'s)?\s+)?(?:string[\s_-]*to[\s_-]*sign|canonical[\s_-]*(?:request|string)).*",
    re.IGNORECASE | re.DOTALL,
)
# A longer message is the page of a gateway, or a dump.
MESSAGE_CHARACTERS: Final = 500
# Codes that are retried with any status: the gateway sends Throttling as 400.
RETRIED_CODES: Final = ("Throttling", "ServiceUnavailable", "InternalError", "Error.Internal", "SignatureNonceUsed")
RETRIED_STATUSES: Final = (429, 500, 502, 503, 504)
THROTTLED_STATUSES: Final = (429, 503)
# The exception for the codes that are not retried, by the beginning of the code; then by status.
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
    """Return whether an error asks for fewer requests."""
    return (code or "").startswith("Throttling") or status in THROTTLED_STATUSES


def is_retryable(code: str | None, status: int, wait_seconds: float | None) -> bool:
    """Return whether an error is temporary; it is wherever the API asks for a wait."""
    return wait_seconds is not None or (code is not None and code.startswith(RETRIED_CODES)) or status in RETRIED_STATUSES


def error_class(code: str | None, status: int, *, has_token: bool) -> type[EmrServerlessError]:
    """Return the exception for an error that is not retried.

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
    # For a workspace that is not visible, the service is known to answer with an empty code.
    return ERROR_OF_STATUS.get(status, FindWorkspaceError if code is None else FixRequestError)


def error_facts(content: bytes, headers: Mapping[str, str]) -> tuple[str | None, str, str | None]:
    """Return code, message and request id of an error response; names are in Pascal case (gateway) or camel case (service)."""
    body = decode_body(content)
    if body is None:
        return None, "", headers.get("x-acs-request-id")
    lower = {str(name).lower(): value for name, value in body.items()}
    code = lower.get("code") or None
    request_id = lower.get("requestid") or headers.get("x-acs-request-id")
    return str(code) if code else None, _one_sentence(code, lower.get("message")), str(request_id) if request_id else None


def _one_sentence(code: object, message: object) -> str:
    """Return the API's message on one line, without the string that was signed."""
    if str(code).startswith("SignatureDoesNotMatch"):
        return UNMATCHED_SIGNATURE
    text = " ".join(SIGNED_REQUEST.sub("", str(message or "")).split())
    return text if len(text) <= MESSAGE_CHARACTERS else f"{text[:MESSAGE_CHARACTERS]}..."


def backoff_seconds(attempt: int, jitter: Callable[[], float]) -> float:
    """Return the wait after the attempt-th failure: exponential, capped, full jitter.

    Args:
        attempt: 1 for the first failure.
        jitter: returns a number in [0, 1).
    """
    ceiling: float = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2.0 ** (attempt - 1))
    return ceiling * jitter()


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return the wait that the API asks for: `x-acs-retry-after` in milliseconds, else `Retry-After` in seconds."""
    for name, unit in (("x-acs-retry-after", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        if seconds > 0:
            return seconds
    return None


def skew_sentence(date: str, now: datetime) -> str:
    """Return a sentence about the difference between this machine's clock and the Date header of the API."""
    try:
        theirs = email.utils.parsedate_to_datetime(date)
        minutes = (now - theirs).total_seconds() / 60
    except (TypeError, ValueError):  # no date, or one without a zone
        return "this machine's clock and the API's differ by more than 15 minutes"
    return f"this machine's clock is {abs(minutes):.0f} minutes {'ahead of' if minutes > 0 else 'behind'} the API's"
