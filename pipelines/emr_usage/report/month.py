"""The billing month of a report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

# The product did not exist before.
_YEARS: Final = range(2000, 2100)
_MONTH: Final = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True)
class Month:
    """A billing month.

    Attributes:
        first: its first day.
    """

    first: date

    @classmethod
    def parse(cls, text: str) -> Month:
        """Return the month written as 2026-10.

        Raises:
            ValueError: it is not written so, or does not exist.
        """
        if not (written := _MONTH.fullmatch(text)):
            raise ValueError(f"{text!r} is not a month; write it as 2026-10")
        year, number = int(written[1]), int(written[2])
        if year not in _YEARS or number not in range(1, 13):
            raise ValueError(f"There is no month {text!r}; write it as 2026-10")
        return cls(date(year, number, 1))

    @classmethod
    def of_yesterday(cls, now: datetime, billing_time_zone: str) -> Month:
        """Return the month of the day before `now`: on the first day of a month, the previous month."""
        yesterday = now.astimezone(ZoneInfo(billing_time_zone)).date() - timedelta(days=1)
        return cls(yesterday.replace(day=1))

    @property
    def previous(self) -> Month:
        """The month before."""
        return Month((self.first - timedelta(days=1)).replace(day=1))

    @property
    def next(self) -> Month:
        """The month after."""
        return Month((self.first + timedelta(days=31)).replace(day=1))

    @property
    def days(self) -> list[date]:
        """Its days."""
        return [self.first + timedelta(days=number) for number in range((self.next.first - self.first).days)]

    @property
    def label(self) -> str:
        """The month in words, such as October 2026."""
        return f"{self.first:%B %Y}"

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"

    def bounds(self, billing_time_zone: str) -> tuple[datetime, datetime]:
        """Return its beginning and its exclusive end, UTC."""
        zone = ZoneInfo(billing_time_zone)
        first, after = (datetime.combine(day, time.min, zone).astimezone(UTC) for day in (self.first, self.next.first))
        return first, after
