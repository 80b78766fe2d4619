"""One call is one page: signed, sent, retried, and turned into rows or into an error that says what to do.

Nothing here knows windows or tables. The retry rules are data, in one table; every wait and every random number is injected.
"""

from __future__ import annotations

import json
import random
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from ..arrow.decode import Answer, decode_body, read_answer
from ..arrow.normalize import asked_of
from ..resources.declaration import Resource, Token
from ..settings import (
    BACKOFF_BASE_SECONDS,
    BACKOFF_CAP_SECONDS,
    CONNECT_TIMEOUT_SECONDS,
    FIRST_CONTACT_ATTEMPTS,
    PAGE_ROWS,
    REQUEST_ATTEMPTS,
    REQUEST_TIMEOUT_SECONDS,
    REQUEST_TOTAL_SECONDS,
)
from .credentials import AccessKeyProvider, AccessKeys
from .endpoint import endpoint_of, is_loopback
from .errors import (
    CheckCredentialsError,
    CheckSettingsError,
    EmrServerlessError,
    GrantPermissionError,
    ReachEndpointError,
    SetClockError,
    TryLaterError,
)
from .retry import error_class, error_facts, is_retryable, is_throttling, retry_after_seconds, skew_sentence
from .signing import Acs3Auth, canonical_path, canonical_query
from .throttle import Throttle

# How Python's library for TLS names the refusal.
CERTIFICATE_REFUSED: Final = "CERTIFICATE_VERIFY_FAILED"


@dataclass
class RequestStats:
    """What calls took, for the audit: HTTP requests sent, and those answered by throttling."""

    requests: int = 0
    throttled: int = 0


@dataclass(frozen=True)
class Page(Answer):
    """One page of a list operation: the answer, and when it was asked for.

    Attributes:
        observed_at: when the answered request was sent, UTC.
    """

    observed_at: datetime


def backoff_seconds(attempt: int, jitter: Callable[[], float]) -> float:
    """Return the wait after the attempt-th failure: exponential, capped, full jitter.

    Args:
        attempt: 1 for the first failure.
        jitter: returns a number in [0, 1).
    """
    ceiling: float = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2.0 ** (attempt - 1))
    return ceiling * jitter()


def _trusted_authorities() -> ssl.SSLContext:
    """Return whose certificates are accepted: those of SSL_CERT_FILE or SSL_CERT_DIR where they are set."""
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise CheckSettingsError(
            f"The certificates of SSL_CERT_FILE or SSL_CERT_DIR cannot be read ({error.strerror or error})",
            advice="Set it to a PEM file, or unset it.",
        ) from None


class _Retry(Exception):  # noqa: N818  # not an error of ours: one attempt's verdict
    """One attempt failed in a way that may pass."""

    def __init__(self, error: EmrServerlessError, *, throttled: bool = False, wait_seconds: float | None = None) -> None:
        self.error = error
        self.throttled = throttled
        self.wait_seconds = wait_seconds


Decode = Callable[[bytes, Resource, Mapping[str, str]], Answer | None]


@dataclass(frozen=True)
class _Call:
    operation: str
    region_id: str
    path: str
    read: Callable[[bytes], Answer | None]


