"""What the tests of a lake need: an S3 server, and a process that forks the commands."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from process_pool import ProcessPool


@pytest.fixture(scope="session")
def process_pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessPool]:
    with ProcessPool(tmp_path_factory.mktemp("process_pool")) as running:
        yield running


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()
