"""The command line with tables in a lake."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli_harness import CliHarness
from emr_usage.lake_copy import copy_lake
from emr_usage.target import Target
from process_pool import FaultInjection, Finished

BUCKET_URL = "DESTINATION__FILESYSTEM__BUCKET_URL"
TO_LAKE = ("--destination", "filesystem")


@dataclass
class LakeCliHarness(CliHarness):
    """Runs commands whose tables are in a lake.

    Attributes:
        lake: dlt's settings of the lake, as environment variables; also set in this process, which reads the tables.
    """

    lake: tuple[tuple[str, str], ...] = ()

    @property
    def target(self) -> Target:
        """The lake, and a file for its latest rows."""
        return Target("filesystem", self.folder / "copy.duckdb")

    @property
    def tables(self) -> Path:
        """Where the tables are read from: a copy of the latest rows."""
        copy_lake(self.target)
        return self.target.database

    @property
    def usual_environment(self) -> dict[str, str]:
        """What every command is given: the address of the lake too."""
        return {**dict(self.lake), **super().usual_environment}

    def run(self, *arguments: str, fault: FaultInjection | None = None, **environment: str) -> Finished:
        """Run the command to its end."""
        return super().run(*arguments, *TO_LAKE, fault=fault, **environment)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start the installed command; its output is in the pipes of the process."""
        return super().start(*arguments, *TO_LAKE, **environment)

    def set_here(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Set the address of the lake for this process, which reads the tables."""
        monkeypatch.chdir(self.folder)
        for name, value in self.lake:
            monkeypatch.setenv(name, value)
