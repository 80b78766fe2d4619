"""The questions in the documentation; test_demo.py compares their answers with the demo."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from emr_usage.questions import Question, questions_of

DOCUMENT = (Path(__file__).parents[2] / "docs/questions.md").read_text()
QUESTIONS = list(questions_of(DOCUMENT))


def test_there_are_at_least_twenty_distinct_questions() -> None:
    assert len(QUESTIONS) >= 20
    assert [heading for heading, times in Counter(question.heading for question in QUESTIONS).items() if times > 1] == []


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.heading)
def test_each_question_has_one_query_and_an_answer(question: Question) -> None:
    assert question.heading.endswith("?")
    assert question.sql
    assert len(question.answer.splitlines()) > 2, "an answer has at least one row; run make docs"
