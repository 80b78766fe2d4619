"""A made-up history of job runs, as the bytes that the API would answer with. Deterministic, and quick: a row is one `%`.

Runs belong to some hundreds of job definitions, which fix their tags, configurations and driver; names, ids, addresses and paths
are every run's own, as they are in life. Nothing here is shared with the source or the emulator.
"""

from __future__ import annotations

import random
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import orjson

REGION: Final = "cn-hangzhou"
# Of ten runs five belong to the first workspace, three to the second, two to the third.
WORKSPACES: Final = ("w-bench0000000000a", "w-bench0000000000b", "w-bench0000000000c")
SHARES: Final = (0, 0, 0, 0, 0, 1, 1, 1, 2, 2)
TAGS, CONFIGURATIONS, ARGUMENTS = 3, 2, 4
DAY_MS: Final = 86_400_000
START_MS: Final = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
# The nightly history is loaded this long after its last run was submitted, so that the lookback finds nothing and
# the next night consists of the changed runs alone.
QUIET_DAYS: Final = 2
# Of ten runs of the night, those that were submitted long before and end now.
CARRIED_OF_TEN: Final = 3
JOBS: Final = 300
UNDOCUMENTED_OF: Final = 7
LONGEST_MS: Final = 6 * 3_600_000
_OPEN_STATES: Final = frozenset({"Submitted", "Pending", "Running", "Cancelling"})
_MIX: Final = 0x9E3779B97F4A7C15
_MASK: Final = 2**64 - 1


@dataclass(frozen=True)
class Job:
    """What the runs of a job share: the row with `%` places for what they do not, and its size."""

    final: bytes
    running: bytes
    name: bytes
    typical_ms: int
    vcores: int


@dataclass
class Shelf:
    """One workspace's rows, sorted by submit time and again by end time."""

    rows: list[bytes] = field(default_factory=list)
    submits: array[int] = field(default_factory=lambda: array("q"))
    ended: list[bytes] = field(default_factory=list)
    ends: array[int] = field(default_factory=lambda: array("q"))
    # The submit time of each row of `ended`.
    ended_submits: array[int] = field(default_factory=lambda: array("q"))
    open: list[bytes] = field(default_factory=list)
    open_submits: array[int] = field(default_factory=lambda: array("q"))
    by_id: dict[bytes, bytes] = field(default_factory=dict)
    # What was selected by both times, which looks at every row.
    both: dict[tuple[tuple[int, int], tuple[int, int]], list[bytes]] = field(default_factory=dict)

    def select(
        self, start: tuple[int, int] | None, end: tuple[int, int] | None, states: frozenset[str] | None, run_id: bytes | None
    ) -> tuple[list[bytes], int, int]:
        """Return a list and the range in it that answers a filter; both bounds of a time range are inclusive.

        States are the open ones or all.
        """
        if run_id is not None:
            row = self.by_id.get(run_id)
            found = [row] if row else []
        elif states is not None and states <= _OPEN_STATES:
            first, last = start or (0, 2**62)
            found = [row for row, submit in zip(self.open, self.open_submits, strict=True) if first <= submit <= last]
        elif start and end:
            found = self._select_both(start, end)
        elif end:
            return self.ended, bisect_left(self.ends, end[0]), bisect_right(self.ends, end[1])
        else:
            first, last = start or (0, 2**62)
            return self.rows, bisect_left(self.submits, first), bisect_right(self.submits, last)
        return found, 0, len(found)

    def _select_both(self, start: tuple[int, int], end: tuple[int, int]) -> list[bytes]:
        if (start, end) not in self.both:
            since, until = bisect_left(self.ends, end[0]), bisect_right(self.ends, end[1])
            submits = self.ended_submits[since:until]
            positions = [position for position, submit in enumerate(submits, since) if start[0] <= submit <= start[1]]
            self.both[start, end] = [self.ended[position] for position in positions]
        return self.both[start, end]


