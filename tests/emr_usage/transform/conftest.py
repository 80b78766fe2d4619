"""A PostgreSQL server for the tests, used by `--destination postgres`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from postgres import postgres_server


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with postgres_server() as server:
        address = server.new_database("emr")
        monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", address)
        monkeypatch.chdir(tmp_path)
        yield address
