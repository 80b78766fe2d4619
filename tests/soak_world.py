"""An account of constant size that changes: in each step runs are added, end and get new tags, sometimes with a new field."""

from __future__ import annotations

import random
from itertools import count
from typing import Any

from emr_usage.emulator import Clock, Emulator, State, Variants
from small_account import DAY_MS, HOUR_MS, LIVES, NEW_TAGS, REGIONS, make_run

# The moving clock stays far behind the real one.
BEGIN_MS = 1_767_250_800_000
LONGEST_STEP_HOURS = 12
# Of each workspace in an hour.
RUNS_PER_HOUR = 1
# Queued for hours, cancelled while queued, or running for days; none runs for ever, so that the open runs do not grow in number.
STEADY_LIVES = LIVES[:4]
# The kinds of values that a new field may have.
NEW_VALUES: tuple[Any, ...] = (7, "x", {"deep": [1, "x"]}, None, [], 1.5)
# A run is found again within a day of its end, as the lookback promises; an hour less, because clocks move during loads.
RETAGGED_MS = 23 * HOUR_MS


class World:
    """The emulator of the account, and the time that passes there.

    Attributes:
        fields: how many new fields have appeared.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._numbers = count()
        self._made_until_ms = BEGIN_MS - DAY_MS
        self.fields = 0
        state = State()
        for workspace_id, region_id in REGIONS.items():
            state.add_workspace(workspace_id, region_id)
        self.emulator = Emulator(state, Clock(BEGIN_MS), variants=Variants(list_details=True), page_limit=10)
        self._submit(BEGIN_MS)

    def step(self, *, with_new_field: bool) -> None:
        """Let some hours pass."""
        before_ms = self.emulator.clock.now_ms()
        self.fields += with_new_field
        after_ms = before_ms + self._chance.randint(1, LONGEST_STEP_HOURS * HOUR_MS)
        self._submit(after_ms)
        self.emulator.clock.move_to(after_ms)
        for workspace_id in REGIONS:
            for run in self.emulator.state.runs(workspace_id):
                if run.end_ms and before_ms - RETAGGED_MS < run.end_ms <= before_ms and self._chance.random() < 0.2:
                    self.emulator.state.retag(workspace_id, run.job_run_id, self._chance.choice(NEW_TAGS))

    def _submit(self, until_ms: int) -> None:
        """Submit runs evenly until an hour after a moment: the clock moves during loads."""
        step_ms = HOUR_MS // RUNS_PER_HOUR
        while self._made_until_ms < until_ms + HOUR_MS:
            self._made_until_ms += step_ms
            for workspace_id in REGIONS:
                life = self._chance.choices(STEADY_LIVES, weights=(8, 2, 1, 1))[0]
                run = make_run(workspace_id, next(self._numbers), self._made_until_ms, life)
                if self.fields:
                    run.fields[f"field{self._chance.randrange(self.fields)}"] = self._chance.choice(NEW_VALUES)
                self.emulator.state.add(run)
