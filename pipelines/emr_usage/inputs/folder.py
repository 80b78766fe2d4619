"""The folder of the inputs: its place, its example files, and its validated content."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Final

from emr_usage.errors import InvalidInputsError
from emr_usage.whole_file import write_whole

from .files import read_records
from .problems import Problem
from .rows import Row, read_rows
from .rules import check_list_prices, check_owners, check_rates
from .tables import INPUT_TABLES, file_fields, file_name

FOLDER: Final = "inputs"
_RULES: Final[Mapping[str, Callable[[Sequence[Row]], Iterator[Problem]]]] = {
    "rates": check_rates,
    "owners": check_owners,
    "list_prices": check_list_prices,
}


@dataclass(frozen=True)
class Inputs:
    """The inputs of a folder, valid.

    Attributes:
        rows: of each table.
        missing: the tables whose files are missing.
    """

    rows: dict[str, list[Row]]
    missing: list[str]


def default_folder(database: Path) -> Path:
    """Return the folder of inputs beside a database."""
    return database.with_name(FOLDER)


def write_examples(folder: Path) -> dict[str, bool]:
    """Create the folder and the missing files, and return for each file whether it is new.

    Raises:
        OSError: the folder or a file cannot be created.
    """
    new: dict[str, bool] = {}
    for table in INPUT_TABLES:
        name = file_name(table)
        new[name] = not os.path.lexists(folder / name)
        if new[name]:
            example = resources.files(__package__).joinpath("examples", name).read_bytes()
            write_whole(folder / name, partial(_write_bytes, example))
    return new


def _write_bytes(content: bytes, path: Path) -> None:
    path.write_bytes(content)


def read_inputs(folder: Path, *, allow_empty: bool = False) -> Inputs:
    """Return the rows of a folder's files; a missing file has none.

    Args:
        folder: where the files are.
        allow_empty: a broken link, an empty file and a file name in another letter case count as missing.

    Raises:
        InvalidInputsError: with every problem of every file.
    """
    inputs = Inputs({table: [] for table in INPUT_TABLES}, [])
    problems: list[Problem] = []
    for table in INPUT_TABLES:
        try:
            content = (folder / file_name(table)).read_bytes()
            if allow_empty and not content.strip():
                inputs.missing.append(table)
                continue
            inputs.rows[table], found = check_table(table, content)
            problems += found
        except FileNotFoundError:
            inputs.missing.append(table)
            if not allow_empty:
                problems += _misplaced(table, folder)
        except OSError as error:
            problems.append(Problem(file_name(table), 0, "", f"it cannot be read ({error.strerror})", "check the file"))
    if problems:
        raise InvalidInputsError([str(problem) for problem in problems], folder)
    return inputs


def _misplaced(table: str, folder: Path) -> Iterator[Problem]:
    """Yield why a file that seems to exist is not found."""
    name = file_name(table)
    if (folder / name).is_symlink():
        target = (folder / name).readlink()
        yield Problem(name, 0, "", f"it is a link to {target}, which does not exist", "restore that file, or remove the link")
    elif folder.is_dir():
        similar = sorted(path.name for path in folder.iterdir() if path.name.casefold().strip() == name)
        if similar:
            yield Problem(name, 0, "", f"it does not exist, but {similar[0]} does", f"rename that to {name}")


def check_table(table: str, content: bytes) -> tuple[list[Row], list[Problem]]:
    """Return the rows of a file, and its problems in the order of its lines."""
    records, of_form = read_records(file_name(table), content, [field.name for field in file_fields(table)])
    rows, of_rows = read_rows(table, records)
    problems = [*of_form, *of_rows, *_RULES[table](rows)]
    return rows, sorted(problems, key=lambda problem: problem.row)
