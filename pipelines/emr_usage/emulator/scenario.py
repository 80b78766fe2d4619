"""A realistic company, generated from a seed: workspaces, users, nightly jobs, mistakes, and secrets in the wrong places."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import people
from .clock import epoch_ms
from .filters import DAY_MS
from .jobs import Job, ad_hoc_job, job_tags, make_job, name_workflow, recurring_jobs
from .lifecycle import HOUR_MS, MINUTE_MS, SECOND_MS, Attempt, Place, live, stream
from .run import Run
from .secrets import PLACED_SECRETS, SECRETS, place_secret
from .state import State
from .workspaces import gpu_fields, queue_fields, subscription_fields

__all__ = ["SECRETS", "company"]

# The future the clock can be moved into, beyond the ten days that are promised.
DAYS_AHEAD = 12
UTC8_MS = 8 * HOUR_MS
# Parts of a day's runs: one DAG at midnight, a second at two, hourly pipelines, and the rest by people.
MIDNIGHT_SHARE, SECOND_SHARE, HOURLY_SHARE = 0.52, 0.14, 0.14
WEEKEND = frozenset({5, 6})
STUCK_EVERY_DAYS = 7
BAD_DEPLOY_DAYS = 2
NEW_FIELDS_DAYS = 12
STREAMS_PER_WORKSPACE = 3
HOURLY_WORKFLOW = "hourly_ingest"


@dataclass(frozen=True)
class _Calendar:
    """When things happen; days are those of UTC+8, like the company's and the bill's."""

    now_ms: int
    first_ms: int
    last_ms: int
    bad_from_ms: int

    def days(self) -> Iterator[tuple[int, int]]:
        """Each day's number and the epoch milliseconds of its midnight."""
        midnights = range(self.first_ms, self.last_ms, DAY_MS)
        return ((midnight_ms // DAY_MS + 1, midnight_ms) for midnight_ms in midnights)

    def is_bad(self, submit_ms: int) -> bool:
        """Whether the bad deploy is live."""
        return self.bad_from_ms <= submit_ms < self.bad_from_ms + BAD_DEPLOY_DAYS * DAY_MS


def company(
    seed: int,
    now: datetime | int,
    *,
    days: int = 30,
    runs_per_day: int = 400,
    region_ids: Sequence[str] = ("cn-hangzhou",),
    workspaces_per_region: int = 2,
) -> State:
    """Generate a company's account. The same arguments give the same company.

    Teams with tags (missing, misspelt, differing in case), nightly DAGs that submit hundreds of runs in one millisecond,
    ad-hoc users, streaming jobs that run for weeks, a bad deploy that fails for two days, timeouts, retries, queued
    hours, null and absent fields, Chinese names, secrets (`SECRETS`), and fields that are not documented.

    Args:
        seed: Which company.
        now: Where its history ends and its future begins: epoch milliseconds, or a datetime with a time zone.
        days: How long its history is, at least 4; streaming jobs are older.
        runs_per_day: About how many runs it submits on a working day, over all workspaces, at least 50.
        region_ids: Its regions.
        workspaces_per_region: How many workspaces it has in each.
    """
    chance = random.Random(f"company {seed}")
    state = State()
    places = _add_places(chance, state, region_ids, workspaces_per_region)
    calendar = _calendar(epoch_ms(now), days)
    runs = [
        *_nightly_runs(chance, places, calendar, runs_per_day),
        *_ad_hoc_runs(chance, places, calendar, runs_per_day),
        *_streaming_runs(chance, places, calendar),
    ]
    runs.sort(key=lambda run: run.key)
    _add_new_fields(runs, calendar)
    _blank_some(chance, runs)
    _place_secrets(runs, calendar)
    state.add(*runs)
    return state


def _calendar(now_ms: int, days: int) -> _Calendar:
    today_ms = (now_ms + UTC8_MS) // DAY_MS * DAY_MS - UTC8_MS
    bad_days_ago = min(9, max(BAD_DEPLOY_DAYS + 1, days // 2))
    return _Calendar(now_ms, today_ms - days * DAY_MS, today_ms + (DAYS_AHEAD + 1) * DAY_MS, today_ms - bad_days_ago * DAY_MS)


def _add_places(chance: random.Random, state: State, region_ids: Sequence[str], per_region: int) -> list[Place]:
    places = []
    for region_id in region_ids:
        for number in range(per_region):
            workspace_id = f"w-{chance.getrandbits(64):016x}"
            name = people.WORKSPACE_NAMES[number % len(people.WORKSPACE_NAMES)]
            queue_names: tuple[str, ...] = ("root_queue", "dev_queue")
            extra: dict[str, Any] = {}
            # The first workspace of a region is the most important one, and has a subscription.
            if number == 0:
                queue_names = ("subscription_queue", "root_queue", "dev_queue")
                extra = subscription_fields(f"i-{chance.getrandbits(48):012x}", cores=1000, used_cores=640)
            elif name == "ml-platform":
                extra = gpu_fields(f"i-{chance.getrandbits(48):012x}")
            queues = [
                queue_fields(
                    workspace_id,
                    region_id,
                    queue_name,
                    payment_type="Pre" if queue_name == "subscription_queue" else "PayAsYouGo",
                )
                for queue_name in queue_names
            ]
            state.add_workspace(
                workspace_id,
                region_id,
                queues=queues,
                workspaceName=name if number < len(people.WORKSPACE_NAMES) else f"{name}-{number}",
                tags=people.WORKSPACE_TAGS[number % len(people.WORKSPACE_TAGS)],
                **extra,
            )
            places.append(Place(workspace_id, region_id, queue_names))
    return places


def _nightly_runs(chance: random.Random, places: list[Place], calendar: _Calendar, runs_per_day: int) -> Iterator[Run]:
    midnight_jobs = recurring_jobs(chance, int(runs_per_day * MIDNIGHT_SHARE), places[0].queue_names)
    second_place = places[1 % len(places)]
    second_jobs = recurring_jobs(chance, int(runs_per_day * SECOND_SHARE), second_place.queue_names)
    hourly_jobs = recurring_jobs(chance, max(1, int(runs_per_day * HOURLY_SHARE) // 24), places[-1].queue_names)
    for job in hourly_jobs:
        name_workflow(job, HOURLY_WORKFLOW)
    for day, midnight_ms in calendar.days():
        stuck = day % STUCK_EVERY_DAYS == 0
        yield from _burst(chance, places[0], midnight_jobs, midnight_ms, calendar, stuck=stuck)
        yield from _burst(chance, second_place, second_jobs, midnight_ms + 2 * HOUR_MS, calendar, stuck=False)
        for hour in range(24):
            submit_ms = midnight_ms + hour * HOUR_MS + 10 * MINUTE_MS
            yield from _burst(chance, places[-1], hourly_jobs, submit_ms, calendar, stuck=False)


def _burst(
    chance: random.Random, place: Place, jobs: list[Job], submit_ms: int, calendar: _Calendar, *, stuck: bool
) -> Iterator[Run]:
    """A scheduler submits all of a DAG's roots in one millisecond; the queue lets a few at a time in."""
    for number, job in enumerate(jobs):
        wait_ms = chance.randint(3 * SECOND_MS, 40 * SECOND_MS) + number * chance.randint(0, 4 * SECOND_MS)
        if stuck:
            wait_ms += chance.randint(HOUR_MS, 4 * HOUR_MS)
        broken = job.team == "growth" and calendar.is_bad(submit_ms)
        attempt = Attempt(submit_ms, wait_ms, broken=broken, retried=True)
        for run in live(chance, place, job, attempt):
            run.is_workflow = True
            yield run


def _ad_hoc_runs(chance: random.Random, places: list[Place], calendar: _Calendar, runs_per_day: int) -> Iterator[Run]:
    usual = int(runs_per_day * (1 - MIDNIGHT_SHARE - SECOND_SHARE - HOURLY_SHARE))
    for day, midnight_ms in calendar.days():
        # Epoch day 0 was a Thursday.
        busy = usual // 5 if (day + 3) % 7 in WEEKEND else usual
        for _ in range(busy):
            place = chance.choice(places)
            submit_ms = midnight_ms + int(chance.triangular(8, 22, 14) * HOUR_MS)
            wait_ms = chance.randint(3 * SECOND_MS, 90 * SECOND_MS)
            job = ad_hoc_job(chance, "dev_queue")
            yield from live(chance, place, job, Attempt(submit_ms, wait_ms, cancel_rate=0.07))


def _streaming_runs(chance: random.Random, places: list[Place], calendar: _Calendar) -> Iterator[Run]:
    """Deployments that are restarted every few weeks; the first of each workspace is older than the history and never ends."""
    for place in places:
        for number in range(STREAMS_PER_WORKSPACE):
            team = chance.choice(people.TEAMS)
            name = f"rt_{chance.choice(team.subjects)}_stream"
            tags = job_tags(chance, team, environment="production", workflow=False)
            job = make_job(
                chance,
                team,
                name,
                place.queue_names[0],
                tags,
                creator=people.SERVICE_ACCOUNT,
                executors=people.FEW_EXECUTORS,
                code_types=("JAR",),
            )
            job.fields["executionTimeoutSeconds"] = -1
            deployment_id = f"jd-{chance.getrandbits(64):016x}"
            submit_ms = calendar.first_ms - chance.randint(5 * DAY_MS, 15 * DAY_MS)
            while submit_ms < calendar.last_ms:
                end_ms = None if number == 0 else submit_ms + chance.randint(8 * DAY_MS, 35 * DAY_MS)
                run = stream(chance, place, job, submit_ms, end_ms)
                run.deployment_id = deployment_id
                run.fields["jobRunDeploymentId"] = deployment_id
                yield run
                submit_ms = calendar.last_ms if end_ms is None else end_ms + 2 * MINUTE_MS


def _add_new_fields(runs: list[Run], calendar: _Calendar) -> None:
    """Add fields as the API does nearly every month; these are twelve days old."""
    for run in runs:
        if run.submit_ms >= calendar.now_ms - NEW_FIELDS_DAYS * DAY_MS:
            run.fields["networkServiceName"] = "vpc-acme"
            run.fields["computeSpec"] = {"arch": "x86", "spot": False, "zones": ["h", "i"]}


def _place_secrets(runs: list[Run], calendar: _Calendar) -> None:
    """Add every secret to three runs that have ended; every open run has links with secrets in them."""
    past = [run for run in runs if run.settled_by(calendar.now_ms)]
    step = max(1, len(past) // (3 * len(PLACED_SECRETS)))
    for number, run in enumerate(past[::step]):
        place_secret(PLACED_SECRETS[number % len(PLACED_SECRETS)], run)


def _blank_some(chance: random.Random, runs: list[Run]) -> None:
    """Give a few rows undocumented values: no name, no creator, no figures, an unknown state."""
    for run in chance.sample(runs, len(runs) // 100):
        match chance.randrange(7):
            case 0:
                run.hidden |= {"creator"}
            case 1:
                run.fields["creator"] = None
            case 2:
                run.hidden |= {"vcoreSeconds", "mbSeconds", "cuHours"}
            case 3:
                run.final_fields = run.final_fields | {"stateChangeReason": None}
            case 4 if run.final_state == "Success":
                run.final_state = "Evicted"
            case 5:
                run.hidden |= {"name"}
            case _:
                run.hidden |= {"log", "webUI"}
