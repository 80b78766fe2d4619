"""Answers ListWorkspaces and ListJobRuns from a process of its own, from rows encoded beforehand.

A page is one join of slices, so that the server does not limit the measurement; `/control` returns its CPU seconds. Nothing
is signed or refused here: the emulator is for that.

    python benchmarks/page_server.py --runs 100000 --days 30
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import socket
import time
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import orjson

from history import REGION, START_MS, History, Shelf

# Room for a whole page, so that one send takes it.
SEND_BUFFER_BYTES: Final = 1_048_576
HEAD: Final = b"HTTP/1.1 %d OK\r\nContent-Type: application/json;charset=utf-8\r\nContent-Length: %d\r\n\r\n"
MAX_RESULTS: Final = 100
DEFAULT_RESULTS: Final = 20


class Site:
    """What the server knows: the history, and how slow it is to answer."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.shelves: dict[str, Shelf] = history.shelves()
        self.latency_seconds = 0.0
        self.requests = 0
        # On the clock that never goes back, which all processes of a machine share.
        self.first_request: float | None = None
        self.last_answer = 0.0

    def answer(self, target: str) -> tuple[int, bytes]:
        """Return status and body of a GET."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/control":
            return 200, self._control(query)
        self.requests += 1
        moment = time.monotonic()
        self.first_request = self.first_request or moment
        self.last_answer = moment + self.latency_seconds
        pieces = parts.path.strip("/").split("/")
        if pieces[-1] in {"queues", "members"}:
            return 200, orjson.dumps({"requestId": "bench", "totalCount": 0, pieces[-1]: []})
        if pieces[:3] != ["api", "v1", "workspaces"]:
            return 404, b'{"code":"InvalidApi.NotFound"}'
        if len(pieces) == 3:
            return 200, self._list_workspaces()
        shelf = self.shelves.get(pieces[3])
        return (200, list_job_runs(shelf, query)) if shelf else (404, b'{"code":"Workspace.NotFound"}')

    def _list_workspaces(self) -> bytes:
        rows = [
            {"workspaceId": name, "workspaceName": f"bench-{name[-1]}", "workspaceStatus": "RUNNING", "regionId": REGION}
            for name in self.shelves
        ]
        return orjson.dumps({"requestId": "bench", "maxResults": 100, "totalCount": len(rows), "workspaces": rows})

    def _control(self, query: dict[str, str]) -> bytes:
        """Change the history to serve; return the statistics since the last change."""
        if "begin" in query:
            self.requests, self.first_request = 0, None
        if "latency_ms" in query:
            self.latency_seconds = float(query["latency_ms"]) / 1000
        if "night" in query:
            self.shelves = {}
            self.history.is_night = True
            self.shelves = self.history.shelves()
            gc.freeze()
        return orjson.dumps(
            {
                "requests": self.requests,
                "first_request": self.first_request,
                "last_answer": self.last_answer,
                "cpu_seconds": time.process_time(),
                "total": self.history.total,
            }
        )


def list_job_runs(shelf: Shelf, query: dict[str, str]) -> bytes:
    """Return one page, newest first; a token is an offset."""
    run_id = query.get("jobRunId")
    # No run belongs to a workflow.
    shelf = Shelf() if query.get("isWorkflow") == "true" else shelf
    rows, first, last = shelf.select(
        _time_range(query, "startTime"),
        _time_range(query, "endTime"),
        frozenset(json.loads(query["states"])) if "states" in query else None,
        run_id.encode() if run_id else None,
    )
    size = min(MAX_RESULTS, int(query.get("maxResults", DEFAULT_RESULTS)))
    after = last - int(query.get("nextToken", 0))
    before = max(first, after - size)
    token = b',"nextToken":"%d"' % (last - before) if before > first else b""
    tail = b'],"requestId":"bench","maxResults":%d,"totalCount":%d%s}' % (size, last - first, token)
    return b"".join((b'{"jobRuns":[', b",".join(rows[before:after][::-1]), tail))


def _time_range(query: dict[str, str], name: str) -> tuple[int, int] | None:
    if name not in query:
        return None
    asked: dict[str, Any] = json.loads(query[name])
    return int(asked["startTime"]), int(asked["endTime"])


class Connection(asyncio.Protocol):
    """One keep-alive connection. Requests have no bodies and are not pipelined."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        assert isinstance(transport, asyncio.Transport)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer once the head is whole, after the latency."""
        self._received += data
        if not self._received.endswith(b"\r\n\r\n"):
            return
        target = self._received.split(b" ", 2)[1].decode()
        self._received = b""
        latency = 0.0 if target.startswith("/control") else self._site.latency_seconds
        status, body = self._site.answer(target)
        answer = (HEAD % (status, len(body))) + body
        if latency:
            asyncio.get_running_loop().call_later(latency, self._send, answer)
        else:
            self._send(answer)

    def _send(self, answer: bytes) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.write(answer)


async def serve(site: Site, port: int) -> None:
    """Serve until killed; the first line of the output is the address."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(site), "127.0.0.1", port)
    host, port = server.sockets[0].getsockname()[:2]
    print(f"http://{host}:{port}", flush=True)
    await server.serve_forever()


def main() -> None:
    """Prepare the history, then serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--night-runs", type=int, default=0)
    parser.add_argument("--carried", type=int, default=-1)
    parser.add_argument("--start-ms", type=int, default=START_MS)
    parser.add_argument("--documented", action="store_true", help="no row has a field that is not documented")
    parser.add_argument("--night", action="store_true", help="the night has passed")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    history = History(given.runs, given.days, given.night_runs, given.documented, given.night, given.carried, given.start_ms)
    site = Site(history)
    gc.freeze()
    asyncio.run(serve(site, given.port))


if __name__ == "__main__":
    main()
