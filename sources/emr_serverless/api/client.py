"""Requests one page of a list operation: signed, sent and retried.

Nothing here knows windows or tables. The retry rules are in retry.py; waits and random numbers are injected.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpx

from ..arrow.decode import Answer
from ..arrow.normalize import asked_of
from ..resources.declaration import Resource, Token
from ..settings import (
    FIRST_CONTACT_ATTEMPTS,
    PAGE_ROWS,
    REQUEST_ATTEMPTS,
    REQUEST_TIMEOUT_SECONDS,
    REQUEST_TOTAL_SECONDS,
)
from .credentials import AccessKeyProvider, AccessKeys
from .endpoint import endpoint_of, is_loopback
from .errors import CheckCredentialsError, TryLaterError
from .exchange import ConnectionSettings, Exchange, NoResponseError, Request, trusted_authorities
from .failures import RetryRequest, connection_failure, refusal
from .processes import ProcessEndedError, Processes
from .retry import backoff_seconds
from .signing import canonical_path, canonical_query, request_headers
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


@dataclass(frozen=True)
class _Call:
    resource: Resource
    region_id: str
    path: str
    query: Mapping[str, str]
    repeated: Mapping[str, str]


@dataclass(frozen=True)
class _Host:
    url: str
    name: str


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
        self._keys = provide_key if isinstance(provide_key, AccessKeys) else AccessKeys(lambda: provide_key)
        self._clock = clock
        self._endpoint = endpoint
        self._scrub = scrub
        self._jitter = jitter
        self.stop = stop or threading.Event()
        self.throttle = Throttle(max_connections, requests_per_second, wait=self.stop.wait)
        self._answered: set[str] = set()  # hosts; each region has its own
        hosted_here = is_loopback(urlsplit(endpoint_of("cn-hangzhou", endpoint)).hostname or "")
        settings = ConnectionSettings(max_connections, request_timeout_seconds, uses_proxy=not hosted_here)
        self._hosts: dict[str, _Host] = {}
        self._exchange = Exchange(settings, trusted_authorities(), transport)
        self._processes = Processes(settings, self._exchange, processes=None if transport is None else 0)

    def close(self) -> None:
        """End all waits, processes and connections."""
        self.stop.set()
        self._processes.close()
        self._exchange.close()

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
        page = self._page(_Call(resource, region_id, path, query, repeated), request_stats)
        # ListWorkspaceQueues may return a token, but does not accept one.
        return page if isinstance(resource.paging, Token) else replace(page, next_token=None)

    def _page(self, call: _Call, request_stats: RequestStats) -> Page:
        host = self._host(call.region_id)
        started = self.throttle.now()
        renewed = False
        for attempt in count(1):
            generation = self._keys.generation
            try:
                with self.throttle.slot() as epoch:
                    if self.stop.is_set():
                        raise TryLaterError(f"{call.resource.operation} was not sent, because the load is being stopped")
                    request_stats.requests += 1
                    observed_at = self._clock().astimezone(UTC)
                    try:
                        answer = self._attempt(call, host)
                    except RetryRequest as failure:
                        if failure.throttled:
                            request_stats.throttled += 1
                            self.throttle.throttled(epoch)
                        # In the slot: another request that is sent meanwhile would be throttled too.
                        if not self._may_retry(failure, attempt, started, host):
                            raise failure.error from None
                        continue
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

    def _may_retry(self, failure: RetryRequest, attempt: int, started: float, host: _Host) -> bool:
        """Wait before the next attempt; returns false where there is to be none."""
        seconds = failure.wait_seconds
        if seconds is None:
            seconds = backoff_seconds(attempt, self._jitter)
        allowed = REQUEST_ATTEMPTS if host.name in self._answered else FIRST_CONTACT_ATTEMPTS
        spent = self.throttle.now() - started
        return attempt < allowed and spent + seconds <= REQUEST_TOTAL_SECONDS and not self.stop.wait(seconds)

    def _attempt(self, call: _Call, host: _Host) -> Answer:
        operation = call.resource.operation
        headers = request_headers(self._keys(), self._clock(), operation, host.name, call.path, call.query)
        url = f"{host.url}{canonical_path(call.path)}?{canonical_query(call.query)}"
        try:
            response = self._processes(Request(url, headers, call.resource.table, call.repeated))
        except ProcessEndedError:
            raise RetryRequest(TryLaterError(f"{operation} was not answered"), wait_seconds=0) from None
        except NoResponseError as error:
            message, has_answered = self._scrub(error.message), host.name in self._answered
            raise connection_failure(host.name, error.kind, message, has_answered=has_answered) from None
        self._answered.add(host.name)
        if response.headers is not None:
            raise refusal(
                operation,
                host.name,
                response.status,
                response.reason_phrase,
                response.headers,
                response.content,
                has_token="nextToken" in call.query,
                scrub=self._scrub,
                now=self._clock(),
            )
        if response.answer is None:
            raise RetryRequest(TryLaterError(f"{operation} answered with a body that is not JSON", status=response.status))
        return response.answer

    def _host(self, region_id: str) -> _Host:
        if region_id not in self._hosts:
            url = endpoint_of(region_id, self._endpoint)
            self._hosts[region_id] = _Host(url, httpx.URL(url).netloc.decode())
        return self._hosts[region_id]
