"""Files written by `emr-usage init-inputs`: never overwritten, valid as they are and with all examples uncommented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emr_usage.cli import main
from emr_usage.inputs import INPUT_TABLES, read_inputs, write_examples
from emr_usage.inputs.tables import file_fields

DOCUMENT = (Path(__file__).parents[3] / "docs" / "inputs.md").read_text(encoding="utf-8")


def init_inputs(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["init-inputs", *arguments])


class TestCommand:
    """`emr-usage init-inputs`."""

    def test_the_inputs_folder_is_created_next_to_the_database(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        done = init_inputs()
        assert done.exit_code == 0
        assert done.output.splitlines() == [f"inputs/{table}.csv: written" for table in INPUT_TABLES]
        assert init_inputs("--database", "data/emr.duckdb").exit_code == 0
        for folder in ("inputs", "data/inputs"):
            assert {path.name for path in Path(folder).iterdir()} == {f"{table}.csv" for table in INPUT_TABLES}

    def test_an_existing_file_is_not_changed(self, tmp_path: Path) -> None:
        folder = tmp_path / "chargeback"
        folder.mkdir()
        (folder / "rates.csv").write_text("mine")
        done = init_inputs("--inputs", str(folder))
        assert done.exit_code == 0
        assert f"{folder}/rates.csv: exists already" in done.output
        assert f"{folder}/owners.csv: written" in done.output
        assert (folder / "rates.csv").read_text() == "mine"
        again = init_inputs("--inputs", str(folder))
        assert [line.partition(": ")[2] for line in again.output.splitlines()] == ["exists already"] * 3

    def test_a_folder_that_cannot_be_created_is_reported(self, tmp_path: Path) -> None:
        (tmp_path / "inputs").write_text("a file of this name")
        done = init_inputs("--database", str(tmp_path / "emr.duckdb"))
        assert done.exit_code == 1
        assert f"Error: {tmp_path}/inputs cannot be written to (File exists). Give another folder with --inputs." in done.output


class TestFiles:
    """The content of the files."""

    def test_the_examples_alone_price_nothing_and_assign_nothing(self, tmp_path: Path) -> None:
        write_examples(tmp_path)
        inputs = read_inputs(tmp_path)
        assert {table: len(rows) for table, rows in inputs.rows.items()} == {"rates": 0, "owners": 0, "list_prices": 12}
        assert inputs.missing == []

    def test_every_example_is_valid_when_uncommented(self, tmp_path: Path) -> None:
        write_examples(tmp_path)
        for path in tmp_path.iterdir():
            path.write_text(re.sub(r"^#(?=\w)", "", path.read_text(), flags=re.MULTILINE))
        inputs = read_inputs(tmp_path)
        assert {table: len(rows) for table, rows in inputs.rows.items()} == {"rates": 15, "owners": 6, "list_prices": 12}

        def prices(table: str) -> list[tuple[str, ...]]:
            columns = ("region_id", "currency", "price_per_cu_hour")
            rows = [row.values for row in inputs.rows[table] if row.values.get("price_kind", "list") == "list"]
            return [tuple(row[column] for column in columns) for row in rows]

        assert prices("rates") == prices("list_prices")

    def test_every_list_price_has_its_source_and_date(self, tmp_path: Path) -> None:
        write_examples(tmp_path)
        for row in read_inputs(tmp_path).rows["list_prices"]:
            assert row.values["source"].startswith("https://www.alibabacloud.com/help/")
            assert row.values["page_date"].isoformat() == "2026-03-18"


@pytest.mark.parametrize("table", INPUT_TABLES)
def test_every_column_is_documented(table: str) -> None:
    """Also which of them must have a value."""
    (section,) = re.findall(rf"^## `{table}\.csv`$(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    documented = re.findall(r"^\| `(\w+)` \| (yes)? ?\| \S", section, re.MULTILINE)
    assert documented == [(field.name, "" if field.nullable else "yes") for field in file_fields(table)]
