"""Turns a request that failed into the error that says what to do, or into a retry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from ..arrow.decode import decode_body
from .errors import EmrServerlessError, GrantPermissionError, ReachEndpointError, SetClockError, TryLaterError
from .retry import error_class, error_facts, is_retryable, is_throttling, retry_after_seconds, skew_sentence

# How Python's TLS library reports a certificate that it does not accept.
CERTIFICATE_REFUSED: Final = "CERTIFICATE_VERIFY_FAILED"
REDIRECTS: Final = range(300, 400)


class RetryRequest(Exception):  # noqa: N818  # not an error of the source: the result of one attempt
    """One attempt failed in a way that may pass.

    Args:
        error: what to raise when no attempt is left.
        throttled: whether the API asks for fewer requests.
        wait_seconds: the wait that the API asks for, or None.
    """

    def __init__(self, error: EmrServerlessError, *, throttled: bool = False, wait_seconds: float | None = None) -> None:
        self.error = error
        self.throttled = throttled
        self.wait_seconds = wait_seconds


def connection_failure(host: str, kind: str, message: str, *, has_answered: bool) -> Exception:
    """Return what to raise for a request without a response.

    Args:
        host: where it was sent.
        kind: name of the HTTP library's exception.
        message: its text, without secrets.
        has_answered: whether the host has answered any request of this load.
    """
    if CERTIFICATE_REFUSED in message:
        reason = message.partition(f"{CERTIFICATE_REFUSED}] ")[2].partition(" (_ssl.c")[0]
        return ReachEndpointError(
            f"The certificate of {host} was refused: {reason.removeprefix('certificate verify failed: ')}",
            advice="Set SSL_CERT_FILE to a PEM file with the certificate authorities to trust, such as your company proxy's; also"
            " check this machine's clock and the --endpoint.",
        )
    what = f"{host} did not answer ({kind}: {message or 'no details'})"
    return RetryRequest(TryLaterError(what) if has_answered else ReachEndpointError(what))


def refusal(
    operation: str,
    host: str,
    status: int,
    reason_phrase: str,
    headers: Mapping[str, str],
    content: bytes,
    *,
    has_token: bool,
    scrub: Callable[[str], str],
    now: datetime,
) -> Exception:
    """Return what to raise for a response that is not a success.

    Args:
        operation: the API's name of the call.
        host: where it was sent.
        status: of HTTP.
        reason_phrase: of HTTP, used where the API gives no message.
        headers: of the response.
        content: its body.
        has_token: whether a page token was sent, which may have expired.
        scrub: removes secrets from the API's message.
        now: the real time, UTC.
    """
    code, message, request_id = error_facts(content, headers)
    sentence = f"{operation} failed: {scrub(message).rstrip('. ') or reason_phrase}"
    wait_seconds = retry_after_seconds(headers)

    def error(kind: type[EmrServerlessError], sentence: str, advice: str | None = None) -> EmrServerlessError:
        return kind(sentence, advice=advice, code=code, status=status, request_id=request_id)

    if is_retryable(code, status, wait_seconds):
        return RetryRequest(error(TryLaterError, sentence), throttled=is_throttling(code, status), wait_seconds=wait_seconds)
    if status in REDIRECTS or (content and decode_body(content) is None):
        # The API refuses in JSON: this is from a gateway or proxy in between.
        return error(ReachEndpointError, f"{host} answered {operation}, but not as the API does")
    named = error_class(code, status, has_token=has_token)
    if named is GrantPermissionError:
        return error(named, sentence, GrantPermissionError.default_for(operation))
    if named is SetClockError:
        sentence = f"{sentence}; {skew_sentence(headers.get('date', ''), now)}"
    return error(named, sentence)
