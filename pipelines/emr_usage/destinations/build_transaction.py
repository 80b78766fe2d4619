"""The connection and the transaction of a build: until it commits, readers see the previous build."""

from __future__ import annotations

from typing import Any


class BuildTransaction:
    """An open transaction on the destination of a build.

    Attributes:
        handle: the connection, as dbt's adapter takes it.
        adapter: dbt's adapter, a class.
        profile: dbt's profile of the destination; no secrets.
    """

    handle: Any
    adapter: Any
    profile: dict[str, Any]

    def ask(self, sql: str, *values: object) -> list[Any]:
        """Run a statement with `%s` for each value, and return its rows."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Cancel the running statement, from another thread."""
        raise NotImplementedError

    def commit(self) -> None:
        """Commit the transaction."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connection and roll back what is not committed."""
        raise NotImplementedError
