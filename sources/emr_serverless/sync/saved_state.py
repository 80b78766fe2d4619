"""What earlier loads saved of each workspace, and what this load saves. The layout is described in checkpoint.py. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping
from typing import Any

from .batch import Package
from .checkpoint import CURSOR_AXES, state_key
from .missing_workspaces import note_missing, note_visible
from .options import LoadOptions, SourceSettings, epoch_ms
from .ranges import Ranges, cursor_ranges
from .windows import DAY_MS, HOUR_MS
from .workspace import WorkspaceSync

State = MutableMapping[str, Any]


class SavedState:
    """Gives a load its starting point, and saves how far it has come.

    Args:
        options: of the load.
        source_settings: how far back to begin.
        state: what earlier loads saved; it is copied.
    """

    def __init__(self, options: LoadOptions, source_settings: SourceSettings, state: Mapping[str, Any]) -> None:
        self._options = options
        self._settings = source_settings
        self._state = dict(state)

    def ranges(self, region_id: str, workspace_id: str) -> Ranges:
        """Return the time ranges to read; that of start times is empty where a backfill is complete already."""
        key = state_key(region_id, workspace_id)
        checkpoint = self._checkpoint(key)
        horizon_ms, backfill = self._options.horizon_ms, self._options.backfill
        if backfill is None:
            initial_ms, lookback_ms = int(self._settings.initial_days * DAY_MS), int(self._settings.lookback_hours * HOUR_MS)
            return cursor_ranges(checkpoint, horizon_ms, initial_ms, lookback_ms)
        first, last = epoch_ms(backfill.first), min(epoch_ms(backfill.after) - 1, horizon_ms)
        through = self._state.get("backfills", {}).get(backfill.name, {}).get(key)
        if through is not None and not backfill.force:
            first = max(first, through + 1)
        unsettled = tuple((begin, end) for begin, end in checkpoint.get("unsettled", ()))
        return Ranges((first, last), None, horizon_ms, unsettled=unsettled)

    def open_runs(self, region_id: str, workspace_id: str) -> Mapping[str, int]:
        """Return the runs that were open, each with the number of consecutive loads that did not find it."""
        runs: Mapping[str, int] = self._checkpoint(state_key(region_id, workspace_id)).get("open", {})
        return runs

    def hidden_defaults(self) -> set[str]:
        """Return the parameters whose absence hides runs, as earlier loads found in any workspace."""
        checkpoints = self._state.get("checkpoints", {}).values()
        return {name for checkpoint in checkpoints for name in checkpoint.get("hidden_defaults", ())}

    def save(self, state: State, package: Package, workspaces: Collection[WorkspaceSync], missing: Collection[str]) -> None:
        """Write the cursors, as far as they are certified, and the open runs.

        Args:
            state: is changed; dlt commits it with the package.
            package: whose rows are counted.
            workspaces: those of the load.
            missing: workspaces that are not visible.
        """
        backfill = self._options.backfill
        if backfill:
            progress = state.setdefault("backfills", {}).setdefault(backfill.name, {})
            for workspace in workspaces:
                progress[state_key(workspace.region_id, workspace.workspace_id)] = workspace.through_ms("start")
            if backfill.beside:
                return
        state["settle_days"] = self._settings.settle_days
        note_missing(state, missing, self._options.forget_workspaces, self._options.name)
        for workspace in workspaces:
            key = state_key(workspace.region_id, workspace.workspace_id)
            checkpoint = state.setdefault("checkpoints", {}).setdefault(key, {})
            checkpoint["open"] = workspace.open_runs.to_save()
            checkpoint["hidden_defaults"] = sorted(workspace.defaults.to_remember())
            unsettled = workspace.unsettled(self._options.horizon_ms - int(self._settings.settle_days * DAY_MS))
            checkpoint["unsettled"] = [list(each) for each in unsettled]
            note_visible(checkpoint)
            if sent := package.sent.get(workspace.workspace_id):
                checkpoint["sent"] = {"package": package.load_id, "rows": dict(sent)}
            if backfill:
                continue
            checkpoint.setdefault("since", workspace.since_ms)
            for cursor, axis in CURSOR_AXES:
                through_ms = workspace.through_ms(axis)
                checkpoint[cursor] = max(checkpoint.get(cursor, through_ms), through_ms)

    def _checkpoint(self, key: str) -> Mapping[str, Any]:
        checkpoint: Mapping[str, Any] = self._state.get("checkpoints", {}).get(key, {})
        return checkpoint
