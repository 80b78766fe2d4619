"""How much of a corpus of secrets is masked, and how many harmless values stay as they are."""

from __future__ import annotations

import pytest

from corpus import HALVES, harmless, hidden
from emr_serverless.redaction.redactor import Redactor

REDACTOR = Redactor()
# The floors that are promised: see docs/redaction.md.
MASKED, DAMAGED = 0.95, 0.05


@pytest.mark.parametrize("half", HALVES)
def test_secrets_are_masked_wherever_they_are(half: str) -> None:
    cases = hidden(half)
    count = sum(len(case.secrets) for case in cases)
    found = {secret: case.content for case in cases for secret in case.found(REDACTOR)}
    assert count > 170
    assert len(found) <= (1 - MASKED) * count, found


@pytest.mark.parametrize("half", HALVES)
def test_harmless_values_are_kept(half: str) -> None:
    cases = harmless(half)
    damaged = [(case.content, case.masked(REDACTOR)) for case in cases if case.masked(REDACTOR) != case.content]
    assert len(cases) >= 100
    assert len(damaged) <= DAMAGED * len(cases), damaged


@pytest.mark.parametrize("half", HALVES)
def test_without_redaction_every_secret_is_found(half: str) -> None:
    off = Redactor(enabled=False)
    assert all(set(case.found(off)) == set(case.secrets) for case in hidden(half))
