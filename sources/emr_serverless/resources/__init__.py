"""The resources of the API: one file for each list operation, declarations only."""

from __future__ import annotations

from typing import Final

from .declaration import Resource
from .job_runs import JOB_RUNS
from .members import MEMBERS
from .workspace_queues import WORKSPACE_QUEUES
from .workspaces import WORKSPACES

RESOURCES: Final[tuple[Resource, ...]] = (JOB_RUNS, WORKSPACES, WORKSPACE_QUEUES, MEMBERS)
