"""The lifecycle of a run, from a job and a submit time: queued, running, ended, perhaps retried."""

import random
from dataclasses import dataclass

from . import people
from .jobs import Job, happens
from .run import Run
from .secrets import final_fields, open_fields

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS


@dataclass(frozen=True)
class Place:
    """A workspace as the scenario knows it."""

    workspace_id: str
    region_id: str
    queue_names: tuple[str, ...]


@dataclass(frozen=True)
class Attempt:
    """How one submission goes.

    Attributes:
        submit_ms: When it is submitted.
        wait_ms: How long it is queued.
        number: 0 for the first try, 1 and 2 for its retries.
        broken: Whether a bad deploy makes it fail.
        retried: Whether a scheduler tries a failed run again.
        cancel_rate: How often a person cancels it.
    """

    submit_ms: int
    wait_ms: int
    number: int = 0
    broken: bool = False
    retried: bool = False
    cancel_rate: float = 0.0


MAX_RETRIES = 2


def live(chance: random.Random, place: Place, job: Job, attempt: Attempt) -> list[Run]:
    """The run of one submission, and those of its retries.

    Args:
        chance: Where randomness comes from.
        place: Where it runs.
        job: What runs.
        attempt: When it is submitted, and how it goes.
    """
    run = _begin(chance, place, job, attempt)
    if happens(chance, attempt.cancel_rate):
        _cancel(chance, run)
        return [run]
    start_ms = run.submit_ms + attempt.wait_ms
    length_ms = max(3 * SECOND_MS, int(job.typical_ms * chance.lognormvariate(0, 0.25)))
    reason: tuple[str, str] | None = None
    if attempt.broken:
        length_ms, reason = chance.randint(12 * SECOND_MS, 90 * SECOND_MS), people.BAD_DEPLOY_FAILURE
    elif happens(chance, 0.004):
        # A stuck run continues until its timeout; one without a timeout until a user stops it.
        length_ms = job.timeout_ms or chance.randint(6 * HOUR_MS, 20 * HOUR_MS)
        reason = people.TIMEOUT_FAILURE if job.timeout_ms else people.FAILURES[0]
    elif happens(chance, job.failure_rate):
        length_ms, reason = int(length_ms * chance.random()) + 2 * SECOND_MS, chance.choice(people.FAILURES)
    elif job.timeout_ms is not None and length_ms > job.timeout_ms:
        length_ms, reason = job.timeout_ms, people.TIMEOUT_FAILURE
    run.start_ms, run.end_ms = start_ms, start_ms + length_ms
    if reason is None:
        return [run]
    _fail(run, reason)
    if not attempt.retried or attempt.number >= MAX_RETRIES:
        return [run]
    again = Attempt(
        submit_ms=run.end_ms + 5 * MINUTE_MS,
        wait_ms=chance.randint(3 * SECOND_MS, 60 * SECOND_MS),
        number=attempt.number + 1,
        broken=attempt.broken,
        retried=True,
    )
    return [run, *live(chance, place, job, again)]


def stream(chance: random.Random, place: Place, job: Job, submit_ms: int, end_ms: int | None) -> Run:
    """One run of a streaming deployment: weeks long, or endless.

    Args:
        chance: Where randomness comes from.
        place: Where it runs.
        job: The deployment.
        submit_ms: When it is submitted.
        end_ms: When it is stopped; None means never.
    """
    run = _begin(chance, place, job, Attempt(submit_ms, wait_ms=20 * SECOND_MS))
    run.start_ms = submit_ms + 20 * SECOND_MS
    run.end_ms = end_ms
    if end_ms is None:
        return run
    if happens(chance, 0.5):
        run.cancelling_ms, run.final_state = end_ms - 40 * SECOND_MS, "Cancelled"
    else:
        _fail(run, chance.choice(people.FAILURES))
    return run


def _begin(chance: random.Random, place: Place, job: Job, attempt: Attempt) -> Run:
    job_run_id = f"jr-{chance.getrandbits(64):016x}"
    fields = dict(job.fields)
    if attempt.number:
        fields["tags"] = [*(fields["tags"] or []), {"key": "retry", "value": str(attempt.number)}]
    if attempt.broken:
        fields["releaseVersion"] = fields["displayReleaseVersion"] = people.BAD_RELEASE
    final = final_fields(place.region_id, place.workspace_id, job_run_id)
    return Run(
        workspace_id=place.workspace_id,
        job_run_id=job_run_id,
        submit_ms=attempt.submit_ms,
        pending_ms=attempt.submit_ms + min(attempt.wait_ms, chance.randint(300, 2500)),
        fields=fields,
        open_fields=open_fields(place.region_id, place.workspace_id, job_run_id),
        final_fields=final | {"stateChangeReason": {"code": "0", "message": ""}},
        hidden=job.hidden,
        vcores=job.vcores,
        memory_mib=job.memory_mib,
        settle_ms=chance.randint(1, 9) * MINUTE_MS,
    )


def _fail(run: Run, reason: tuple[str, str]) -> None:
    code, message = reason
    run.final_state = "Failed"
    run.final_fields["stateChangeReason"] = {"code": code, "message": message}


def _cancel(chance: random.Random, run: Run) -> None:
    """Cancel a run while it is queued or running; sometimes the cancellation fails."""
    patience_ms = chance.randint(20 * SECOND_MS, 20 * MINUTE_MS)
    run.cancelling_ms = run.submit_ms + 2500 + patience_ms
    run.end_ms = run.cancelling_ms + chance.randint(2 * SECOND_MS, 40 * SECOND_MS)
    run.final_state = "Cancelled"
    run.final_fields["stateChangeReason"] = {"code": "ERR-100020", "message": "Cancelled by user 用户取消"}
    if happens(chance, 0.4):
        return
    run.start_ms = run.submit_ms + chance.randint(2500, 2500 + patience_ms)
    if happens(chance, 0.1):
        run.cancel_failed_ms = run.end_ms
        run.end_ms += chance.randint(HOUR_MS, 5 * HOUR_MS)
        run.final_state = "CancelFailed"
