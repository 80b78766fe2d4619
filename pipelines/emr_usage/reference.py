"""The table reference of the documents and dbt's sources, generated from the schemas, so that they cannot lag behind them."""

from __future__ import annotations

import json
from typing import Final

from emr_serverless.tables import RAW_TABLES

from .inputs import INPUT_TABLES

# Raw tables that the models read, with what is to be said of each besides its columns.
SOURCES: Final = {
    "job_runs": "",
    "job_run_tags": "",
    "job_run_observations": "",
    # A load leaves rows here also where no run is new.
    "extraction_windows": """\
        loaded_at_field: finished_at
        config:
          freshness:
            warn_after: {count: 26, period: hour}
            error_after: {count: 50, period: hour}
""",
    "workspaces": "",
    "rates": "",
    "owners": "",
    "list_prices": "",
}

GRAIN: Final = {
    "job_runs": "One row for each job run: its latest known version. Nothing is ever deleted.",
    "job_run_tags": "One row for each tag of a run, replaced as a whole when the run is read again.",
    "job_run_logs": "One row for each run that has logs, replaced when the run is read again.",
    "job_run_configurations": "One row for each configuration item of a run, replaced as a whole when the run is read again.",
    "job_run_arguments": "One row for each entry-point argument of a run, replaced as a whole when the run is read again.",
    "job_run_observations": (
        "One row for each sight of an open run, one when a run that was open is first seen final, and one without a state for"
        " each load (three at most) in which the API does not answer for it. Rows are only ever added: the history of a running"
        " job's figures cannot be fetched later."
    ),
    "workspaces": "One row for each workspace that was ever visible.",
    "extraction_windows": "One row for each thing asked of the API, with what came of it: the proof of completeness.",
    "unknown_fields": (
        "One row for each response field that has no column, over all loads. `count` counts rows as they are loaded: a run that"
        " is read again, by the lookback or because it was open, counts again, so it can exceed the number of runs."
    ),
    "rates": "One row for each row of `rates.csv`, replaced as a whole; see [inputs.md](inputs.md).",
    "owners": "One row for each rule of `owners.csv`, replaced as a whole; see [inputs.md](inputs.md).",
    "list_prices": "One row for each row of `list_prices.csv`, replaced as a whole; see [inputs.md](inputs.md).",
}


def table_reference() -> str:
    """Return docs/tables.md."""
    parts = [
        "# Tables of the raw dataset (`emr_raw`)",
        "Made from the schemas by `make docs`. Names are the API's words in snake_case; times are UTC; keys are never null.",
    ]
    for name, table in {**RAW_TABLES, **INPUT_TABLES}.items():
        parts.append(f"## `{name}`\n\n{GRAIN[name]}\n\nKey: {', '.join(f'`{column}`' for column in table.primary_key)}.")
        lines = ["| column | type | what |", "|---|---|---|"]
        lines += [f"| `{field.name}` | {field.type} | {field.metadata[b'description'].decode()} |" for field in table.schema]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def source_declaration() -> str:
    """Return transform/models/sources.yml: the raw tables that the models read, and all their columns."""
    tables = {**RAW_TABLES, **INPUT_TABLES}
    lines = [
        "# Made from the schemas by `make docs`.",
        "version: 2",
        "sources:",
        "  - name: emr_raw",
        "    schema: \"{{ var('raw_dataset') }}\"",
        "    description: What the connector loads, and the inputs that the user owns.",
        "    tables:",
    ]
    for name, properties in SOURCES.items():
        lines += [f"      - name: {name}", f"        description: {json.dumps(GRAIN[name], ensure_ascii=False)}"]
        lines += properties.rstrip("\n").split("\n") if properties else []
        lines.append("        columns:")
        for field in tables[name].schema:
            description = json.dumps(field.metadata[b"description"].decode(), ensure_ascii=False)
            lines.append(f"          - {{name: {field.name}, description: {description}}}")
    return "\n".join(lines) + "\n"
