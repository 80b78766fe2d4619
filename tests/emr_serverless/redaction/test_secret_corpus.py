"""The share of a corpus of secrets that is masked, and of harmless values that are kept."""

from __future__ import annotations

import pytest

from corpus import HALVES, harmless, hidden
from emr_serverless.redaction.redactor import Redactor

REDACTOR = Redactor()
# The floors that are promised: see docs/redaction.md.
MASKED, DAMAGED = 0.95, 0.05


@pytest.mark.parametrize("half", HALVES)
def test_corpus_secrets_are_masked(half: str) -> None:
    cases = hidden(half)
    count = sum(len(case.secrets) for case in cases)
    found = {secret: case.content for case in cases for secret in case.found(REDACTOR)}
    assert count > 170
    assert len(found) <= (1 - MASKED) * count, found


@pytest.mark.parametrize("half", HALVES)
def test_harmless_corpus_values_are_kept(half: str) -> None:
    cases = harmless(half)
    damaged = [(case.content, case.masked(REDACTOR)) for case in cases if case.masked(REDACTOR) != case.content]
    assert len(cases) >= 100
    assert len(damaged) <= DAMAGED * len(cases), damaged


@pytest.mark.parametrize("half", HALVES)
def test_without_redaction_every_secret_is_found(half: str) -> None:
    off = Redactor(enabled=False)
    assert all(set(case.found(off)) == set(case.secrets) for case in hidden(half))
