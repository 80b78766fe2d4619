"""Sends requests in other processes, so that a load uses more than one core: Python runs one thread of a process at a time.

A process has no state between two responses. If it is killed, fails or cannot be started, only speed is lost: the request is
signed again, and sent by another process or this one.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import pickle
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from io import BufferedRWPair
from pathlib import Path
from typing import IO, Any, Final, NoReturn

from .exchange import ConnectionSettings, Exchange, NoResponseError, Request, Response, trusted_authorities

logger = logging.getLogger("emr_serverless")

# Most nightly loads send fewer, and starting a process takes as much CPU as a hundred.
REQUESTS_BEFORE_START: Final = 40
# Beyond this the thread that drives the load is the bottleneck.
MOST_PROCESSES: Final = 2
# Of the garbage collector of a process: more than a page has. Ten times as many took 60 MB, in responses of the HTTP library.
YOUNG_OBJECTS: Final = 5_000
_LENGTH_BYTES: Final = 8
# A pipe or a socket.
Stream = IO[bytes] | BufferedRWPair
# The parent package is not imported in the process: it imports dlt, which takes longer than everything else.
_BOOTSTRAP: Final = """
import importlib, sys, types
name, folder, *channels = sys.argv[1:]
package = sys.modules[name] = types.ModuleType(name)
package.__path__ = [folder]
importlib.import_module(f"{name}.api.processes").serve([int(channel) for channel in channels])
"""


class ProcessEndedError(Exception):
    """The process that was to send a request has ended; it is not known whether the request was sent."""


class Processes:
    """Sends requests as an `Exchange` does, some of them in other processes; safe to share between threads.

    Args:
        settings: of the connections.
        send: sends a request in this process.
        processes: how many to start; by default one for each core, but not more than two, and none on a single core.
    """

    def __init__(self, settings: ConnectionSettings, send: Callable[[Request], Response], processes: int | None = None) -> None:
        self._settings = settings
        self._send = send
        cores = os.cpu_count() or 1
        self._wanted = (min(MOST_PROCESSES, cores) if cores > 1 else 0) if processes is None else processes
        self._requests_left = REQUESTS_BEFORE_START
        self._lock = threading.Lock()
        self._running: list[_Process] = []
        self._idle: queue.SimpleQueue[_Channel] = queue.SimpleQueue()

    def __call__(self, request: Request) -> Response:
        """Return the response.

        Raises:
            NoResponseError: there is none.
            ProcessEndedError: the request has to be signed and sent again.
        """
        channel = self._borrow()
        if channel is None:
            return self._send(request)
        try:
            response: Response | NoResponseError = channel.send(request)
        except (OSError, ValueError, EOFError, pickle.UnpicklingError):
            self._drop(channel.process)
            raise ProcessEndedError from None
        self._idle.put(channel)
        if isinstance(response, NoResponseError):
            raise response
        return response

    def close(self) -> None:
        """End the processes and their requests; later requests are sent by this process."""
        with self._lock:
            self._wanted = 0
            running, self._running = self._running, []
        for process in running:
            process.end()

    def _borrow(self) -> _Channel | None:
        with self._lock:
            self._requests_left -= 1
            if self._requests_left < 0 and self._wanted:
                self._start()
        with contextlib.suppress(queue.Empty):
            while channel := self._idle.get_nowait():
                if not channel.process.has_ended:
                    return channel
        return None

    def _start(self) -> None:
        wanted, self._wanted = self._wanted, 0
        for _ in range(wanted):
            try:
                process = _Process(self._settings, channels=-(-self._settings.connections // wanted))
            except OSError as error:
                logger.warning("Requests are sent by this process only: no other can be started (%s)", error)
                return
            self._running.append(process)
            threading.Thread(target=self._admit, args=(process,), daemon=True).start()

    def _admit(self, process: _Process) -> None:
        """Use a process once it is ready, which takes as long as some tens of requests."""
        try:
            process.wait_until_ready()
        except (OSError, ValueError, EOFError):
            self._drop(process)
            return
        for channel in process.channels:
            self._idle.put(channel)

    def _drop(self, process: _Process) -> None:
        with self._lock:
            if process not in self._running:
                return
            self._running.remove(process)
        logger.warning("A process that sends requests ended; the load continues without it")
        process.end()


class _Channel:
    """A way to one thread of a process, for one request at a time."""

    def __init__(self, process: _Process, connection: socket.socket) -> None:
        self.process = process
        self._connection = connection
        self._stream = connection.makefile("rwb")

    def send(self, request: object) -> Any:
        """Return what the thread answers.

        Raises:
            OSError, ValueError, EOFError, pickle.UnpicklingError: the process has ended.
        """
        _send(self._stream, request)
        return self.receive()

    def receive(self) -> Any:
        """Return the next message of the thread.

        Raises:
            OSError, ValueError, EOFError, pickle.UnpicklingError: the process has ended.
        """
        return _receive(self._stream)

    def close(self) -> None:
        """Close it, once its process has ended: until then a thread may wait for it."""
        with contextlib.suppress(OSError):  # what could not be written any more
            self._stream.close()
        self._connection.close()


class _Process:
    """One process and the channels to its threads."""

    def __init__(self, settings: ConnectionSettings, channels: int) -> None:
        self.has_ended = False
        name, folder = __name__.rpartition(".api.")[0], Path(__file__).parents[1]
        pairs = [socket.socketpair() for _ in range(channels)]
        theirs = [their_end.fileno() for _, their_end in pairs]
        self.channels = [_Channel(self, our_end) for our_end, _ in pairs]
        try:
            self._process = subprocess.Popen(  # noqa: S603  # this Python, and a program of ours
                [sys.executable, "-c", _BOOTSTRAP, name, str(folder), *map(str, theirs)],
                # Its end tells the process that this one has ended.
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                pass_fds=theirs,
                # Ctrl-C is for the load, which ends its processes.
                start_new_session=True,
            )
        except OSError:
            self._close_channels()
            raise
        finally:
            for _, their_end in pairs:
                their_end.close()
        if self._process.stdin:
            _send(self._process.stdin, settings)

    def wait_until_ready(self) -> None:
        """Wait until the process has imported its modules.

        Raises:
            OSError, ValueError, EOFError: it has ended.
        """
        self.channels[0].receive()

    def end(self) -> None:
        """Kill the process, which has no state."""
        self.has_ended = True
        self._process.kill()
        self._process.wait()
        self._close_channels()
        if self._process.stdin:
            self._process.stdin.close()

    def _close_channels(self) -> None:
        for channel in self.channels:
            channel.close()


def _send(stream: Stream, message: object) -> None:
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(len(data).to_bytes(_LENGTH_BYTES, "big"))
    stream.write(data)
    stream.flush()


def _receive(stream: Stream) -> Any:
    data = _read(stream, int.from_bytes(_read(stream, _LENGTH_BYTES), "big"))
    return pickle.loads(data)  # noqa: S301  # from a process of ours


def _read(stream: Stream, length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data


def serve(channels: list[int]) -> NoReturn:
    """Send what comes in on the channels, until the standard input ends, which it does with the process at its other end.

    Args:
        channels: file descriptors of sockets.
    """
    settings = _receive(sys.stdin.buffer)
    authorities = trusted_authorities()
    # The thousands of values of a page are not garbage while it is decoded; by default they would be examined several times.
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    streams = [socket.socket(fileno=channel).makefile("rwb") for channel in channels]
    _send(streams[0], None)
    for stream in streams:
        # A client for each thread: the connections of one that is shared are handed out under a lock.
        exchange = Exchange(settings, authorities)
        threading.Thread(target=_serve, args=(stream, exchange), daemon=True).start()
    sys.stdin.buffer.read()
    os._exit(0)


def _serve(stream: Stream, exchange: Exchange) -> None:
    try:
        while True:
            request = _receive(stream)
            response: Response | NoResponseError
            try:
                response = exchange(request)
            except NoResponseError as error:
                response = error
            _send(stream, response)
    finally:
        # The process at the other end sends the request itself, and reports what is wrong.
        os._exit(1)
