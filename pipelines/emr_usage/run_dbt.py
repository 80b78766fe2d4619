"""Runs dbt in this process, in an open transaction."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .destinations.build_transaction import BuildTransaction


def run_dbt(transaction: BuildTransaction, arguments: list[str]) -> tuple[BaseException | None, Sequence[Any]]:
    """Run dbt in a transaction; return the exception that stopped it, and the results of its nodes."""
    from dbt.adapters.factory import FACTORY  # noqa: PLC0415
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    with _adapter_on(transaction):
        try:
            done = dbtRunner().invoke(arguments)
        finally:
            # dbt keeps its adapter for the next call in the same process.
            FACTORY.reset_adapters()
            # Its thread pool is part of a cycle. Collected while the process ends, its semaphores can be reported as leaked.
            gc.collect()
    return done.exception, getattr(done.result, "results", [])


@contextmanager
def _adapter_on(transaction: BuildTransaction) -> Iterator[None]:
    """Make dbt's adapter use an existing transaction: it does not open, commit, roll back or close anything."""
    manager = transaction.adapter.ConnectionManager

    def use(_: Any, connection: Any) -> Any:
        connection.handle, connection.state = transaction.handle, "open"
        return connection

    def leave(*_: Any) -> None:
        pass

    ours = {
        "open": classmethod(use),
        "add_begin_query": leave,
        "add_commit_query": leave,
        "_rollback_handle": classmethod(leave),
        "_close_handle": classmethod(leave),
        "cancel": lambda *_: transaction.cancel(),
        # The adapter of DuckDB asks it whether statements can be cancelled.
        "env": lambda: transaction.handle._env,  # noqa: SLF001
    }
    transaction.adapter.ConnectionManager = type("OneTransaction", (manager,), ours)
    try:
        yield
    finally:
        transaction.adapter.ConnectionManager = manager