@dataclass
class History:
    """Some runs over some days in three workspaces, and the night after.

    Attributes:
        runs: how many.
        days: over which they were submitted, evenly but for a jitter.
        night_runs: how many change in the night after; with none the history ends where its last run was submitted.
        carried: how many of these were submitted long before and end now; three in ten unless given. The others are new.
        start_ms: when it begins, epoch milliseconds.
        is_documented: whether every field of the rows is documented. An API grows, so by default one run in `UNDOCUMENTED_OF`
            has a field that is not.
        is_night: whether the night has passed.
    """

    runs: int
    days: int
    night_runs: int = 0
    is_documented: bool = False
    is_night: bool = False
    carried: int = -1
    start_ms: int = START_MS

    def __post_init__(self) -> None:
        if self.carried < 0:
            self.carried = self.night_runs * CARRIED_OF_TEN // 10

    @property
    def now_ms(self) -> int:
        """The server's clock: what was submitted until then exists, what ended until then has ended."""
        quiet = QUIET_DAYS if self.night_runs else 0
        return self.start_ms + (self.days + quiet + self.is_night) * DAY_MS

    @property
    def total(self) -> int:
        """Runs that exist now."""
        return self.runs + (self.night_runs - self.carried if self.is_night else 0)

    def shelves(self) -> dict[str, Shelf]:
        """Return every workspace's rows as of now."""
        shelves = [Shelf() for _ in WORKSPACES]
        jobs = make_jobs()
        now_ms = self.now_ms
        ended: list[list[tuple[int, int]]] = [[] for _ in WORKSPACES]
        for index, submit_ms, fixed_end_ms in self._times():
            place = SHARES[index % 10]
            shelf = shelves[place]
            run_id, end_ms, row = render(jobs, index, submit_ms, fixed_end_ms, now_ms, WORKSPACES[place].encode())
            if not self.is_documented and index % UNDOCUMENTED_OF == 0:
                row = b'{"gpuSeconds":%d,' % (index % 1000) + row[1:]
            shelf.by_id[run_id] = row
            if end_ms > now_ms:
                shelf.open.append(row)
                shelf.open_submits.append(submit_ms)
            else:
                ended[place].append((end_ms, len(shelf.rows)))
            shelf.rows.append(row)
            shelf.submits.append(submit_ms)
        for shelf, ends in zip(shelves, ended, strict=True):
            ends.sort()
            shelf.ended = [shelf.rows[position] for _, position in ends]
            shelf.ended_submits = array("q", [shelf.submits[position] for _, position in ends])
            shelf.ends = array("q", [end_ms for end_ms, _ in ends])
        return dict(zip(WORKSPACES, shelves, strict=True))

    def _times(self) -> Iterator[tuple[int, int, int | None]]:
        """Yield each run's number, submit time and, where it is not left to the job, its end, by submit time."""
        last_ms = self.start_ms + self.days * DAY_MS
        step = self.days * DAY_MS // self.runs
        night_ms = self.start_ms + (self.days + QUIET_DAYS) * DAY_MS
        every = self.runs // self.carried if self.carried else 0
        carried = 0
        for index in range(self.runs):
            end_ms = None
            if every and index % every == 0 and carried < self.carried:
                carried += 1
                end_ms = night_ms + carried * DAY_MS // (self.carried + 1)
            yield index, min(last_ms, self.start_ms + index * step + mix(index) % step + 1), end_ms
        if not self.is_night:
            return
        new = self.night_runs - self.carried
        step = (DAY_MS - LONGEST_MS) // new
        for index in range(new):
            yield self.runs + index, night_ms + index * step + 1, None


def mix(number: int) -> int:
    """Return 64 bits that look random, each number's its own."""
    number = (number * _MIX) & _MASK
    return ((number ^ (number >> 31)) * 0xBF58476D1CE4E5B9) & _MASK


