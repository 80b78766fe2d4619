"""The demo on a terminal: its text is readable, its tables fit, its hints run, and no table of the database is empty."""

from __future__ import annotations

import subprocess
from pathlib import Path

import duckdb
import pytest

from cli_harness import COMMAND, CliHarness
from emr_usage.questions import answer, questions_of, with_answers
from screen import SEQUENCE, Screen, on_a_terminal
from small_account import REGIONS, served

DOCUMENT = (Path(__file__).parents[2] / "docs/questions.md").read_text()
IDENTITY_RULES = {"deployment", "workflow_tag", "normalised_name", "unnamed"}
RULE_COLUMNS = ("tag_key", "tag_value", "creator", "resource_queue_id", "workspace_id", "job_name", "valid_from", "valid_to")


# All in one test: the demo takes half a minute, and tests of one module may run in several processes.
@pytest.mark.timeout(900)
def test_the_demo_runs_to_its_end_on_a_terminal(tmp_path: Path) -> None:
    with served() as emulator:
        environment = CliHarness(tmp_path, emulator, REGIONS).usual_environment
    written, code = on_a_terminal([str(COMMAND), "demo", "--folder", "the demo"], tmp_path, environment)
    assert code == 0, written
    screen = Screen()
    screen.draw(written)
    assert_story_is_whole(screen.lines)
    assert_hints_run(written, tmp_path, environment)
    database = tmp_path / "the demo/emr.duckdb"
    assert_everything_shows_something(database)
    assert_document_is_fresh(database)
    page = (tmp_path / "the demo/reports/emr-usage-2026-10.html").read_text()
    assert "All of the month is certified complete." in page


def assert_story_is_whole(lines: list[str]) -> None:
    """See that the live display erased nothing but itself, and that no table is cut off."""
    text = "\n".join(lines)
    loads = [line for line in lines if " rows in " in line]
    assert len(loads) == 7, text
    assert lines[0].startswith("The emulator is running at http://127.0.0.1:")
    assert [line for line in lines if line][-1] == "Report: the demo/reports/emr-usage-2026-10.html"
    assert "October 2026 (provisional): estimated USD " in text
    assert " in flight" not in text, "the live display is gone"
    assert "…" not in text, "a table is cut off"
    for title in ("owner", "billing_date", "received"):
        assert any(title in line for line in lines), title


def assert_hints_run(written: str, folder: Path, environment: dict[str, str]) -> None:
    """Run what the demo proposes as a user does who copies it."""
    _, _, rest = SEQUENCE.sub("", written).replace("\r\n", "\n").partition("Next steps:\n")
    hints, _, _ = rest.partition("\n\n")
    assert hints.count("emr-usage ") == 2, written
    assert "python" in hints
    done = subprocess.run(["sh", "-e"], input=hints, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), hints
    assert "last load 20" in done.stdout
    assert "Owner: " in done.stdout
    assert "finance/close" in done.stdout


def assert_everything_shows_something(database: Path) -> None:
    """See that no table is empty, and that each way to name a job and each column of an owner rule decided something."""
    with duckdb.connect(str(database), read_only=True) as emr:
        ours = "table_schema IN ('emr_raw', 'emr_marts') AND table_name NOT LIKE '\\_dlt%' ESCAPE '\\'"
        found = emr.execute(f"SELECT table_schema, table_name FROM information_schema.tables WHERE {ours}").fetchall()
        assert len(found) > 25
        names = [f"{schema}.{name}" for schema, name in found]
        empty = [name for name in names if emr.execute(f"SELECT 1 FROM {name} LIMIT 1").fetchone() is None]
        # They hold figures that cannot be true or do not fit the formula, changes of closed months, and earlier versions of
        # workspaces, queues and members: the demo has none.
        histories = [f"emr_raw.{name}_history" for name in ("members", "workspace_queues", "workspaces")]
        closed = ["emr_marts.adjusted_job_runs", "emr_marts.chargeback_adjustments"]
        assert sorted(empty) == sorted([*closed, "emr_marts.cu_formula_check", "emr_marts.figures_set_aside", *histories])
        named = {rule for (rule,) in emr.execute("SELECT DISTINCT identity_rule FROM emr_marts.job_run_costs").fetchall()}
        assert named == IDENTITY_RULES
        rules = "emr_marts.job_run_costs JOIN emr_marts.int_owner_rules AS rules ON owner_rule_number = rules.rule_number"
        used = emr.execute(f"SELECT {', '.join(f'count(rules.{name})' for name in RULE_COLUMNS)} FROM {rules}").fetchone() or ()
        assert [name for name, count in zip(RULE_COLUMNS, used, strict=True) if not count] == []
        idle = f"SELECT owner FROM emr_marts.int_owner_rules WHERE rule_number NOT IN (SELECT owner_rule_number FROM {rules})"
        assert emr.execute(idle).fetchall() == [], "rules that name nobody"


def assert_document_is_fresh(database: Path) -> None:
    stale = [(old, fresh) for old in questions_of(DOCUMENT) if (fresh := answer(database, old.sql)) != old.answer]
    told = "".join(f"\n\n{old.heading} Now:\n\n{fresh}\nIn the document:\n\n{old.answer}" for old, fresh in stale)
    assert told == "", f"run make docs, if these are meant to change{told}"
    assert with_answers(DOCUMENT, database) == DOCUMENT, "run make docs"
