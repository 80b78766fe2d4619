"""Fixtures for the tests of a lake: an S3 server, and the process pool."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from process_pool import ProcessPool

# A process of its own, because deltalake holds the interpreter's lock while it waits for an answer. It ends with its input.
S3_SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(*server.get_host_and_port(), sep=":", flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture(scope="session")
def process_pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessPool]:
    with ProcessPool(tmp_path_factory.mktemp("process_pool")) as running:
        yield running


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    command = [sys.executable, "-c", S3_SERVER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdin
        assert server.stdout
        yield f"http://{server.stdout.readline().strip()}"
        server.stdin.close()
