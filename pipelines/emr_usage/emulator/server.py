"""HTTP on the loopback interface, in a thread: bytes to requests, replies to bytes."""

import socket
import sys
import threading
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from .clock import Clock
from .faults import Faults
from .gateway import Gateway
from .replies import Reply
from .signature import DEFAULT_KEY, AccessKey, SignedRequest
from .state import State
from .variants import Variants

HOST = "127.0.0.1"


class Emulator(Gateway):
    """The emulated API over real HTTP, served by a daemon thread between `start` and `stop`.

    Args:
        state: What the account holds.
        clock: What time it is for the data; signatures and their dates are checked against the real clock.
        variants: How the API reads what its documents leave open.
        faults: What goes wrong.
        access_keys: The keys that may sign.
        page_limit: The most rows on a page, whatever `maxResults` asks for.
        port: Where to listen on the loopback interface; 0 takes a free port.
        verify_signatures: Whether unsigned requests are refused.

    Attributes:
        requests: A record of every request, in the order of arrival.
        peak_in_flight: The most requests that were in the works at the same time.
        failures: Exceptions that are the emulator's own defects; a test may assert that there are none.
    """

    def __init__(
        self,
        state: State,
        clock: Clock,
        *,
        variants: Variants | None = None,
        faults: Faults | None = None,
        access_keys: Sequence[AccessKey] = (DEFAULT_KEY,),
        page_limit: int = 100,
        port: int = 0,
        verify_signatures: bool = True,
    ) -> None:
        super().__init__(
            state,
            clock,
            variants=variants,
            faults=faults,
            access_keys=access_keys,
            page_limit=page_limit,
            verify_signatures=verify_signatures,
        )
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """Where it listens.

        Raises:
            RuntimeError: It has not been started.
        """
        if self._server is None:
            raise RuntimeError("the emulator is not running: call start() or use it in a with statement")
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`, without a path.

        Raises:
            RuntimeError: It has not been started.
        """
        return f"http://{HOST}:{self.port}"

    def start(self) -> Self:
        """Listen, and serve in a daemon thread.

        Raises:
            OSError: The port is taken.
            RuntimeError: It is running already.
        """
        if self._server is not None:
            raise RuntimeError(f"the emulator is running already, at {self.url}")
        self._stopping.clear()
        self._server = _Server((HOST, self._port), self, self._stopping)
        self._thread = threading.Thread(target=self._server.serve_until_stopped, name="emulator", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving, wake what hangs and close every connection. Does nothing when it is not running."""
        if self._server is None or self._thread is None:
            return
        self._stopping.set()
        # The serving thread waits for a connection; this one lets it see that it is to stop.
        socket.create_connection((HOST, self.port)).close()
        self._thread.join()
        self._server.close_all()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A client opens its whole pool at once; the default of 5 would refuse some.
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], gateway: Gateway, stopping: threading.Event) -> None:
        self.gateway = gateway
        self._stopping = stopping
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    def serve_until_stopped(self) -> None:
        while not self._stopping.is_set():
            self.handle_request()

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - socketserver's signature
        return not self._stopping.is_set()

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)

    def close_all(self) -> None:
        with self._lock:
            for connection in self._open:
                _shut(connection)
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's signature
        """Ignore clients that disconnect; any other error is a defect of the emulator, which a test should see."""
        error = sys.exception()
        if isinstance(error, Exception) and not isinstance(error, OSError):
            self.gateway.failures.append(error)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        super().finish()

    def _serve(self) -> None:
        path, _, query_string = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        reply = self.server.gateway.handle(SignedRequest(self.command, path, query_string, headers, body))
        if reply.status == 0 or reply.sent is not None:
            self.close_connection = True
        if reply.status != 0:
            self.wfile.write(_wire(reply))
        if self.close_connection:
            _shut(self.connection)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815 - http.server looks the method up by name

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's signature
        """Log nothing: `requests` has the record."""


def _wire(reply: Reply) -> bytes:
    """Status line, headers and body in one piece: two writes would wait for the client's delayed acknowledgement."""
    headers = {**reply.headers, "Content-Length": str(len(reply.body))}
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join((*lines, "", "")).encode("latin-1") + reply.body[: reply.sent]


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was faster
