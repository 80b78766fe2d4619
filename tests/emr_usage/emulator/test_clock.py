"""The clock returns the time it is set to, and advances only if it is running."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from emr_usage.emulator import Clock

NOW = 1_760_000_000_123


def test_a_stopped_clock_returns_one_instant() -> None:
    clock = Clock(NOW)
    assert [clock.now_ms() for _ in range(3)] == [NOW] * 3
    assert clock.now() == datetime(2025, 10, 9, 8, 53, 20, 123000, tzinfo=UTC)


def test_the_clock_moves_in_both_directions_and_in_steps() -> None:
    clock = Clock(NOW)
    clock.advance(days=1, hours=2, minutes=3, seconds=4.5)
    assert clock.now_ms() == NOW + 86_400_000 + 2 * 3_600_000 + 3 * 60_000 + 4500
    clock.move_to(5)
    assert clock.now_ms() == 5
    clock.move_to(datetime(1970, 1, 1, 8, 0, 1, tzinfo=timezone(timedelta(hours=8))))
    assert clock.now_ms() == 1000


def test_a_datetime_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Clock(NOW).move_to(datetime(2025, 1, 1))  # noqa: DTZ001 - that is the mistake


def test_a_running_clock_continues_from_the_time_it_is_set_to(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0, 1_500_000_000, 2_000_000_000, 2_250_000_000])
    monkeypatch.setattr("time.monotonic_ns", lambda: next(ticks))
    clock = Clock(NOW, running=True)
    assert clock.now_ms() == NOW + 1500
    clock.move_to(7)
    assert clock.now_ms() == 257
