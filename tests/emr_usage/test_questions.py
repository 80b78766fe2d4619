"""The questions of the documents have the answers that the demo gives, today as on the day they were written."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from emr_usage.demo import run_demo
from emr_usage.questions import Question, answer, questions_of, with_answers

DOCUMENT = (Path(__file__).parents[2] / "docs/questions.md").read_text()
QUESTIONS = list(questions_of(DOCUMENT))


def test_there_are_at_least_twenty_questions_and_none_twice() -> None:
    assert len(QUESTIONS) >= 20
    assert [heading for heading, times in Counter(question.heading for question in QUESTIONS).items() if times > 1] == []


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.heading)
def test_each_is_a_question_with_one_sql_and_an_answer(question: Question) -> None:
    assert question.heading.endswith("?")
    assert question.sql
    assert len(question.answer.splitlines()) > 2, "an answer has at least one row; run make docs"


# All in one test: the demo takes half a minute, and tests of one module may run in several processes.
def test_the_demo_tells_its_story_to_the_end_and_gives_the_answers_of_the_document(tmp_path: Path) -> None:
    *story, cost, page = run_demo(tmp_path, lambda: datetime.now(UTC), lambda _: None)
    loads = [re.search(r"(\d+) of (\d+) windows certified", str(step)) for step in story]
    certified = [found.groups() for found in loads if found]
    assert len(certified) == 6
    assert all(of == total != "0" for of, total in certified)
    assert str(cost).startswith("October 2026 (provisional): estimated USD ")
    assert page == f"Report: {tmp_path / 'reports' / 'emr-usage-2026-10.html'}"
    assert "All of the month is certified complete." in (tmp_path / "reports/emr-usage-2026-10.html").read_text()
    database = tmp_path / "emr.duckdb"
    stale = [(question, fresh) for question in QUESTIONS if (fresh := answer(database, question.sql)) != question.answer]
    told = "".join(f"\n\n{old.heading} Now:\n\n{fresh}\nIn the document:\n\n{old.answer}" for old, fresh in stale)
    assert told == "", f"run make docs, if these are meant to change{told}"
    assert with_answers(DOCUMENT, database) == DOCUMENT, "run make docs"
