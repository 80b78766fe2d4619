"""The table reference of the documents, made from the schemas, so that it cannot lag behind them."""

from __future__ import annotations

from emr_serverless.arrow.schema import RAW_TABLES

from .inputs import INPUT_TABLES


def table_reference() -> str:
    """Return docs/tables.md."""
    parts = [
        "# Tables of the raw dataset (`emr_raw`)",
        "Made from the schemas by `make docs`. Names are the API's words in snake_case; times are UTC; keys are never null.",
    ]
    for name, table in {**RAW_TABLES, **INPUT_TABLES}.items():
        parts.append(f"## `{name}`\n\n{table.description}\n\nKey: {', '.join(f'`{column}`' for column in table.primary_key)}.")
        lines = ["| column | type | what |", "|---|---|---|"]
        lines += [f"| `{field.name}` | {field.type} | {field.metadata[b'description'].decode()} |" for field in table.schema]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"
