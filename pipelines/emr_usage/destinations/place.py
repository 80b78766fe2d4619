"""How a destination is opened: for dlt's destinations by name, with their address in dlt's configuration."""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import dlt
from dlt.common.destination import Destination

from emr_serverless import CheckSettingsError
from emr_usage.lock_file import lock_file


class Place(Protocol):
    """Where the tables are."""

    def to_write(self) -> Destination[Any, Any]:
        """Return dlt's destination for a load."""

    def to_read(self) -> Destination[Any, Any]:
        """Return dlt's destination for a command that only reads."""

    def is_missing(self) -> bool:
        """Return whether there is no database, where that can be seen without opening it."""

    def working_folder(self) -> Path:
        """Return the folder of working files, unless `DLT_DATA_DIR` is set."""

    def unique_name(self) -> str:
        """Return a unique name for the folder of working files."""

    def label(self) -> str:
        """Return a name for metrics, without secrets."""

    def lock(self, working_folder: Path) -> AbstractContextManager[None]:
        """Hold the lock file for writers."""


@dataclass(frozen=True)
class NamedPlace:
    """A destination by its name for dlt."""

    name: str

    def __str__(self) -> str:
        return self.name

    def to_write(self) -> Destination[Any, Any]:
        """Return dlt's destination.

        Raises:
            CheckSettingsError: the name is empty, or the destination would store wrong rows.
        """
        destination: Destination[Any, Any] | None = Destination.from_reference(self.name)
        if destination is None:
            raise CheckSettingsError(
                "No destination is given", advice="Give the name of a dlt destination to --destination, or omit it."
            )
        if destination.destination_type == "dlt.destinations.sqlalchemy":
            # MySQL's TEXT ends at 64 kB, and its keys ignore letter case; SQLite stores times as text and CU-hours as floats.
            raise CheckSettingsError(
                "dlt's destination sqlalchemy would cut long texts and merge ids that differ in letter case only",
                advice="Use --destination duckdb, postgres or filesystem.",
            )
        return destination

    def to_read(self) -> Destination[Any, Any]:
        """Return dlt's destination."""
        return self.to_write()

    def is_missing(self) -> bool:
        """Return False: only opening it shows."""
        return False

    def working_folder(self) -> Path:
        """Return a folder in the current one."""
        return Path(self.unique_name()).absolute()

    def unique_name(self) -> str:
        """Return a name with a fingerprint of the database: two of them never share cursors."""
        return f"emr_usage-{self.name}-{self._fingerprint()[:8]}.dlt"

    def label(self) -> str:
        """Return the name of the destination with its host, port and database, where it has these."""
        credentials = self._configuration().credentials
        host, port, database = (getattr(credentials, name, None) for name in ("host", "port", "database"))
        return f"{self.name}://{host or ''}{f':{port}' if port else ''}/{database}" if database else self.name

    def lock(self, working_folder: Path) -> AbstractContextManager[None]:
        """Hold the lock file among the working files."""
        return lock_file(working_folder / "emr_usage.lock", "DLT_DATA_DIR")

    def _configuration(self) -> Any:
        with TemporaryDirectory() as folder:
            probe = dlt.pipeline("fingerprint", destination=self.to_write(), dataset_name="fingerprint", pipelines_dir=folder)
            return probe.destination_client().config

    def _fingerprint(self) -> str:
        configuration = self._configuration()
        # dlt's own fingerprint is that of the host, or the account.
        place = [getattr(configuration.credentials, name, None) for name in ("port", "database")]
        return hashlib.sha256(repr([configuration.fingerprint(), *place]).encode()).hexdigest()
