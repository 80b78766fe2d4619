"""Requests one page of a list operation: signed, sent and retried.

Nothing here knows windows or tables. The retry rules are in retry.py; waits and random numbers are injected.
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
from typing import Any
from urllib.parse import urlsplit

import httpx

from ..arrow.decode import Answer, read_answer
from ..arrow.normalize import asked_of
from ..resources.declaration import Resource, Token
from ..settings import (
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
    TryLaterError,
)
from .failures import RetryRequest, connection_failure, refusal
from .retry import backoff_seconds
from .signing import Acs3Auth, canonical_path, canonical_query
from .throttle import Throttle


@dataclass
class RequestStats:
    """HTTP requests sent, and those that were throttled, for the audit."""

    requests: int = 0
    throttled: int = 0


@dataclass(frozen=True)
class Page(Answer):
    """One page of a list operation, and when it was requested.

    Attributes:
        observed_at: when the request was sent, UTC.
    """

    observed_at: datetime


def _trusted_authorities() -> ssl.SSLContext:
    """Return the certificate authorities to trust: those of SSL_CERT_FILE or SSL_CERT_DIR where they are set."""
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise CheckSettingsError(
            f"The certificates of SSL_CERT_FILE or SSL_CERT_DIR cannot be read ({error.strerror or error})",
            advice="Set it to a PEM file, or unset it.",
        ) from None


Decode = Callable[[bytes, Resource, Mapping[str, str]], Answer | None]


@dataclass(frozen=True)
class _Call:
    operation: str
    region_id: str
    path: str
    read: Callable[[bytes], Answer | None]


class Client:
    """Sends requests to the API; safe to share between threads.

    Args:
        provide_key: returns the access key, at every request and once more after the API has refused it.
        clock: the real time, UTC; dates signatures and observations.
        endpoint: a host or URL, may contain `{region_id}`; None for the public one.
        max_connections: maximum number of requests in flight.
        requests_per_second: an optional fixed limit.
        request_timeout_seconds: timeout of one attempt.
        scrub: removes secrets from the API's error messages.
        stop: set to end all waits.
        decode: decodes a response body, as `read_answer` does.
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
            trust_env=not hosted_here,  # no proxy for a server on this machine
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
            workspace_id: whose rows; ignored where the resource is listed by region.
            request_stats: is updated, also by a call that fails.
            asked: the filter, API names to values; ranges and lists are sent as compact JSON.
            next_token: of the previous page, or None for the first.
            max_results: number of rows, at most the resource's `page_rows`.

        Raises:
            EmrServerlessError: its class says what to do; RestartWindowError where the token is refused.
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
        # ListWorkspaceQueues may return a token, but does not accept one.
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
            except RetryRequest as failure:
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
                # A temporary key may have been replaced in the meantime. Without a status there was no key to refuse.
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
        except httpx.RequestError as error:  # also raised where the response cannot be decompressed
            host, message = urlsplit(url).netloc, self._scrub(str(error))
            raise connection_failure(host, type(error).__name__, message, has_answered=self._has_answered(url)) from None
        self._answered.add(urlsplit(url).netloc)
        if not response.is_success:
            raise refusal(
                call.operation,
                response.url.host,
                response.status_code,
                response.reason_phrase,
                response.headers,
                response.content,
                has_token="nextToken" in query,
                scrub=self._scrub,
                now=self._clock(),
            )
        answer = call.read(response.content)
        if answer is None:
            raise RetryRequest(
                TryLaterError(f"{call.operation} answered with a body that is not JSON", status=response.status_code)
            )
        return answer
