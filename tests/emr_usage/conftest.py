"""A desk from which commands are run against a small account, and the nursery of its commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from command import Desk
from nursery import Nursery
from small_account import REGIONS, served


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(tmp_path_factory.mktemp("nursery")) as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, nursery: Nursery) -> Iterator[Desk]:
    with served() as emulator:
        yield Desk(tmp_path, emulator, REGIONS, nursery)
        assert emulator.failures == []
