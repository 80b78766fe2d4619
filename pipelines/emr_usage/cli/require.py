"""What a command needs before it begins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .terminal import fail

if TYPE_CHECKING:
    from emr_usage.target import Target


def require_database(target: Target, *, as_json: bool) -> None:
    """End the command where there is no DuckDB file yet."""
    if target.place.is_missing():
        sentence = f"There is no database {target}. Load it first: emr-usage load --region REGION"
        fail(sentence, "NoDatabase", as_json=as_json)


def require_inputs(inputs: Path | None) -> None:
    """End the command where a folder of inputs is named that is not there."""
    if inputs and not inputs.is_dir():
        raise click.UsageError(f"There is no folder {inputs}. Create it with: emr-usage init-inputs --inputs {inputs}")
