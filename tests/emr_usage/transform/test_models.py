"""Conventions of the models: one SQL and one YAML file each, every column described, dialects only in macros."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from emr_usage.build import PROJECT
from emr_usage.reference import source_declaration
from mart_fixtures import MARTS, MartDatabase

MODELS = sorted(PROJECT.glob("models/*/*.sql"))
CHECKS = sorted(PROJECT.glob("tests/*.sql"))


def described(model: Path) -> dict[str, Any]:
    (entry,) = yaml.safe_load(model.with_suffix(".yml").read_text())["models"]
    assert entry["name"] == model.stem
    columns: dict[str, Any] = entry
    return columns


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_a_model_description_begins_with_its_grain(model: Path) -> None:
    assert described(model)["description"].startswith(("One row for each", "One row with"))


def test_every_documented_mart_is_a_model() -> None:
    assert {path.stem for path in MODELS if path.parent.name == "marts"} == set(MARTS)


def test_exactly_the_columns_of_a_model_are_described(tmp_path: Path) -> None:
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    mart_db.write(job_runs=[])
    mart_db.build()
    datasets = mart_db.ask("SELECT table_schema, table_name FROM information_schema.tables")
    for model in MODELS:
        (dataset,) = [dataset for dataset, table in datasets if table == model.stem]
        found = [row[0] for row in mart_db.ask(f"DESCRIBE {dataset}.{model.stem}")]
        assert [column["name"] for column in described(model)["columns"]] == found, model.stem
        assert all(column["description"] for column in described(model)["columns"])


def test_staging_selects_from_one_raw_table_and_computes_nothing() -> None:
    for model in MODELS:
        sql = model.read_text()
        if model.parent.name == "staging":
            assert len(re.findall(r"raw_table\(", sql)) == 1, model.stem
            assert not re.findall(r"ref\(|\b(?:join|group by|over|union|case|where)\b", sql), model.stem
        else:
            assert "raw_table(" not in sql, model.stem


def test_source_columns_match_the_schemas() -> None:
    assert (PROJECT / "models/sources.yml").read_text() == source_declaration(), "run make docs"


def test_every_data_test_has_a_description() -> None:
    promises = {
        entry["name"]: entry["description"] for entry in yaml.safe_load((PROJECT / "tests/checks.yml").read_text())["data_tests"]
    }
    assert set(promises) == {path.stem for path in CHECKS}
    assert all(promises.values())


def test_the_readme_lists_every_variable_with_its_default() -> None:
    text = (PROJECT / "README.md").read_text()
    for name, default in yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]["emr_usage"].items():
        row = re.search(rf"^\| `{name}` \| (.*?) \|", text, re.MULTILINE)
        assert row, name
        for value in default if isinstance(default, list) else [default]:
            assert str(value) in row[1], name
