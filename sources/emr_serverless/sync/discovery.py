"""Which workspaces a load reads: those that the regions list, the settings name, and earlier loads have read. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..api.errors import EmrServerlessError
from ..arrow.decode import Records
from ..resources.workspaces import WORKSPACES
from .missing_workspaces import check_forgotten, missing_workspaces, none_visible, not_visible
from .options import SourceSettings
from .tasks import Task, WindowResult
from .windows import list_window


class Discovery:
    """Collects the lists of workspaces of all regions.

    Args:
        source_settings: the regions, and the workspaces where they are named.
        forgotten: workspaces that are gone and no longer reported as missing.
        state: what earlier loads saved, see checkpoint.py.

    Raises:
        CheckSettingsError: no earlier load has read one of the workspaces to forget.
    """

    def __init__(self, source_settings: SourceSettings, forgotten: tuple[str, ...], state: Mapping[str, Any]) -> None:
        check_forgotten(forgotten, state)
        self._settings = source_settings
        self._forgotten = forgotten
        self._state = state
        self._region_of: dict[str, str] = {}
        self._results: list[WindowResult] = []
        self._unlisted: dict[str, EmrServerlessError] = {}

    def first_tasks(self) -> list[Task]:
        """Return the list of each region."""
        return [Task(list_window(WORKSPACES, region_id)) for region_id in self._settings.region_ids]

    def take(self, page: Records, region_id: str) -> None:
        """Take a page of a region's list."""
        self._region_of |= dict.fromkeys(page.column(str(WORKSPACES.row_id.path)), region_id)

    def settle(self, result: WindowResult) -> bool:
        """Take the result of a region's list; return whether it was the last one."""
        self._results.append(result)
        if result.error:
            self._unlisted[result.task.window.region_id] = result.error
        return len(self._results) == len(self._settings.region_ids)

    @property
    def needs_no_list(self) -> bool:
        """Whether the workspaces and their region are given, so that the permission to list them is not needed."""
        return bool(self._settings.workspace_ids) and len(self._settings.region_ids) == 1

    def results(self) -> list[WindowResult]:
        """Return the results of all lists; where no workspace is visible at all, they say so."""
        if not self._region_of and not self._unlisted and not self._settings.workspace_ids:
            for result in self._results:
                result.status, result.error = "failed", none_visible(result.task.window.region_id)
        return self._results

    def wanted(self) -> dict[str, str]:
        """Return the region of each workspace to load.

        Raises:
            EmrServerlessError: no list could be read, and the workspaces are not given.
        """
        regions, named = self._settings.region_ids, self._settings.workspace_ids
        unlisted = self._unlisted
        if self.needs_no_list and unlisted:
            return dict.fromkeys(named, regions[0])
        if len(unlisted) == len(regions):
            raise unlisted[regions[0]]
        return {name: self._region_of[name] for name in named or self._region_of if name in self._region_of}

    def missing(self) -> dict[str, EmrServerlessError]:
        """Return the workspaces that earlier loads read and that are not visible now.

        Raises:
            CheckSettingsError: a workspace to forget is visible.
        """
        visible = {*self._region_of, *self.wanted()}
        return missing_workspaces(self._settings, self._forgotten, self._state, visible, self._unlisted)

    def unknown(self) -> dict[str, EmrServerlessError]:
        """Return the workspaces that the settings name and that are not visible."""
        wanted = self.wanted()
        return {name: not_visible(name, self._settings.region_ids) for name in self._settings.workspace_ids if name not in wanted}
