"""A desk whose tables are in PostgreSQL."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from command import Desk
from nursery import Fate, Finished

CREDENTIALS = "DESTINATION__POSTGRES__CREDENTIALS"
TO_POSTGRES = ("--destination", "postgres")


@dataclass
class PostgresDesk(Desk):
    """A desk whose tables are in a database of a PostgreSQL server."""

    address: str = ""

    @property
    def tables(self) -> str:
        """Where the tables are read from."""
        return self.address

    @property
    def usual_environment(self) -> dict[str, str]:
        """What every command is given: the database's address too."""
        return {CREDENTIALS: self.address, **super().usual_environment}

    def run(self, *arguments: str, fate: Fate | None = None, **environment: str) -> Finished:
        """Run the command to its end."""
        return super().run(*arguments, *TO_POSTGRES, fate=fate, **environment)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start the installed command; its output is in the pipes of the process."""
        return super().start(*arguments, *TO_POSTGRES, **environment)
