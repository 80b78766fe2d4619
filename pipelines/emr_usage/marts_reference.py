"""Generates docs/marts.md from the YAML of the dbt project and the questions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from .build import PROJECT
from .questions import questions_of

_HEAD: Final = """# Tables of the marts (`emr_marts`)

Generated from the dbt project by `make docs`. Estimated cost is CU-hours times your rate; it is not the bill. Times are UTC;
billing dates and months are those of the billing time zone. Terms are explained in the [glossary](glossary.md)."""
# This table is written by the command and not by dbt.
BUILDS: Final = {
    "build_number": "Number of the build, from 1; all tables are of the build with the highest.",
    "built_at": "When its transaction began, UTC; it contains what was loaded by then.",
    "billing_time_zone": "Time zone of its billing days and months.",
    "horizon": "Time up to which submitted runs are certified in the most recent workspace, UTC; null where none is.",
    "rates": "Rows of rates.csv.",
    "owners": "Rules of owners.csv.",
    "list_prices": "Rows of list_prices.csv.",
    "inputs_version": "Digest of rates, owner rules, time zone and models.",
    "job_runs": "Rows of job_run_costs.",
    "checks": "Data tests that passed.",
    "version": "Version of emr-usage.",
}


def marts_reference(questions: str) -> str:
    """Return docs/marts.md.

    Args:
        questions: docs/questions.md, to link each table to the questions that read it.
    """
    files = sorted(PROJECT.glob("models/marts/*.yml"))
    models = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))["models"][0] for path in files}
    models["builds"] = {
        "description": "One row for each build whose data tests all passed.",
        "columns": [{"name": name, "description": what} for name, what in BUILDS.items()],
    }
    contents = " · ".join(f"[`{name}`](#{name})" for name in sorted(models))
    return "\n\n".join([_HEAD, contents, *(_section(name, models[name], questions) for name in sorted(models))]) + "\n"


def _section(name: str, model: dict[str, Any], questions: str) -> str:
    parts = [f"## `{name}`", model["description"]]
    for test in model.get("data_tests", []):
        if "unique_combination" in test:
            key = test["unique_combination"]["arguments"]["columns"]
            parts.append(f"Key: {', '.join(f'`{column}`' for column in key)}.")
    lines = ["| column | what |", "|---|---|"]
    lines += [f"| `{column['name']}` | {column['description']} |" for column in model["columns"]]
    parts.append("\n".join(lines))
    if asked := list(_links(name, questions)):
        parts.append("Questions: " + " · ".join(asked))
    return "\n\n".join(parts)


def _links(table: str, questions: str) -> Iterator[str]:
    for question in questions_of(questions):
        if re.search(rf"\bemr_marts\.{table}\b", question.sql):
            yield f"[{question.heading}](questions.md#{_anchor(question.heading)})"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