class Client:
    """Speaks to the API; safe to share between threads.

    Args:
        provide_key: asked for the access key at every request, and for a new one after a refusal.
        clock: the real time, UTC; dates signatures and observations.
        endpoint: a host or URL, `{region_id}` is filled in; None for the public one.
        max_connections: ceiling of requests in flight.
        requests_per_second: an optional fixed cap.
        request_timeout_seconds: how long one attempt waits for an answer.
        scrub: takes secrets out of the texts of the API's errors.
        stop: set to end all waits.
        decode: reads an answer's body, as `read_answer` does.
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
        decode: Decode = read_answer,
        jitter: Callable[[], float] = random.random,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._keys = provide_key if isinstance(provide_key, AccessKeys) else AccessKeys(lambda: provide_key)
        self._clock = clock
        self._endpoint = endpoint
        self._scrub = scrub
        self._decode = decode
        self._jitter = jitter
        self.stop = stop or threading.Event()
        self.throttle = Throttle(max_connections, requests_per_second, wait=self.stop.wait)
        self._answered: set[str] = set()  # hosts; each region has its own
        hosted_here = is_loopback(urlsplit(endpoint_of("cn-hangzhou", endpoint)).hostname or "")
        self._http = httpx.Client(
            auth=Acs3Auth(self._keys, clock),
            timeout=httpx.Timeout(request_timeout_seconds, connect=min(CONNECT_TIMEOUT_SECONDS, request_timeout_seconds)),
            limits=httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections),
            trust_env=not hosted_here,  # a proxy of the company must not be asked for this machine
            verify=_trusted_authorities(),
            headers={"accept": "application/json", "user-agent": "emr-usage"},
            transport=transport,
        )

    def close(self) -> None:
        """End all waits and connections."""
        self.stop.set()
        self._http.close()

    def fetch_page(
        self,
        resource: Resource,
        region_id: str,
        workspace_id: str,
        request_stats: RequestStats,
        asked: Mapping[str, Any] | None = None,
        *,
        next_token: str | None = None,
        max_results: int = PAGE_ROWS,
    ) -> Page:
        """Return one page of a list operation.

        Args:
            resource: what to list.
            region_id: where it is.
            workspace_id: whose rows; without effect where the resource is listed by region.
            request_stats: counts the requests, also those of a call that fails.
            asked: the filter, API names to values; ranges and lists travel as compact JSON.
            next_token: of the page before, or None for the first.
            max_results: rows wanted, at most the resource's `page_rows`.

        Raises:
            EmrServerlessError: the class says what to do next; RestartWindowError when the token is refused.
        """
        query = {
            name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
            for name, value in (asked or {}).items()
        }
        query["regionId"] = region_id
        if isinstance(resource.paging, Token):
            query["maxResults"] = str(max_results)
            query |= {"nextToken": next_token} if next_token else {}
        repeated = asked_of(resource.repeats, region_id, workspace_id)
        path = resource.path.format(workspace_id=workspace_id)
        call = _Call(resource.operation, region_id, path, lambda body: self._decode(body, resource, repeated))
        page = self._page(call, query, request_stats)
        # ListWorkspaceQueues may answer with a token, but takes none.
        return page if isinstance(resource.paging, Token) else replace(page, next_token=None)

    def _page(self, call: _Call, query: Mapping[str, str], request_stats: RequestStats) -> Page:
        url = f"{endpoint_of(call.region_id, self._endpoint)}{canonical_path(call.path)}?{canonical_query(query)}"
        started = self.throttle.now()
        renewed = False
        for attempt in count(1):
            generation = self._keys.generation
            try:
                with self.throttle.slot() as epoch:
                    if self.stop.is_set():
                        raise TryLaterError(f"{call.operation} was not sent, because the load is being stopped")
                    request_stats.requests += 1
                    observed_at = self._clock().astimezone(UTC)
                    answer = self._attempt(call, url, query)
            except _Retry as failure:
                if failure.throttled:
                    request_stats.throttled += 1
                    self.throttle.throttled(epoch)
                seconds = failure.wait_seconds
                if seconds is None:
                    seconds = backoff_seconds(attempt, self._jitter)
                allowed = REQUEST_ATTEMPTS if self._has_answered(url) else FIRST_CONTACT_ATTEMPTS
                spent = self.throttle.now() - started
                if attempt >= allowed or spent + seconds > REQUEST_TOTAL_SECONDS or self.stop.wait(seconds):
                    raise failure.error from None
            except CheckCredentialsError as error:
                # A temporary key may have been replaced while we held the old one. Without a status there was no key to refuse.
                if renewed or error.status is None:
                    raise
                renewed = True
                self._keys.renew(generation)
            else:
                self.throttle.succeeded(epoch)
                return Page(answer.records, answer.next_token, answer.total_count, observed_at)
        raise AssertionError  # count() has no end

    def _has_answered(self, url: str) -> bool:
        return urlsplit(url).netloc in self._answered

    def _attempt(self, call: _Call, url: str, query: Mapping[str, str]) -> Answer:
        signed = {"acs_action": call.operation, "acs_path": call.path, "acs_query": query}
        request = self._http.build_request("GET", url, extensions=signed)
        try:
            response = self._http.send(request)
        except httpx.RequestError as error:  # on the way, or in unpacking what came
            if CERTIFICATE_REFUSED in str(error):
                raise self._unverified(url, error) from None
            raise _Retry(self._unanswered(url, error)) from None
        self._answered.add(urlsplit(url).netloc)
        if not response.is_success:
            raise self._refused(call.operation, response, has_token="nextToken" in query)
        answer = call.read(response.content)
        if answer is None:
            raise _Retry(TryLaterError(f"{call.operation} answered with a body that is not JSON", status=response.status_code))
        return answer

    def _unanswered(self, url: str, error: httpx.RequestError) -> EmrServerlessError:
        host = urlsplit(url).netloc
        what = f"{host} did not answer ({type(error).__name__}: {self._scrub(str(error)) or 'no details'})"
        return TryLaterError(what) if self._has_answered(url) else ReachEndpointError(what)

    def _unverified(self, url: str, error: httpx.RequestError) -> EmrServerlessError:
        reason = (
            str(error)
            .partition(f"{CERTIFICATE_REFUSED}] ")[2]
            .partition(" (_ssl.c")[0]
            .removeprefix("certificate verify failed: ")
        )
        return ReachEndpointError(
            f"The certificate of {urlsplit(url).netloc} was refused: {self._scrub(reason)}",
            advice="Set SSL_CERT_FILE to a PEM file of the authorities to trust, such as your company's proxy's; see also whether"
            " this machine's clock and the --endpoint are right.",
        )

    def _refused(self, operation: str, response: httpx.Response, *, has_token: bool) -> Exception:
        status = response.status_code
        code, message, request_id = error_facts(response.content, response.headers)
        facts: dict[str, Any] = {"code": code, "status": status, "request_id": request_id}
        sentence = f"{operation} failed: {self._scrub(message).rstrip('. ') or response.reason_phrase}"
        wait_seconds = retry_after_seconds(response.headers)
        if is_retryable(code, status, wait_seconds):
            return _Retry(TryLaterError(sentence, **facts), throttled=is_throttling(code, status), wait_seconds=wait_seconds)
        if response.is_redirect or (response.content and decode_body(response.content) is None):
            # The API refuses in JSON: this came from something on the way, such as a proxy.
            return ReachEndpointError(f"{response.url.host} answered {operation} with something else than the API", **facts)
        named = error_class(code, status, has_token=has_token)
        if named is GrantPermissionError:
            return GrantPermissionError(sentence, advice=GrantPermissionError.default_for(operation), **facts)
        if named is SetClockError:
            sentence = f"{sentence}; {skew_sentence(response.headers.get('date', ''), self._clock())}"
        return named(sentence, **facts)
