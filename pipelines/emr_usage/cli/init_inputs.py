"""`emr-usage init-inputs`: writes the files for prices and owners."""

from __future__ import annotations

from pathlib import Path

import click

from .options import database_option, inputs_option
from .terminal import echo, fail


@click.command("init-inputs", short_help="Write the files for prices and owners, with examples.")
@database_option
@inputs_option
def command(*, inputs: Path | None, database: Path) -> None:
    """\b
    Examples:
      emr-usage init-inputs
      emr-usage init-inputs --inputs /srv/chargeback

    Write the files that define what a CU-hour costs and who pays for a run: rates.csv, owners.csv and list_prices.csv, with
    examples as comments. Existing files are not changed.
    """
    from emr_usage.errors import FolderError
    from emr_usage.inputs import default_folder, write_examples

    folder = inputs or default_folder(database)
    try:
        made = write_examples(folder)
    except OSError as error:
        fail(str(FolderError(folder, "--inputs", error)), "NoFolder", as_json=False)
    for name, is_new in made.items():
        echo(f"{folder / name}: {'written' if is_new else 'exists already'}")