def render(
    jobs: list[Job], index: int, submit_ms: int, end_ms: int | None, now_ms: int, workspace_id: bytes
) -> tuple[bytes, int, bytes]:
    """Return a run's id, end and row."""
    bits = mix(index)
    job = jobs[bits % JOBS]
    if end_ms is None:
        end_ms = submit_ms + min(LONGEST_MS, job.typical_ms * (500 + (bits >> 20) % 1000) // 1000) + 1
    run_id = b"jr-%016x" % bits
    seconds = (end_ms - submit_ms) // 1000 + 1
    vcore_seconds = seconds * job.vcores
    cu_hours = b"%d.%06d" % divmod(vcore_seconds * 250, 1_000_000)
    month, day_of_month = divmod((submit_ms - START_MS) // DAY_MS, 28)
    day = b"2026-%02d-%02d" % (month % 12 + 1, day_of_month + 1)
    name = b"%s_%s_%d" % (job.name, day, index)
    if end_ms > now_ms:
        fields = (run_id, workspace_id, name, submit_ms, vcore_seconds, vcore_seconds * 4096, cu_hours)
        return run_id, end_ms, job.running % (*fields, day, *(workspace_id, run_id) * 5)
    state = (b"Failed", b"ERR-100007", b"connection refused") if bits % 33 == 0 else (b"Success", b"0", b"")
    fields_ended = (run_id, workspace_id, name, *state, submit_ms, end_ms, vcore_seconds, vcore_seconds * 4096, cu_hours)
    return run_id, end_ms, job.final % (*fields_ended, day, *(workspace_id, run_id) * 5)


def make_jobs() -> list[Job]:
    """Return the job definitions, the same at each call."""
    chance = random.Random(2026)
    return [_make_job(chance, number) for number in range(JOBS)]


def _make_job(chance: random.Random, number: int) -> Job:
    team = chance.choice(("data-platform", "growth", "risk", "ml-platform", "finance"))
    subject = chance.choice(("orders", "sessions", "payments", "retention", "ledger", "device_graph", "ctr_features"))
    name = f"{chance.choice(('ods', 'dwd', 'dws', 'ads'))}_{subject}_{chance.choice(('di', 'df', '1d'))}_{number:03d}"
    cores, gib, executors = chance.choice((2, 4, 8)), chance.choice((8, 16, 32)), chance.choice((1, 2, 4, 8, 16))
    items = (
        ("spark-defaults.conf", "spark.sql.shuffle.partitions", str(chance.choice((200, 400, 1000)))),
        ("hive-site.xml", "hive.metastore.type", chance.choice(("DLF", "HMS"))),
    )
    confs = (
        f"spark.driver.memory={gib}g",
        f"spark.executor.cores={cores}",
        f"spark.executor.memory={gib}g",
        f"spark.executor.instances={executors}",
    )
    driver = {
        "entryPoint": f"oss://acme-jobs/{team}/{name}.jar",
        "entryPointArguments": ["--bizdate", "@day", "--output", f"oss://acme-warehouse/{team}/{name}/"],
        "sparkSubmitParameters": f"--class com.acme.{subject}.Main " + " ".join(f"--conf {conf}" for conf in confs),
    }
    shared = {
        "codeType": "JAR",
        "creator": f"1509789347{chance.randrange(10**8):08d}",
        "priority": "5",
        "resourceQueueId": chance.choice(("root_queue", "prod_queue", "adhoc_queue")),
        "releaseVersion": "esr-4.2.0 (Spark 3.5.2, Scala 2.12)",
        "displayReleaseVersion": "esr-4.2.0 (Spark 3.5.2, Scala 2.12)",
        "fusion": True,
        "executionTimeoutSeconds": 21_600,
        "tags": [
            {"key": "team", "value": team},
            {"key": "environment", "value": "production"},
            {"key": "workflow", "value": f"nightly_{subject}"},
        ],
        "configurationOverrides": {
            "configurations": [
                dict(zip(("configFileName", "configItemKey", "configItemValue"), item, strict=True)) for item in items
            ]
        },
        "jobDriver": {"sparkSubmit": driver},
    }
    typical_ms = int(min(LONGEST_MS, max(8_000, chance.lognormvariate(13.0, 1.2))))
    final, running = _template(shared, is_open=False), _template(shared, is_open=True)
    return Job(final, running, name.encode(), typical_ms, cores * (executors + 1))


def _template(shared: Mapping[str, object], *, is_open: bool) -> bytes:
    if is_open:
        head = b'"state":"Running","submitTime":%d'
        place, query = (
            "https://emr-spark-logs.oss-cn-hangzhou.aliyuncs.com",
            "?Expires=1770000000&OSSAccessKeyId=made-up&Signature=made-up",
        )
        web_ui = "https://emr-spark-ui-cn-hangzhou.data.aliyun.com/workspace/@w/@r?token=made-up"
    else:
        head = b'"state":"%s","stateChangeReason":{"code":"%s","message":"%s"},"submitTime":%d,"endTime":%d'
        place, query = "oss://emr-logs", ""
        web_ui = "https://emr-spark-ui-cn-hangzhou.data.aliyun.com/history/@w/@r"
    files = {"driverStdOut": "stdout", "driverStdError": "stderr", "driverSyslog": "syslog", "driverStartup": "startup"}
    logs = {name: f"{place}/@w/@r/{file}.log{query}" for name, file in files.items()}
    rest = (
        orjson.dumps({**shared, "webUI": web_ui, "log": logs}).replace(b"@w", b"%s").replace(b"@r", b"%s").replace(b"@day", b"%s")
    )
    figures = b'"vcoreSeconds":%d,"mbSeconds":%d,"cuHours":%s'
    return b'{"jobRunId":"%s","workspaceId":"%s","name":"%s",' + head + b"," + figures + b"," + rest[1:]
