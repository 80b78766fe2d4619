"""The emulated account: workspaces, queues and runs. Independent of HTTP."""

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import orjson

from .filters import DAY_MS, JobRunFilter
from .index import RunIndex, run_key
from .rows import HOUR_MS, get_row, list_row
from .run import Run
from .variants import Variants
from .workspaces import member_fields, queue_fields, workspace_fields

# Parallel windows of one load are a few dozen different filters; each holds references only.
CACHED_SELECTIONS = 256


class State:
    """Everything that is true of the account, at every moment of every run's life. Safe to use from several threads.

    A run that has been added belongs to the state: `replace`, `change` and `retag` are how it becomes another.

    Attributes:
        version: Grows with every change; what was computed for another version is stale.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._workspaces: dict[str, dict[str, Any]] = {}
        self._queues: dict[str, list[dict[str, Any]]] = {}
        self._members: dict[str, list[dict[str, Any]]] = {}
        self._runs: dict[str, dict[str, Run]] = {}
        self._indexes: dict[str, RunIndex] = {}
        self._selections: OrderedDict[tuple[object, ...], list[Run]] = OrderedDict()
        self._settled_rows: dict[tuple[Variants, str, str], orjson.Fragment] = {}
        self.version = 0

    def add_workspace(
        self,
        workspace_id: str,
        region_id: str = "cn-hangzhou",
        *,
        queues: Sequence[dict[str, Any]] | None = None,
        members: Sequence[dict[str, Any]] | None = None,
        **fields: Any,
    ) -> None:
        """Add a workspace, or put another in its place; its runs stay.

        Args:
            workspace_id: Its id.
            region_id: Where it is.
            queues: Its queues in the API's shape (`workspaces.queue_fields`); by default `root_queue` and `dev_queue`.
            members: Its members in the API's shape (`workspaces.member_fields`); by default one.
            **fields: Fields of the API's shape that differ from `workspaces.workspace_fields`.
        """
        default = [queue_fields(workspace_id, region_id, name) for name in ("root_queue", "dev_queue")]
        with self._lock:
            self._workspaces[workspace_id] = workspace_fields(workspace_id, region_id) | fields
            self._queues[workspace_id] = list(default if queues is None else queues)
            self._members[workspace_id] = list(
                [member_fields(workspace_id, "150978934701", "owner", role="Owner")] if members is None else members
            )
            self._runs.setdefault(workspace_id, {})
            self.version += 1

    def withdraw_workspace(self, workspace_id: str) -> None:
        """Hide a workspace, as from a user who is no longer a member; `add_workspace` shows it again, with its runs.

        Raises:
            KeyError: There is none.
        """
        with self._lock:
            del self._workspaces[workspace_id]
            self.version += 1

    def workspaces(self) -> list[dict[str, Any]]:
        """Every workspace, in the API's shape."""
        with self._lock:
            return list(self._workspaces.values())

    def workspace(self, workspace_id: str) -> dict[str, Any] | None:
        """One workspace in the API's shape, or None."""
        with self._lock:
            return self._workspaces.get(workspace_id)

    def queues(self, workspace_id: str) -> list[dict[str, Any]]:
        """The workspace's queues, in the API's shape."""
        with self._lock:
            return list(self._queues.get(workspace_id, []))

    def members(self, workspace_id: str) -> list[dict[str, Any]]:
        """The workspace's members, in the API's shape."""
        with self._lock:
            return list(self._members.get(workspace_id, []))

    def add(self, *runs: Run) -> None:
        """Add runs; a workspace that is not there yet is added with them.

        Raises:
            ValueError: A run with that id is there already; `replace` changes one.
        """
        with self._lock:
            for run in runs:
                if run.workspace_id not in self._workspaces:
                    self.add_workspace(run.workspace_id)
                if run.job_run_id in self._runs[run.workspace_id]:
                    raise ValueError(f"{run.job_run_id} is in {run.workspace_id} already")
                self._runs[run.workspace_id][run.job_run_id] = run
            self._changed({run.workspace_id for run in runs})

    def replace(self, run: Run) -> None:
        """Replace the run with the same id, past and future.

        Raises:
            KeyError: There is none.
        """
        with self._lock:
            if run.job_run_id not in self._runs.get(run.workspace_id, {}):
                raise KeyError(run.job_run_id)
            self._runs[run.workspace_id][run.job_run_id] = run
            self._changed({run.workspace_id})

    def change(self, workspace_id: str, job_run_id: str, **changes: Any) -> Run:
        """Replace some attributes of a run; returns the run as it is now.

        Raises:
            KeyError: There is no such run.
        """
        with self._lock:
            run = dataclasses.replace(self._runs[workspace_id][job_run_id], **changes)
            self.replace(run)
            return run

    def retag(self, workspace_id: str, job_run_id: str, tags: list[dict[str, str]] | None) -> Run:
        """Give a run other tags; returns the run as it is now.

        Args:
            workspace_id: Its workspace.
            job_run_id: Its id.
            tags: `{"key":.., "value":..}` each; None is a null `tags`, an empty list an empty one.

        Raises:
            KeyError: There is no such run.
        """
        with self._lock:
            fields = self._runs[workspace_id][job_run_id].fields
            return self.change(workspace_id, job_run_id, fields=fields | {"tags": tags})

    def forget(self, workspace_id: str, job_run_id: str) -> None:
        """Stop returning a run.

        Raises:
            KeyError: There is no such run.
        """
        with self._lock:
            del self._runs[workspace_id][job_run_id]
            self._changed({workspace_id})

    def runs(self, workspace_id: str) -> list[Run]:
        """The workspace's runs, oldest submit time first, future ones included."""
        with self._lock:
            return list(self._index(workspace_id).by_submit)

    def run(self, workspace_id: str, job_run_id: str) -> Run | None:
        """One run, or None."""
        with self._lock:
            return self._runs.get(workspace_id, {}).get(job_run_id)

    def row(self, run: Run, now_ms: int, variants: Variants) -> dict[str, Any] | None:
        """The ListJobRuns row of a run as of `now_ms`; None when the API would not answer for it."""
        return list_row(run, now_ms, variants) if _is_kept(run, now_ms, variants) else None

    def detail(self, run: Run, now_ms: int, variants: Variants) -> dict[str, Any] | None:
        """The `jobRun` of GetJobRun as of `now_ms`; None when the API would not answer for it."""
        return get_row(run, now_ms, variants) if _is_kept(run, now_ms, variants) else None

    def job_run_rows(self, workspace_id: str, now_ms: int, variants: Variants) -> list[dict[str, Any]]:
        """Every ListJobRuns row of the workspace as of `now_ms`, oldest submit time first: what a table must equal."""
        rows = (self.row(run, now_ms, variants) for run in self.runs(workspace_id))
        return [row for row in rows if row is not None]

    def select(self, workspace_id: str, asked: JobRunFilter, now_ms: int, variants: Variants) -> list[Run]:
        """The runs a filter finds as of `now_ms`, oldest submit time first. The list is shared: do not change it."""
        with self._lock:
            key = (self.version, workspace_id, asked, now_ms, variants)
            found = self._selections.get(key)
            if found is None:
                found = self._find(workspace_id, asked, now_ms, variants)
                self._selections[key] = found
                if len(self._selections) > CACHED_SELECTIONS:
                    self._selections.popitem(last=False)
            return found

    def rendered(self, run: Run, now_ms: int, variants: Variants) -> orjson.Fragment | dict[str, Any]:
        """The ListJobRuns row of a submitted run, ready for orjson; rendered once where nothing changes any more."""
        key = (variants, run.workspace_id, run.job_run_id)
        if not run.settled_by(now_ms - variants.figures_delay_hours * HOUR_MS):
            return list_row(run, now_ms, variants) or {}
        with self._lock:
            version, ready = self.version, self._settled_rows.get(key)
        if ready is None:
            ready = orjson.Fragment(orjson.dumps(list_row(run, now_ms, variants)))
            with self._lock:
                if version == self.version:
                    self._settled_rows[key] = ready
        return ready

    def _index(self, workspace_id: str) -> RunIndex:
        if workspace_id not in self._indexes:
            self._indexes[workspace_id] = RunIndex(list(self._runs.get(workspace_id, {}).values()))
        return self._indexes[workspace_id]

    def _find(self, workspace_id: str, asked: JobRunFilter, now_ms: int, variants: Variants) -> list[Run]:
        candidates = self._index(workspace_id).candidates(asked, now_ms, variants)
        kept = [run for run in candidates if run.submit_ms <= now_ms and _is_kept(run, now_ms, variants)]
        return sorted((run for run in kept if asked.matches(run, now_ms, variants)), key=run_key)

    def _changed(self, workspace_ids: set[str]) -> None:
        self.version += 1
        for workspace_id in workspace_ids:
            self._indexes.pop(workspace_id, None)
        self._selections.clear()
        self._settled_rows.clear()


def _is_kept(run: Run, now_ms: int, variants: Variants) -> bool:
    if variants.retention_days is None or run.end_ms is None:
        return True
    return run.end_ms >= now_ms - variants.retention_days * DAY_MS
