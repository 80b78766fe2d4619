"""Open runs and late figures of a backfill are continued by the next load, which does not see the state of the backfill."""

from __future__ import annotations

from emr_serverless.sync.backfill_records import BackfillRecords, UnfinishedRun
from emr_serverless.sync.checkpoint import reconcile, state_key
from emr_serverless.sync.destination import CertifiedRange, Stored

KEY = state_key("cn-hangzhou", "w")
OPEN = UnfinishedRun("w", "cn-hangzhou", "open", "Running", None)
WITHOUT_FIGURES = UnfinishedRun("w", "cn-hangzhou", "ended", "Success", 500)
# Of a load on both axes.
RANGES = {("w", axis): [CertifiedRange(0, 999, "cn-hangzhou")] for axis in ("start", "end")}
LOADED = {"since": 1, "started_through": 900, "ended_through": 900, "stored": {"job_runs": 5}}


def test_the_first_load_knows_open_runs_of_a_backfill() -> None:
    ranges = {("w", "start"): [CertifiedRange(0, 999, "cn-hangzhou", is_of_load=False)]}
    stored = Stored({}, ranges, {("w", "job_runs"): 5}, backfills=BackfillRecords(unfinished=(OPEN, WITHOUT_FIGURES)))
    found = reconcile({}, stored).state["checkpoints"][KEY]
    assert (found["open"], found["unsettled"]) == ({"open": 0}, [[500, 500]])
    # It has certified nothing for the loads, and nothing was lost.
    assert not {"since", "started_through", "ended_through"} & found.keys()


def test_loads_find_open_runs_by_their_end_times_but_not_late_figures() -> None:
    state = {"checkpoints": {KEY: LOADED | {"open": {"other": 1}, "unsettled": [[400, 450]]}}}
    stored = Stored(state, RANGES, {("w", "job_runs"): 5}, backfills=BackfillRecords(unfinished=(OPEN, WITHOUT_FIGURES)))
    found = reconcile({}, stored).state["checkpoints"][KEY]
    assert (found["open"], found["unsettled"]) == ({"other": 1}, [[400, 450], [500, 500]])
    assert found["started_through"] == LOADED["started_through"]


def test_replaced_rows_are_not_counted_as_lost() -> None:
    sent = {"package": "10.5", "rows": {"job_runs": 3}}
    state = {"checkpoints": {KEY: LOADED | {"sent": sent}}}

    def cursor(*packages: tuple[str, str]) -> int:
        backfills = BackfillRecords(packages=frozenset(packages))
        stored = Stored(state, RANGES, {("w", "job_runs"): 5}, {("w", "job_runs", "10.5"): 1}, backfills)
        through: int = reconcile({}, stored).state["checkpoints"][KEY]["started_through"]
        return through

    assert cursor(("w", "11.5")) == LOADED["started_through"]
    # Two of three rows are gone, and no other package can have replaced them.
    assert cursor() == cursor(("v", "11.5"), ("w", "10.5")) == -1


def test_counts_of_unknown_fields_are_at_least_those_of_the_table() -> None:
    counted = {"first_ms": 1, "last_ms": 2, "reported": True}
    state = {"unknown_fields": {"job_runs": {name: counted | {"rows": 7, "reported": False} for name in ("low", "high")}}}
    table = {"job_runs": {"low": counted | {"rows": 9}, "high": counted | {"rows": 5}, "new": counted | {"rows": 1}}}
    found = reconcile({}, Stored(state, {}, {}, backfills=BackfillRecords(unknown_fields=table))).state["unknown_fields"]
    rows = {name: (field["rows"], field["reported"]) for name, field in found["job_runs"].items()}
    assert rows == {"low": (9, False), "high": (7, False), "new": (1, True)}
