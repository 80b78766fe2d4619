"""Generates the table reference of the documents and dbt's sources from the schemas."""

from __future__ import annotations

import json
from typing import Final

from emr_serverless.arrow.schema import RAW_TABLES

from .inputs import INPUT_TABLES

# Raw tables that the models read, with further properties of the dbt source.
SOURCES: Final = {
    "job_runs": "",
    "job_run_tags": "",
    "job_run_observations": "",
    # A load adds rows here even where no run is new.
    "extraction_windows": """\
        loaded_at_field: finished_at
        config:
          freshness:
            warn_after: {count: 26, period: hour}
            error_after: {count: 50, period: hour}
""",
    "workspaces": "",
    "members": "",
    "rates": "",
    "owners": "",
    "list_prices": "",
}


def table_reference() -> str:
    """Return docs/tables.md."""
    parts = [
        "# Tables of the raw dataset (`emr_raw`)",
        "Generated from the schemas by `make docs`. Names are the API names in snake_case. Times are UTC. Keys are never null.",
    ]
    for name, table in {**RAW_TABLES, **INPUT_TABLES}.items():
        parts.append(f"## `{name}`\n\n{table.description}\n\nKey: {', '.join(f'`{column}`' for column in table.primary_key)}.")
        lines = ["| column | type | what |", "|---|---|---|"]
        lines += [f"| `{field.name}` | {field.type} | {field.metadata[b'description'].decode()} |" for field in table.schema]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def source_declaration() -> str:
    """Return transform/models/sources.yml: the raw tables that the models read, and all their columns."""
    tables = {**RAW_TABLES, **INPUT_TABLES}
    lines = [
        "# Generated from the schemas by `make docs`.",
        "version: 2",
        "sources:",
        "  - name: emr_raw",
        "    schema: \"{{ var('raw_dataset') }}\"",
        "    description: The tables that the connector loads, and the input files of the user.",
        "    tables:",
    ]
    for name, properties in SOURCES.items():
        lines += [f"      - name: {name}", f"        description: {json.dumps(tables[name].description, ensure_ascii=False)}"]
        lines += properties.rstrip("\n").split("\n") if properties else []
        lines.append("        columns:")
        for field in tables[name].schema:
            description = json.dumps(field.metadata[b"description"].decode(), ensure_ascii=False)
            lines.append(f"          - {{name: {field.name}, description: {description}}}")
    return "\n".join(lines) + "\n"
