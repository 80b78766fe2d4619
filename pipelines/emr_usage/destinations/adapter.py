"""What the application needs from a destination, besides loading."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import dlt
from dlt.destinations.sql_client import SqlClientBase
from dlt.extract import DltSource

from emr_serverless import CheckSettingsError
from emr_usage.lock_file import lock_file

from .build_transaction import BuildTransaction

Lock = Callable[[], AbstractContextManager[None]]


class Adapter:
    """What a destination can do; the defaults are those of dlt's other destinations.

    Args:
        configuration: dlt's, of the destination's client.
    """

    # Whether several backfills and a load can write at the same time; see backfill_pipeline.py.
    parallel_backfills: ClassVar[bool] = False

    def __init__(self, configuration: Any) -> None:
        self.configuration = configuration

    def locks(self, working_folder: Path) -> Iterator[Lock]:
        """Yield the locks that a writer takes, in order."""
        yield partial(lock_file, working_folder / "emr_usage.lock", "DLT_DATA_DIR")

    def check_unused(self, pipeline: dlt.Pipeline) -> None:
        """Check that no other program has the database open, where that would block a writer."""

    def removing_empty_database(self) -> AbstractContextManager[None]:
        """Return a context that removes a database that a failed load created and left empty."""
        return nullcontext()

    def adapt(self, pipeline: dlt.Pipeline, source: DltSource, table_format: str | None) -> None:  # noqa: ARG002  # of a lake
        """Adapt a source to the destination.

        Args:
            pipeline: will load it.
            source: is changed.
            table_format: as given, or None.

        Raises:
            CheckSettingsError: the destination does not have that format.
        """
        if table_format is not None:
            raise CheckSettingsError(
                f"The destination {self.configuration.destination_type} has no table formats",
                advice="Omit --table-format, or load into a lake: --destination filesystem.",
            )

    def begin_snapshot(self, client: SqlClientBase[Any]) -> None:
        """Make all queries of a new transaction see the same snapshot."""
        client.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    def open_build(self) -> BuildTransaction:
        """Open a transaction for a build; without a commit it is rolled back.

        Raises:
            CheckSettingsError: builds are not supported in the destination.
            BusyError: another build is running.
        """
        raise CheckSettingsError(
            f"emr-usage build cannot use the destination {self.configuration.destination_type}",
            advice="It supports duckdb, postgres and filesystem. Elsewhere, use the models as a dbt package.",
        )
