"""A local server that receives webhooks and misbehaves on demand."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Behaviour = Literal["answer", "hang", "drip", "redirect"]


@dataclass
class Receiver:
    """A server and what it received.

    Attributes:
        port: it listens on, of this machine.
        behaviour: what it does with a request: `hang` and `drip` last until `released`, or the end of the test.
        status: of its answers.
        answer: sent as JSON.
        redirect_to: where it redirects to.
        received: method, path with query, and body of every request.
        released: ends what hangs.
    """

    port: int = 0
    behaviour: Behaviour = "answer"
    status: int = 200
    answer: Any = None
    redirect_to: str = ""
    received: list[tuple[str, str, Any]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _ in self.received]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            receiver.received.append((self.command, self.path, json.loads(body) if body else None))
            try:
                self._answer()
            except OSError:  # whoever asked has gone
                self.close_connection = True

        do_POST = do_GET  # noqa: N815  # the base class calls it so

        def _answer(self) -> None:
            if receiver.behaviour == "hang":
                receiver.released.wait()
                self.close_connection = True
                return
            self.send_response(302 if receiver.behaviour == "redirect" else receiver.status)
            if receiver.behaviour == "redirect":
                self.send_header("Location", receiver.redirect_to)
            content = json.dumps(receiver.answer).encode()
            endless = receiver.behaviour == "drip"
            self.send_header("Content-Length", str(10**9 if endless else len(content)))
            self.end_headers()
            while endless and not receiver.released.wait(0.02):
                self.wfile.write(b" ")
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  # its name in the base class
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
