"""One connection and one transaction for a whole build: until it commits, readers see the build before, however this one ends."""

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
        """Run a statement with `%s` for each value, and return its rows, if it has any."""
        raise NotImplementedError

    def cancel(self) -> None:
        """End the statement that runs, from another thread."""
        raise NotImplementedError

    def commit(self) -> None:
        """Make everything of the transaction visible at once."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connection; what is not committed is rolled back."""
        raise NotImplementedError
