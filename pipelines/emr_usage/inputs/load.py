"""Loads the inputs into the raw dataset, each table as a whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dlt
import pyarrow as pa
from dlt.extract import DltResource

from emr_usage.build import MARTS_DATASET
from emr_usage.errors import InvalidInputsError
from emr_usage.load import loading, run_whole
from emr_usage.pipeline import RAW_DATASET, open_pipeline
from emr_usage.query import query_rows
from emr_usage.target import Target

from .folder import Inputs, check_table, read_inputs
from .problems import Problem
from .rows import Row
from .tables import INPUT_TABLES, file_name

PIPELINE: Final = "emr_usage_inputs"
# Where the destination supports it: the old rows remain until the new ones are complete, even if the load is killed.
REPLACE_STRATEGY: Final = "insert-from-staging"
_WITHOUT: Final = {
    "rates": "all usage is unpriced",
    "owners": "all usage is unallocated",
    "list_prices": "there is nothing to compare your rates with",
}


@dataclass(frozen=True)
class LoadedInputs:
    """What was loaded.

    Attributes:
        folder: of the files.
        rows: of each table.
        missing: the tables whose files are missing, which are empty now.
    """

    folder: Path
    rows: dict[str, int]
    missing: list[str]

    @property
    def sentence(self) -> str:
        """One line with the number of rows, and the consequences of empty tables."""
        counts = ", ".join(f"{table} {count:,}" for table, count in self.rows.items())
        empty = [f"without {table}, {_WITHOUT[table]}" for table in ("rates", "owners") if not self.rows[table]]
        files = ", ".join(file_name(table) for table in self.missing)
        missing = [f"missing: {files} (create with emr-usage init-inputs)"] if files else []
        return f"Rows of inputs from {self.folder}: {'; '.join([counts, *empty, *missing])}."


def load_inputs(target: Target, folder: Path, *, allow_empty: bool = False) -> LoadedInputs:
    """Replace the tables `rates`, `owners` and `list_prices` of a target with the rows of a folder's files.

    A missing folder or file empties its tables. If there is any problem, nothing is written. The inputs have a pipeline of their
    own, in the same dataset and under the same lock, so that cursors and schema of the job runs do not change.

    Args:
        target: where the tables are.
        folder: where the files are.
        allow_empty: a table that had rows, here or in the current build, may become empty.

    Raises:
        InvalidInputsError: with every problem of every file.
        BusyError: a load is running.
    """
    inputs = read_inputs(folder, allow_empty=allow_empty)
    jobs = open_pipeline(target)
    with loading(jobs, target.wait):
        # If the database was deleted, the cursors of the job runs must be dropped before this creates the dataset: dlt takes
        # any existing dataset for the one they belong to.
        jobs.sync_destination()
        if not allow_empty and (problems := list(_emptied(jobs, inputs))):
            raise InvalidInputsError([str(problem) for problem in problems], folder)
        run_whole(_open_inputs_pipeline(jobs), _source(inputs))
    return LoadedInputs(folder, {table: len(rows) for table, rows in inputs.rows.items()}, inputs.missing)


def _emptied(jobs: dlt.Pipeline, inputs: Inputs) -> Iterator[Problem]:
    """Yield a problem for each table that had rows and now has none, which is usually an accident."""
    empty = [table for table, rows in inputs.rows.items() if not rows]
    with jobs.sql_client() as client:
        there = {
            (row["table_schema"], row["table_name"])
            for row in query_rows(client, "SELECT table_schema, table_name FROM information_schema.tables")
        }
        for table in empty:
            places = [(RAW_DATASET, table), (MARTS_DATASET, f"stg_{table}")]
            counts = [
                query_rows(client, f"SELECT count(*) AS of_all FROM {dataset}.{name}")[0]["of_all"]  # noqa: S608  # names of ours
                for dataset, name in places
                if (dataset, name) in there
            ]
            if had := max(counts, default=0):
                what = "it is not there" if table in inputs.missing else "it has no rows"
                advice = f"restore the file, or give --allow-empty-inputs, after which {_WITHOUT[table]}"
                rows = "1 row of it is" if had == 1 else f"{had:,} rows of it are"
                yield Problem(file_name(table), 0, "", f"{what}, and {rows} loaded", advice)


def _open_inputs_pipeline(jobs: dlt.Pipeline) -> dlt.Pipeline:
    """Return a pipeline into the destination of another, without its state: dlt would first load what a killed load left."""
    # dlt opens the working files before it drops them, and fails if they are damaged.
    shutil.rmtree(Path(jobs.pipelines_dir, PIPELINE), ignore_errors=True)
    pipeline = dlt.pipeline(PIPELINE, destination=jobs.destination, dataset_name=RAW_DATASET, pipelines_dir=jobs.pipelines_dir)
    capabilities = pipeline.destination.capabilities()
    if REPLACE_STRATEGY in (capabilities.supported_replace_strategies or ()):
        pipeline.destination.config_params["replace_strategy"] = REPLACE_STRATEGY
    return pipeline


@dlt.source(name=PIPELINE, max_table_nesting=0)
def _source(inputs: Inputs) -> Iterator[DltResource]:
    for name, table in INPUT_TABLES.items():
        hints: dict[str, Any] = {
            "primary_key": table.primary_key,
            "write_disposition": "replace",
            "columns": table.described_columns(),
        }
        yield dlt.resource(_table, name=name, **hints)(name, inputs.rows[name])


def _table(name: str, rows: list[Row]) -> Iterator[pa.Table]:
    values = _table_rows(name, rows, dlt.current.load_package_state()["load_id"])
    yield pa.Table.from_pylist(values, schema=INPUT_TABLES[name].schema)


def _table_rows(name: str, rows: list[Row], load_id: str) -> list[dict[str, Any]]:
    values = [
        row.values | {"row_number": row.number, "rule_number": rule_number, "_dlt_load_id": load_id}
        for rule_number, row in enumerate(rows, 1)
    ]
    return [{column: row[column] for column in INPUT_TABLES[name].schema.names} for row in values]


def input_rows(table: str, content: bytes) -> tuple[list[dict[str, Any]], list[Problem]]:
    """Return the rows of a file as its table would have them, and the problems in the order of its lines."""
    rows, problems = check_table(table, content)
    return [] if problems else _table_rows(table, rows, ""), problems
