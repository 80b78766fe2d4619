"""The lifecycle and figures of a run, compared with the documented examples."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emr_usage.emulator import Run, Variants, estimated_cu_hours
from emr_usage.emulator.rows import list_row

MINUTE = 60_000


@pytest.mark.parametrize(
    ("vcore_seconds", "mb_seconds", "cu_hours"),
    [
        pytest.param(8236, 33030784, 2.059, id="the documented ListJobRuns row"),
        pytest.param(780, 3513900, 0.238302, id="the documented Kyuubi row"),
        pytest.param(3600, 3600 * 1024, 0.7, id="1 GiB a core"),
        pytest.param(3600, 3600 * 2048, 0.8, id="2 GiB a core opens the second band"),
        pytest.param(3600, 3600 * 3072, 0.9, id="3 GiB a core opens the third band"),
        pytest.param(3600, 3600 * 4096, 1.0, id="4 GiB a core has no discount"),
        pytest.param(3600, 3600 * 8192, 2.0, id="8 GiB a core pays for memory"),
        pytest.param(0, 0, 0.0, id="nothing used"),
    ],
)
def test_cu_hours(vcore_seconds: int, mb_seconds: int, cu_hours: float) -> None:
    assert estimated_cu_hours(vcore_seconds, mb_seconds) == cu_hours


def test_a_run_passes_through_every_state_at_its_time() -> None:
    run = Run("w", "jr", 10, 20, 30, 40, 50, "Cancelled")
    states = {moment: run.state_at(moment) for moment in (9, 10, 19, 20, 29, 30, 39, 40, 49, 50, 1000)}
    assert states == {
        9: None,
        10: "Submitted",
        19: "Submitted",
        20: "Pending",
        29: "Pending",
        30: "Running",
        39: "Running",
        40: "Cancelling",
        49: "Cancelling",
        50: "Cancelled",
        1000: "Cancelled",
    }


def test_a_run_can_be_cancelled_while_queued() -> None:
    run = Run("w", "jr", 10, cancelling_ms=20, end_ms=30, final_state="Cancelled")
    assert [run.state_at(moment) for moment in (10, 20, 30)] == ["Submitted", "Cancelling", "Cancelled"]
    assert run.duration_ms(1000) == 0
    row = list_row(run, 1000, Variants())
    assert row is not None
    assert (row["endTime"], row["vcoreSeconds"], row["cuHours"]) == (30, None, None)


def test_a_run_whose_cancellation_failed_is_still_running() -> None:
    run = Run("w", "jr", 0, None, 0, 10, 50, "Failed", cancel_failed_ms=20, settle_ms=0, vcores=1000)
    assert [run.state_at(moment) for moment in (9, 10, 20, 49, 50)] == [
        "Running",
        "Cancelling",
        "CancelFailed",
        "CancelFailed",
        "Failed",
    ]
    assert list_row(run, 30, Variants()) == {
        "jobRunId": "jr",
        "workspaceId": "w",
        "state": "CancelFailed",
        "submitTime": 0,
        "endTime": None,
        "vcoreSeconds": 30,
        "mbSeconds": 8192 * 30 // 1000,
        "cuHours": estimated_cu_hours(30, 245),
    }


def test_figures_settle_after_the_end() -> None:
    run = Run("w", "jr", 0, None, 0, None, 60 * MINUTE, vcores=1, memory_mib=4096, settle_ms=5 * MINUTE)
    figures = [run.figures(minute * MINUTE)[0] for minute in (0, 5, 35, 60, 62, 65, 1000)]
    assert figures == [0, 0, 1800, 3300, 3420, 3600, 3600]
    assert [run.settled_by(minute * MINUTE) for minute in (60, 64, 65)] == [False, False, True]


def test_rows_have_the_fields_of_their_phase_without_hidden_ones() -> None:
    run = Run(
        "w",
        "jr",
        0,
        None,
        0,
        None,
        10,
        fields={"name": "n", "priority": "5", "cuHours": 9.5},
        open_fields={"webUI": "open"},
        final_fields={"webUI": "final", "stateChangeReason": None},
        hidden=frozenset({"priority", "vcoreSeconds", "endTime"}),
    )
    open_row, final_row = list_row(run, 5, Variants()), list_row(run, 10, Variants())
    assert open_row is not None
    assert final_row is not None
    assert (open_row["webUI"], final_row["webUI"]) == ("open", "final")
    assert open_row.keys() == {"jobRunId", "workspaceId", "state", "submitTime", "mbSeconds", "cuHours", "name", "webUI"}
    assert final_row.keys() - open_row.keys() == {"stateChangeReason"}
    assert final_row["cuHours"] == 9.5


@pytest.mark.parametrize("moments", [{"start_ms": 5}, {"start_ms": 20, "end_ms": 15}, {"pending_ms": 30, "start_ms": 20}])
def test_lifecycle_times_out_of_order_are_rejected(moments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="out of order"):
        Run("w", "jr", 10, **moments)


@settings(deadline=None)
@given(data=st.data())
def test_lifecycle_times_never_decrease(data: st.DataObject) -> None:
    moments = sorted(data.draw(st.lists(st.integers(0, 10**6), min_size=5, max_size=5)))
    names = ("pending_ms", "start_ms", "cancelling_ms", "end_ms")
    kept = {name: moment for name, moment in zip(names, moments[1:], strict=True) if data.draw(st.booleans())}
    life: dict[str, Any] = kept
    run = Run("w", "jr", moments[0], final_state="Cancelled", settle_ms=data.draw(st.integers(0, 1000)), **life)
    order = [None, "Submitted", "Pending", "Running", "Cancelling", "Cancelled"]
    at = sorted(data.draw(st.lists(st.integers(0, 2 * 10**6), min_size=2, max_size=8)))
    assert [order.index(run.state_at(moment)) for moment in at] == sorted(order.index(run.state_at(moment)) for moment in at)
    figures = [run.figures(moment) for moment in at]
    assert [f[:2] for f in figures] == sorted(f[:2] for f in figures)
