"""One call is one page: signed, sent, retried, and turned into rows or into an error that says what to do.

Nothing here knows windows or tables. The retry rules are data, in one table; every wait and every random number is injected.
"""

from __future__ import annotations

import email.utils
import json
import random
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from itertools import count
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import orjson

from .credentials import AccessKeyProvider
from .errors import (
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
from .flow import FlowControl
from .settings import (
    BACKOFF_BASE_SECONDS,
    BACKOFF_CAP_SECONDS,
    CONNECT_TIMEOUT_SECONDS,
    DEFAULT_ENDPOINT,
    FIRST_CONTACT_ATTEMPTS,
    PAGE_ROWS,
    REQUEST_ATTEMPTS,
    REQUEST_TIMEOUT_SECONDS,
    REQUEST_TOTAL_SECONDS,
)
from .signing import Acs3Auth, canonical_path, canonical_query

# Codes that pass with time, whatever status they come with: the gateway sends Throttling as 400.
RETRIED_CODES: Final = ("Throttling", "ServiceUnavailable", "InternalError", "Error.Internal", "SignatureNonceUsed")
RETRIED_STATUSES: Final = (429, 500, 502, 503, 504)
THROTTLED_STATUSES: Final = (429, 503)
NUL_ESCAPE: Final = b"\\u0000"
# A backslash before it makes it six characters of text, such as a delimiter written as \u0000.
_NUL: Final = re.compile(r"((?<!\\)(?:\\\\)*)\\u0000")
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


@dataclass
class Effort:
    """What calls took, for the audit: HTTP requests sent, and those answered by throttling."""

    requests: int = 0
    throttled: int = 0


@dataclass(frozen=True)
class Page:
    """One page of a list operation.

    Attributes:
        rows: the rows as the API sent them.
        next_token: the token of the next page, or None on the last one.
        total_count: matches of the filter by the API's own count, or None where it gives none.
        observed_at: when the answered request was sent, UTC.
    """

    rows: list[dict[str, Any]]
    next_token: str | None
    total_count: int | None
    observed_at: datetime


def endpoint_of(region_id: str, endpoint: str | None) -> str:
    """Return the base URL for a region.

    Args:
        region_id: fills `{region_id}` in the endpoint.
        endpoint: a host or URL, or None for the vendor's public endpoint.

    Raises:
        CheckSettingsError: plain HTTP to anything but this machine, which would send tokens in the clear.
    """
    base = (endpoint or DEFAULT_ENDPOINT).replace("{region_id}", region_id)
    base = (base if "://" in base else f"https://{base}").rstrip("/")
    try:
        parts = urlsplit(base)
    except ValueError:  # half an IPv6 address
        parts = urlsplit("")
    if not parts.hostname or parts.scheme not in {"http", "https"}:
        raise CheckSettingsError(f"The endpoint {base!r} is not a host or an https address")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise CheckSettingsError(
            f"The endpoint {base!r} is plain HTTP, which is allowed to this machine only", advice="Use https."
        )
    return base


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def backoff_seconds(attempt: int, jitter: Callable[[], float]) -> float:
    """Return the wait after the attempt-th failure: exponential, capped, full jitter.

    Args:
        attempt: 1 for the first failure.
        jitter: returns a number in [0, 1).
    """
    ceiling: float = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2.0 ** (attempt - 1))
    return ceiling * jitter()


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


class _Retry(Exception):  # noqa: N818  # not an error of ours: one attempt's verdict
    """One attempt failed in a way that may pass."""

    def __init__(self, error: EmrServerlessError, *, throttled: bool = False, wait_seconds: float | None = None) -> None:
        self.error = error
        self.throttled = throttled
        self.wait_seconds = wait_seconds


