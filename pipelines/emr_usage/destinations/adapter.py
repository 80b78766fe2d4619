"""What the application needs of a destination besides loading, which dlt does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import dlt
from dlt.destinations.sql_client import SqlClientBase

from emr_serverless import CheckSettingsError
from emr_usage.lock_file import lock_file

from .build_transaction import BuildTransaction

Lock = Callable[[], AbstractContextManager[None]]


class Adapter:
    """What a destination can do; these answers are those for dlt's other destinations.

    Args:
        configuration: dlt's, of the destination's client.
    """

    def __init__(self, configuration: Any) -> None:
        self.configuration = configuration

    def locks(self, working_folder: Path) -> Iterator[Lock]:
        """Yield the locks of those who write, in the order in which they are taken."""
        yield partial(lock_file, working_folder / "emr_usage.lock", "DLT_DATA_DIR")

    def check_unused(self, pipeline: dlt.Pipeline) -> None:
        """See that no other program has the database open, where that would keep us out."""

    def removing_empty_database(self) -> AbstractContextManager[None]:
        """Return what removes a database that a load creates and then puts nothing into, because it failed."""
        return nullcontext()

    def begin_snapshot(self, client: SqlClientBase[Any]) -> None:
        """Let all queries of a transaction that has just begun see the same moment."""
        client.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    def open_build(self) -> BuildTransaction:
        """Open a transaction to build the marts in; without a commit nothing of it stays.

        Raises:
            CheckSettingsError: the destination cannot be built in.
            BusyError: another build is under way.
        """
        raise CheckSettingsError(
            f"emr-usage build cannot use the destination {self.configuration.destination_type}",
            advice="It builds in duckdb and postgres; elsewhere take the models as a dbt package: see transform/README.md.",
        )
