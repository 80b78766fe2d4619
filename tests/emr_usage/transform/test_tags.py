"""SQL compares tags as Python does: white space, normalization and letter case of every character."""

# ruff: noqa: RUF001  # letters that look alike are what is compared
from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from unicodedata import normalize

import psycopg2
import pytest

from emr_usage.build import build
from emr_usage.inputs.tags import tag_form
from emr_usage.target import Target
from mart_fixtures import MartDatabase, Row, built_mart_db, job_run, number, tag, utc
from postgres import postgres_server
from raw_postgres import write

RUN = job_run("run", utc("2026-10-03 00:00"), utc("2026-10-03 01:00"), 1)
SAME = [
    (" team", "team"),
    ("team\t", "team"),
    ("\r\nteam\n", "team"),
    ("\u00a0team\u3000", "team"),
    ("\u2003te am\u2028", "te am"),
    ("TEAM", "team"),
    ("CAFE\u0301", "caf\u00e9"),
    ("CAF\u00c9", "cafe\u0301"),
    ("\u212a", "k"),
    ("ΟΔΟΣ", "οδος"),
    ("ДАННЫЕ", "данные"),
    ("STRASSE", "straße"),
    ("ＡＤＳ", "ａｄｓ"),
    ("J\u030c", "\u01f0"),
    ("한글", normalize("NFD", "한글")),
]
DIFFERENT = [("team", "teams"), ("te am", "team"), ("cafe", "café"), ("ADS", "ＡＤＳ"), ("I", "ı"), ("团队", "團隊")]


def characters() -> Iterator[str]:
    """Yield the characters that have letter case, are composed, combine or separate, and a sample of the others."""
    for code in range(1, sys.maxunicode + 1):
        one, kind = chr(code), unicodedata.category(chr(code))
        if kind in {"Cn", "Co", "Cs"}:
            continue
        if tag_form(one) != one or one.lower() != one or one.upper() != one or kind[0] in "MZC" or code % 50 == 0:
            yield one


def tags_of_characters() -> list[Row]:
    """Return tags with each character at both ends, and with an accent after it."""
    accents = ["\u0301", "\u030c", "\u0308", "\u0345"]
    return [tag(RUN, f"{one}a {one}", f"{one}{accents[index % 4]}", index) for index, one in enumerate(characters())]


def check(found: list[tuple[str, str, str, str]]) -> None:
    assert len(found) > 5_000
    different = [row for row in found if (tag_form(row[0]), tag_form(row[1])) != row[2:]]
    assert different == []


FORMS = "SELECT tag_key, tag_value, matched_key, matched_value FROM emr_marts_intermediate.int_job_run_tags"


def test_duckdb_compares_characters_as_python_does(tmp_path: Path) -> None:
    mart_db = built_mart_db(tmp_path, job_runs=[RUN], job_run_tags=tags_of_characters())
    check(mart_db.ask(FORMS))


def test_postgres_compares_characters_as_python_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with postgres_server() as server:
        address = server.new_database("emr")
        monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", address)
        write(address, job_runs=[RUN], job_run_tags=tags_of_characters())
        build(Target(destination="postgres"))
        with psycopg2.connect(address) as connection, connection.cursor() as cursor:
            cursor.execute(FORMS)
            check(cursor.fetchall())


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_a_key_are_the_same_tag(one: str, other: str) -> None:
    assert tag_form(one) == tag_form(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_keys_are_different_tags(one: str, other: str) -> None:
    assert tag_form(one) != tag_form(other)


def test_a_rule_matches_tags_regardless_of_case_and_spaces(tmp_path: Path) -> None:
    runs = [RUN | {"job_run_id": f"run-{place}"} for place in range(len(SAME) + len(DIFFERENT))]
    pairs = [*SAME, *DIFFERENT]
    rules: list[Row] = [
        {"owner": f"owner-{place}", "tag_key": other, "tag_value": one} for place, (one, other) in enumerate(pairs)
    ]
    for rule, run in zip(rules, runs, strict=True):
        rule |= {"job_name": run["job_run_id"], "valid_from": date(2026, 1, 1)}
        run["name"] = run["job_run_id"]
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    mart_db.write(
        job_runs=runs,
        job_run_tags=[tag(run, one, other) for run, (one, other) in zip(runs, pairs, strict=True)],
        owners=number(rules, "rule_number"),
    )
    mart_db.build()
    owned = {owner for (owner,) in mart_db.ask("SELECT owner FROM job_run_costs WHERE owner IS NOT NULL")}
    assert owned == {f"owner-{place}" for place in range(len(SAME))}
