"""The command line against a small account, and the process pool in which its commands run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_harness import CliHarness
from process_pool import ProcessPool
from small_account import REGIONS, served


@pytest.fixture(scope="session")
def process_pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessPool]:
    with ProcessPool(tmp_path_factory.mktemp("process_pool")) as running:
        yield running


@pytest.fixture
def cli(tmp_path: Path, process_pool: ProcessPool) -> Iterator[CliHarness]:
    with served() as emulator:
        yield CliHarness(tmp_path, emulator, REGIONS, process_pool)
        assert emulator.failures == []
