"""A client with scripted responses and simulated waits, which records its requests."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from emr_serverless.api.client import Client, Page, RequestStats
from emr_serverless.api.credentials import AccessKey
from emr_serverless.api.throttle import Throttle
from emr_serverless.resources.job_runs import JOB_RUNS

Answer = Callable[[httpx.Request], httpx.Response]
START = datetime(2026, 3, 1, tzinfo=UTC)
REGION, WORKSPACE = "cn-hangzhou", "w-1"


def reply(status: int, body: Any = None, **headers: str) -> Answer:
    """Return an answer: bytes as they are, anything else as JSON. Header names have `_` for `-`."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx.Response(status, headers=named, content=content)


def refusal(status: int, code: str | None, message: str = "No.", **headers: str) -> Answer:
    """Return the gateway's refusal, in Pascal case."""
    body = {"RequestId": "R-1", "HostId": "h", "Code": code, "Message": message, "Recommend": ""}
    return reply(status, body, **headers)


def rows(*run_ids: str, total: int | None = None, token: str | None = None) -> Answer:
    """Return a page of job runs."""
    body: dict[str, Any] = {"jobRuns": [{"jobRunId": run_id} for run_id in run_ids], "totalCount": total}
    return reply(200, body | ({"nextToken": token} if token else {}))


def broken(kind: type[httpx.TransportError], text: str = "") -> Answer:
    """Return a connection that breaks."""

    def fail(request: httpx.Request) -> httpx.Response:
        raise kind(text, request=request)

    return fail


class ScriptedApi:
    """Answers requests by a script, the last entry for ever.

    Attributes:
        client: asks it.
        requests: what it was asked.
        waits: seconds the client waited, in order. Waiting moves the time and takes none.
    """

    def __init__(self, *script: Answer, **settings: Any) -> None:
        self._script = list(script)
        self._seconds = 0.0
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []
        self.request_stats = RequestStats()
        defaults: dict[str, Any] = {
            "provide_key": lambda: AccessKey("LTAI-test", "secret"),
            "clock": lambda: START + timedelta(seconds=self._seconds),
            "max_connections": 8,
            "jitter": lambda: 1.0,
            "stop": _Waits(self._wait),
            "transport": httpx.MockTransport(self._answer),
        }
        self.client = Client(**(defaults | settings))
        self.client.throttle = Throttle(8, wait=self.client.stop.wait, monotonic=lambda: self._seconds)

    def list_job_runs(self, asked: dict[str, Any] | None = None, **options: Any) -> Page:
        """Ask for one page."""
        return self.client.fetch_page(JOB_RUNS, REGION, WORKSPACE, self.request_stats, asked, **options)

    def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self._seconds += seconds

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        return answer(request)


class _Waits(threading.Event):
    def __init__(self, note: Callable[[float], None]) -> None:
        super().__init__()
        self._note = note

    def wait(self, timeout: float | None = None) -> bool:
        if not self.is_set():
            self._note(timeout or 0.0)
        return self.is_set()
