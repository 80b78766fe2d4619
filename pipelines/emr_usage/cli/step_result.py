"""The result of a step of a command, as JSON and as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .terminal import echo, print_json

if TYPE_CHECKING:
    from emr_usage.matches import Matches
    from emr_usage.target import Target


@dataclass(frozen=True)
class StepResult:
    """The result of a step that succeeded.

    Attributes:
        facts: for JSON.
        lines: for text.
        matches: what each rate and rule matched, where marts were built.
    """

    facts: dict[str, Any]
    lines: list[str]
    matches: Matches | None = None


def echo_result(made: StepResult, target: Target, *, as_json: bool) -> None:
    """Print the result of a command that succeeded."""
    if as_json:
        print_json({"status": "complete", "exit_code": 0, "target": str(target), **made.facts})
    else:
        echo(*made.lines)
