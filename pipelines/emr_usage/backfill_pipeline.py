"""Backfills into PostgreSQL run at the same time as each other and as a load: each has a pipeline of its own.

Its staging dataset and working files end with it. Its state, a row of dlt's table, is its progress, which other backfills of the
same range read, also on other machines.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

import dlt
from dlt.common.runtime import signals

from emr_serverless import Backfill

from .destinations import adapter_of
from .lock import Wait, wait_for
from .pipeline import BACKFILLS, PIPELINE, RAW_DATASET, open_reader, working_folder
from .private_files import make_private_folder, private_files
from .target import Target


def beside_loads(target: Target, backfill: Backfill) -> Backfill:
    """Return a backfill with a pipeline of its own where the destination has parallel backfills, else as it is."""
    with open_reader(target) as reader:
        return replace(backfill, beside=PIPELINE) if adapter_of(reader).parallel_backfills else backfill


@contextmanager
def open_backfill(target: Target, backfill: Backfill, scope: object, wait: Wait) -> Iterator[dlt.Pipeline]:
    """Lock a backfill and open its pipeline; at the end remove its staging dataset and working files.

    Args:
        target: a PostgreSQL database.
        backfill: beside another pipeline.
        scope: regions and workspaces; the same range and scope is the same backfill.
        wait: for another process that runs the same backfill.

    Raises:
        BusyError: another process runs the same backfill for longer than the wait.
        UnreachableError: PostgreSQL cannot be reached.
        LostLockError: PostgreSQL ended the connection that held the lock.
    """
    import psycopg2  # noqa: PLC0415  # comes with the extra `postgres`

    from .destinations.backfill_remains import backfill_lock, lock_key, remove_remains  # noqa: PLC0415

    name = backfill.pipeline_prefix + hashlib.sha256(repr(scope).encode()).hexdigest()[:8]
    folder = working_folder(target.place)
    destination = target.place.to_write()
    with open_reader(target) as reader:
        configuration = adapter_of(reader).configuration
    staging_prefix = f"{configuration.staging_dataset_name_layout.replace('%s', RAW_DATASET)}_"
    with ExitStack() as held:
        held.enter_context(private_files())
        make_private_folder(folder)
        lock = lambda: held.enter_context(backfill_lock(configuration.credentials, name, staging_prefix))  # noqa: E731
        running = wait_for(lock, wait)
        for path in folder.glob(f"{BACKFILLS}*"):
            if lock_key(path.name) not in running:
                shutil.rmtree(path)
        signals.exit_event.clear()
        destination.config_params["staging_dataset_name_layout"] = staging_prefix + name
        pipeline = dlt.pipeline(name, destination=destination, dataset_name=RAW_DATASET, pipelines_dir=str(folder))
        try:
            yield pipeline
        finally:
            shutil.rmtree(pipeline.working_dir, ignore_errors=True)
            # The next backfill drops what remains where the server cannot be reached.
            with suppress(psycopg2.Error):
                remove_remains(configuration.credentials, RAW_DATASET, name, staging_prefix + name)
