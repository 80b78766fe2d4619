"""Input files that lost their rows are refused, because all usage would become unpriced by accident."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from emr_usage.errors import InvalidInputsError
from emr_usage.inputs import load_inputs
from emr_usage.target import Target
from input_files import HEADERS, owner, rate
from mart_fixtures import MartDatabase, number

FILES = {
    "rates": [rate(region_id=region) for region in ("cn-hangzhou", "cn-beijing", "cn-shanghai")],
    "owners": [owner(owner="growth", tag_key="team"), owner(owner="data", tag_key="project")],
    "list_prices": ["cn-hangzhou,USD,0.050302,2026-03-18,the page"],
}
Loss = Callable[[Path], object]


def dangle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("elsewhere.csv"))


LOSSES: dict[str, tuple[Loss, str]] = {
    "gone": (Path.unlink, "it is not there, and 3 rows of it are loaded; restore the file, or give --allow-empty-inputs"),
    "renamed": (lambda path: path.rename(path.with_name("Rates.csv")), "it does not exist, but Rates.csv does; rename that to"),
    "another extension": (
        lambda path: path.rename(path.with_name("rates.csv.bak")),
        "it is not there, and 3 rows of it are loaded",
    ),
    "a dangling link": (dangle, "it is a link to"),
    "header only": (lambda path: path.write_text(f"{HEADERS['rates']}\n"), "it has no rows, and 3 rows of it are loaded"),
    "comments only": (lambda path: path.write_text(f"{HEADERS['rates']}\n# cn-hangzhou\n"), "it has no rows, and 3 rows"),
    "emptied": (lambda path: path.write_bytes(b""), "it has no header"),
}


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(database=tmp_path / "emr.duckdb")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of inputs with rows in each file."""
    folder = tmp_path / "inputs"
    folder.mkdir()
    for table, lines in FILES.items():
        (folder / f"{table}.csv").write_text("\n".join([HEADERS[table], *lines, ""]), encoding="utf-8")
    return folder


def count(target: Target, table: str) -> int:
    with duckdb.connect(str(target.database)) as connection:
        (found,) = connection.execute(f"SELECT count(*) FROM emr_raw.{table}").fetchall()
        return int(found[0])


@pytest.mark.parametrize("loss", LOSSES)
def test_removed_rates_are_refused_unless_allowed(folder: Path, target: Target, loss: str) -> None:
    load_inputs(target, folder)
    lose, says = LOSSES[loss]
    lose(folder / "rates.csv")
    with pytest.raises(InvalidInputsError) as refused:
        load_inputs(target, folder)
    assert f"rates.csv: {says}" in str(refused.value)
    assert count(target, "rates") == 3
    load_inputs(target, folder, allow_empty=True)
    assert count(target, "rates") == 0
    assert count(target, "owners") == 2


@pytest.mark.parametrize("table", ["owners", "list_prices"])
def test_removed_rows_of_other_inputs_are_refused(folder: Path, target: Target, table: str) -> None:
    load_inputs(target, folder)
    (folder / f"{table}.csv").unlink()
    with pytest.raises(InvalidInputsError, match=rf"{table}\.csv: it is not there, and \d rows? of it (is|are) loaded"):
        load_inputs(target, folder)


@pytest.mark.parametrize("loss", ["renamed", "a dangling link"])
def test_inputs_without_rates_are_refused_at_the_first_load(folder: Path, target: Target, loss: str) -> None:
    LOSSES[loss][0](folder / "rates.csv")
    with pytest.raises(InvalidInputsError):
        load_inputs(target, folder)
    assert not target.database.exists()


def test_removed_rows_that_only_the_current_build_has_are_refused(tmp_path: Path, folder: Path) -> None:
    priced = {"region_id": "cn-hangzhou", "currency": "USD", "price_per_cu_hour": "0.05", "valid_from": date(2026, 1, 1)}
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    mart_db.write(job_runs=[], rates=number([priced], "row_number"))
    mart_db.build()
    mart_db.write(rates=[])
    (folder / "rates.csv").unlink()
    with pytest.raises(InvalidInputsError, match=r"rates\.csv: it is not there, and 1 row of it is loaded"):
        load_inputs(mart_db.target, folder)
