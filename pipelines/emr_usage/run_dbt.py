"""Runs dbt in this process, in a transaction that is open already."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .destinations.build_transaction import BuildTransaction


def run_dbt(transaction: BuildTransaction, arguments: list[str]) -> tuple[BaseException | None, Sequence[Any]]:
    """Run dbt in this process and this transaction; returns what stopped it, and the results of its nodes."""
    from dbt.adapters.factory import FACTORY  # noqa: PLC0415
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    with _adapter_on(transaction):
        try:
            done = dbtRunner().invoke(arguments)
        finally:
            # dbt keeps its adapter for a next call in the same process.
            FACTORY.reset_adapters()
            # Its thread pool is part of a cycle. Collected while the process ends, its semaphores can be reported as leaked.
            gc.collect()
    return done.exception, getattr(done.result, "results", [])


@contextmanager
def _adapter_on(transaction: BuildTransaction) -> Iterator[None]:
    """Let dbt's adapter work in a transaction that is not its own: it neither opens, commits, rolls back nor closes anything."""
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
