"""How a command ended, for metrics and notifications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from emr_usage.exit_codes import IN_USE, INCOMPLETE


@dataclass(frozen=True)
class CommandResult:
    """How a command ended.

    Attributes:
        command: its name, such as load.
        target: the database, as the command prints it.
        exit_code: of the process.
        ended_at: UTC.
        seconds: its whole duration.
        steps: seconds of each step that was begun, such as load or build.
        problems: why the exit code is not 0, one sentence each.
        findings: what this load found out for the first time and somebody should know, one sentence each.
    """

    command: str
    target: str
    exit_code: int
    ended_at: datetime
    seconds: float
    steps: Mapping[str, float]
    problems: Sequence[str] = ()
    findings: Sequence[str] = ()

    @property
    def status(self) -> str:
        """Return complete, incomplete or failed."""
        return {0: "complete", INCOMPLETE: "incomplete"}.get(self.exit_code, "failed")

    @property
    def is_worth_a_message(self) -> bool:
        """Return whether somebody should know: not where another process was at work, which is the time to try again."""
        return self.exit_code not in {0, IN_USE} or bool(self.findings)
