"""What a step of a command did, for machines and for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .terminal import echo, print_json

if TYPE_CHECKING:
    from emr_usage.matches import Matches
    from emr_usage.target import Target


@dataclass(frozen=True)
class StepResult:
    """A step of a command that ended well.

    Attributes:
        facts: for machines.
        lines: for people.
        matches: what each rate and rule matched, where marts were built.
    """

    facts: dict[str, Any]
    lines: list[str]
    matches: Matches | None = None


def echo_result(made: StepResult, target: Target, *, as_json: bool) -> None:
    """Print what a command did that ended well."""
    if as_json:
        print_json({"status": "complete", "exit_code": 0, "target": str(target), **made.facts})
    else:
        echo(*made.lines)
