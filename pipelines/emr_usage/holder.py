"""The process that holds a lock, described for an operator."""

from __future__ import annotations

import getpass
import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self


@dataclass(frozen=True)
class Holder:
    """A process that writes to a destination."""

    host: str
    pid: int
    user: str

    @classmethod
    def this_process(cls) -> Self:
        """Return this process as a holder."""
        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # the user of a container may have no name
            user = str(os.getuid())
        return cls(platform.node(), os.getpid(), user)

    def since(self, moment: datetime | None) -> str:
        """Return a description, with the time since when it holds the lock where that is known."""
        when = f", since {moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment else ""
        return f"process {self.pid} of user {self.user} on host {self.host}{when}"
