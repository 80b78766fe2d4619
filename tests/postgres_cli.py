"""The command line with tables in PostgreSQL."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from cli_harness import CliHarness
from process_pool import FaultInjection, Finished

CREDENTIALS = "DESTINATION__POSTGRES__CREDENTIALS"
TO_POSTGRES = ("--destination", "postgres")


@dataclass
class PostgresCliHarness(CliHarness):
    """Runs commands whose tables are in a database of a PostgreSQL server."""

    address: str = ""

    @property
    def tables(self) -> str:
        """Where the tables are read from."""
        return self.address

    @property
    def usual_environment(self) -> dict[str, str]:
        """What every command is given: the database's address too."""
        return {CREDENTIALS: self.address, **super().usual_environment}

    def run(self, *arguments: str, fault: FaultInjection | None = None, **environment: str) -> Finished:
        """Run the command to its end."""
        return super().run(*arguments, *TO_POSTGRES, fault=fault, **environment)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start the installed command; its output is in the pipes of the process."""
        return super().start(*arguments, *TO_POSTGRES, **environment)