class Client:
    """Speaks to the API; safe to share between threads.

    Args:
        provide_key: asked for the access key at every request.
        clock: the real time, UTC; dates signatures and observations.
        endpoint: a host or URL, `{region_id}` is filled in; None for the public one.
        max_connections: ceiling of requests in flight.
        requests_per_second: an optional fixed cap.
        request_timeout_seconds: how long one attempt waits for an answer.
        scrub: takes secrets out of the texts of the API's errors.
        stop: set to end all waits.
        jitter: returns a number in [0, 1); injected by tests.
        transport: replaces the network; injected by tests.
    """

    def __init__(
        self,
        *,
        provide_key: AccessKeyProvider,
        clock: Callable[[], datetime],
        endpoint: str | None = None,
        max_connections: int,
        requests_per_second: float | None = None,
        request_timeout_seconds: float = REQUEST_TIMEOUT_SECONDS,
        scrub: Callable[[str], str] = str,
        stop: threading.Event | None = None,
        jitter: Callable[[], float] = random.random,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._clock = clock
        self._endpoint = endpoint
        self._scrub = scrub
        self._jitter = jitter
        self.stop = stop or threading.Event()
        self.flow = FlowControl(max_connections, requests_per_second, wait=self.stop.wait)
        self._answered: set[str] = set()  # hosts; each region has its own
        hosted_here = is_loopback(urlsplit(endpoint_of("", endpoint)).hostname or "")
        self._http = httpx.Client(
            auth=Acs3Auth(provide_key, clock),
            timeout=httpx.Timeout(request_timeout_seconds, connect=min(CONNECT_TIMEOUT_SECONDS, request_timeout_seconds)),
            limits=httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections),
            trust_env=not hosted_here,  # a proxy of the company must not be asked for this machine
            headers={"accept": "application/json", "user-agent": "emr-usage"},
            transport=transport,
        )

    def close(self) -> None:
        """End all waits and connections."""
        self.stop.set()
        self._http.close()

    def list_job_runs(
        self,
        region_id: str,
        workspace_id: str,
        asked: Mapping[str, Any],
        effort: Effort,
        *,
        next_token: str | None = None,
        max_results: int = PAGE_ROWS,
    ) -> Page:
        """Return one page of ListJobRuns.

        Args:
            region_id: where the workspace is.
            workspace_id: whose runs.
            asked: the filter, API names to values; ranges and lists travel as compact JSON.
            effort: counts the requests, also those of a call that fails.
            next_token: of the page before, or None for the first.
            max_results: rows wanted, at most 100.

        Raises:
            EmrServerlessError: the class says what to do next; RestartWindowError when the token is refused.
        """
        query = {
            name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
            for name, value in asked.items()
        }
        path = f"/api/v1/workspaces/{workspace_id}/jobRuns"
        paging = {
            "regionId": region_id,
            "maxResults": str(max_results),
            **({"nextToken": next_token} if next_token else {}),
        }
        return self._page("ListJobRuns", region_id, path, {**query, **paging}, "jobRuns", effort)

    def list_workspaces(
        self, region_id: str, effort: Effort, *, next_token: str | None = None, max_results: int = PAGE_ROWS
    ) -> Page:
        """Return one page of ListWorkspaces; arguments and errors as in `list_job_runs`."""
        paging = {
            "regionId": region_id,
            "maxResults": str(max_results),
            **({"nextToken": next_token} if next_token else {}),
        }
        return self._page("ListWorkspaces", region_id, "/api/v1/workspaces", paging, "workspaces", effort)

    def _page(self, operation: str, region_id: str, path: str, query: Mapping[str, str], rows_key: str, effort: Effort) -> Page:
        body, observed_at = self._call(operation, region_id, path, query, effort)
        rows = body.get(rows_key)
        total = body.get("totalCount")
        token = body.get("nextToken")
        return Page(
            rows=[row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else [],
            next_token=str(token) if token else None,
            total_count=int(total) if isinstance(total, (int, str)) and str(total).isdecimal() else None,
            observed_at=observed_at,
        )

    def _call(
        self, operation: str, region_id: str, path: str, query: Mapping[str, str], effort: Effort
    ) -> tuple[dict[str, Any], datetime]:
        url = f"{endpoint_of(region_id, self._endpoint)}{canonical_path(path)}?{canonical_query(query)}"
        started = self.flow.now()
        for attempt in count(1):
            effort.requests += 1
            try:
                with self.flow.slot() as epoch:
                    observed_at = self._clock().astimezone(UTC)
                    body = self._attempt(operation, url, path, query)
            except _Retry as failure:
                if failure.throttled:
                    effort.throttled += 1
                    self.flow.throttled(epoch)
                seconds = failure.wait_seconds
                if seconds is None:
                    seconds = backoff_seconds(attempt, self._jitter)
                allowed = REQUEST_ATTEMPTS if self._has_answered(url) else FIRST_CONTACT_ATTEMPTS
                spent = self.flow.now() - started
                if attempt >= allowed or spent + seconds > REQUEST_TOTAL_SECONDS or self.stop.wait(seconds):
                    raise failure.error from None
            else:
                self.flow.succeeded(epoch)
                return body, observed_at
        raise AssertionError  # count() has no end

    def _has_answered(self, url: str) -> bool:
        return urlsplit(url).netloc in self._answered

    def _attempt(self, operation: str, url: str, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        request = self._http.build_request("GET", url, extensions={"acs_action": operation, "acs_path": path, "acs_query": query})
        try:
            response = self._http.send(request)
        except httpx.RequestError as error:  # on the way, or in unpacking what came
            raise _Retry(self._unanswered(url, error)) from None
        self._answered.add(urlsplit(url).netloc)
        if response.is_success:
            body = decode_body(response.content)
            if body is not None:
                return body
            raise _Retry(TryLaterError(f"{operation} answered with a body that is not JSON", status=response.status_code))
        raise self._refused(operation, response, has_token="nextToken" in query)

    def _unanswered(self, url: str, error: httpx.RequestError) -> EmrServerlessError:
        host = urlsplit(url).netloc
        what = f"{host} did not answer ({type(error).__name__}: {self._scrub(str(error)) or 'no details'})"
        return TryLaterError(what) if self._has_answered(url) else ReachEndpointError(what)

    def _refused(self, operation: str, response: httpx.Response, *, has_token: bool) -> Exception:
        code, message, request_id = error_facts(response)
        facts: dict[str, Any] = {"code": code, "status": response.status_code, "request_id": request_id}
        sentence = f"{operation} failed: {self._scrub(message).rstrip('. ') or response.reason_phrase}"
        wait_seconds = retry_after_seconds(response.headers)
        passing = code is not None and code.startswith(RETRIED_CODES)
        if wait_seconds is not None or passing or response.status_code in RETRIED_STATUSES:
            throttled = (code or "").startswith("Throttling") or response.status_code in THROTTLED_STATUSES
            return _Retry(TryLaterError(sentence, **facts), throttled=throttled, wait_seconds=wait_seconds)
        if response.is_redirect or (response.content and decode_body(response.content) is None):
            # The API refuses in JSON: this came from something on the way, such as a proxy.
            return ReachEndpointError(f"{response.url.host} answered {operation} with something else than the API", **facts)
        for beginning, named in ERROR_OF_CODE:
            if code and code.startswith(beginning):
                return self._named(named, operation, sentence, response, facts)
        if has_token and response.status_code == httpx.codes.BAD_REQUEST:
            return RestartWindowError(sentence, **facts)
        # The service is known to answer for a workspace it does not show with an empty code.
        fallback = FindWorkspaceError if code is None else FixRequestError
        return self._named(ERROR_OF_STATUS.get(response.status_code, fallback), operation, sentence, response, facts)

    def _named(
        self,
        named: type[EmrServerlessError],
        operation: str,
        sentence: str,
        response: httpx.Response,
        facts: dict[str, Any],
    ) -> EmrServerlessError:
        if named is GrantPermissionError:
            return GrantPermissionError(sentence, advice=GrantPermissionError.default_for(operation), **facts)
        if named is SetClockError:
            sentence = f"{sentence}; {skew_sentence(response, self._clock())}"
        return named(sentence, **facts)


def decode_body(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object of a body, or None where there is no whole one.

    NUL and lone surrogates are legal in JSON and refused by some destinations: they become U+FFFD and `?`, so that one hostile
    name cannot hold a whole window back.
    """
    try:
        if NUL_ESCAPE not in content:
            body = orjson.loads(content)
            return body if isinstance(body, dict) else None
    except orjson.JSONDecodeError:
        pass
    try:
        lenient = json.dumps(json.loads(content.decode(errors="replace"), parse_constant=str), ensure_ascii=False)
        body = orjson.loads(_NUL.sub(r"\1\\ufffd", lenient).encode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def error_facts(response: httpx.Response) -> tuple[str | None, str, str | None]:
    """Return code, message and request id of an error answer; gateway bodies are Pascal case, service bodies camel."""
    body = decode_body(response.content)
    if body is None:
        return None, "", response.headers.get("x-acs-request-id")
    lower = {str(name).lower(): value for name, value in body.items()}
    code = lower.get("code") or None
    request_id = lower.get("requestid") or response.headers.get("x-acs-request-id")
    return str(code) if code else None, str(lower.get("message") or ""), str(request_id) if request_id else None


def skew_sentence(response: httpx.Response, now: datetime) -> str:
    """Say how far this machine's clock is from the API's, by the answer's Date header."""
    try:
        theirs = email.utils.parsedate_to_datetime(response.headers.get("date", ""))
        minutes = (now - theirs).total_seconds() / 60
    except (TypeError, ValueError):  # no date, or one without a zone
        return "this machine's clock and the API's differ by more than 15 minutes"
    return f"this machine's clock is {abs(minutes):.0f} minutes {'ahead of' if minutes > 0 else 'behind'} the API's"
