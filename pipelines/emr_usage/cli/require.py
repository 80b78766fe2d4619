"""Checks before a command begins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .terminal import fail

if TYPE_CHECKING:
    from emr_usage.target import Target


def require_database(target: Target, *, as_json: bool) -> None:
    """End the command if the DuckDB file does not exist."""
    if target.place.is_missing():
        sentence = f"The database {target} does not exist. Load it first: emr-usage load --region REGION"
        fail(sentence, "NoDatabase", as_json=as_json)


def require_inputs(inputs: Path | None) -> None:
    """End the command if the given folder of inputs does not exist."""
    if inputs and not inputs.is_dir():
        raise click.UsageError(f"The folder {inputs} does not exist. Create it with: emr-usage init-inputs --inputs {inputs}")
