"""The operations on offer: which path is which, and what each one answers."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import ApiError
from .filters import parse_bool, parse_filter, parse_int, parse_pairs
from .paging import Page, PageRequest, RequestCounter, take_page
from .run import Run
from .state import State
from .variants import Variants

API_VERSION = "2023-08-08"
MAX_RESULTS = 100
DEFAULT_MAX_RESULTS = 20
# Not parts of a listing's identity: the token says where, the rest how much and from which gateway.
NOT_LISTING = frozenset({"nextToken", "maxResults", "regionId"})


@dataclass(frozen=True)
class Call:
    """One call of an operation, its parameters decoded."""

    operation: str
    query: Mapping[str, str]
    workspace_id: str | None = None
    job_run_id: str | None = None


@dataclass(frozen=True)
class Account:
    """What a call is answered from: the state, at one moment, under one reading of the API."""

    state: State
    now_ms: int
    variants: Variants
    page_limit: int
    counter: RequestCounter
    fault: str | None = None


ROUTES = (
    ("ListWorkspaces", re.compile(r"/api/v1/workspaces/?")),
    ("ListWorkspaceQueues", re.compile(r"/api/v1/workspaces/(?P<workspace_id>[^/]+)/queues/?")),
    ("ListJobRuns", re.compile(r"/api/v1/workspaces/(?P<workspace_id>[^/]+)/jobRuns/?")),
    ("ListMembers", re.compile(r"/api/v1/auth/(?P<workspace_id>[^/]+)/members/?")),
    ("GetJobRun", re.compile(r"/api/v1/workspaces/(?P<workspace_id>[^/]+)/jobRuns/(?P<job_run_id>[^/]+)")),
)


def route(path: str, query: Mapping[str, str]) -> Call | None:
    """The call a decoded path stands for; None when there is no such operation."""
    for operation, pattern in ROUTES:
        if found := pattern.fullmatch(path):
            return Call(operation, query, **found.groupdict())
    return None


def answer(call: Call, account: Account) -> dict[str, Any]:
    """The body of a call's answer, without its `requestId`.

    Raises:
        ApiError: What the API would refuse.
    """
    if not call.query.get("regionId"):
        raise ApiError("MissingParameter.regionId")
    return OPERATIONS[call.operation](call, account)


def list_workspaces(call: Call, account: Account) -> dict[str, Any]:
    """ListWorkspaces: the region's workspaces, by name (a part of it), state, resource group and tags."""
    query, tags = call.query, parse_pairs(call.query, "tag")
    found = [
        workspace
        for workspace in account.state.workspaces()
        if workspace["regionId"] == query["regionId"]
        and query.get("name", "") in workspace["workspaceName"]
        and query.get("state", "").lower() in {"", workspace["workspaceStatus"].lower()}
        and query.get("resourceGroupId", "") in {"", workspace["resourceGroupId"]}
        and all(_has_tag(workspace, key, value) for key, value in tags)
    ]
    found.sort(key=_workspace_key)
    page = take_page(found, _workspace_key, _asked(call, account), account.variants)
    return {"workspaces": page.items, **_totals(len(found), page, call, account)}


def list_workspace_queues(call: Call, account: Account) -> dict[str, Any]:
    """ListWorkspaceQueues: all queues of a workspace; the operation has no paging inputs."""
    workspace_id = _workspace_id(call, account)
    environment = call.query.get("environment", "")
    queues = [queue for queue in account.state.queues(workspace_id) if not environment or environment in queue["environments"]]
    return {"queues": queues, "totalCount": len(queues), "maxResults": len(queues)}


def list_members(call: Call, account: Account) -> dict[str, Any]:
    """ListMembers: one page of a workspace's members."""
    members = sorted(account.state.members(_workspace_id(call, account)), key=_member_key)
    page = take_page(members, _member_key, _asked(call, account), account.variants)
    return {"members": page.items, **_totals(len(members), page, call, account)}


def list_job_runs(call: Call, account: Account) -> dict[str, Any]:
    """ListJobRuns: one page of the runs that the filters find."""
    workspace_id = _workspace_id(call, account)
    variants, now_ms = account.variants, account.now_ms
    runs = account.state.select(workspace_id, parse_filter(call.query), now_ms, variants)
    page = take_page(_first(runs, variants), _run_key, _asked(call, account), variants)
    rows = [account.state.rendered(run, now_ms, variants) for run in page.items]
    body = {"jobRuns": rows, **_totals(len(runs), page, call, account)}
    if parse_bool(call.query, "groupByState"):
        body["aggregations"] = _count_states(runs, now_ms)
        if not variants.rows_with_groups:
            body["jobRuns"] = []
    return body


def get_job_run(call: Call, account: Account) -> dict[str, Any]:
    """GetJobRun: one run with its driver and configurations, without its figures."""
    run = account.state.run(_workspace_id(call, account), call.job_run_id or "")
    detail = account.state.detail(run, account.now_ms, account.variants) if run else None
    if detail is None:
        raise ApiError("InvalidJobRunId.NotFound", f"jobRunId: {call.job_run_id}")
    return {"jobRun": detail}


OPERATIONS: Mapping[str, Callable[[Call, Account], dict[str, Any]]] = {
    "ListWorkspaces": list_workspaces,
    "ListWorkspaceQueues": list_workspace_queues,
    "ListJobRuns": list_job_runs,
    "ListMembers": list_members,
    "GetJobRun": get_job_run,
}


def _first(runs: list[Run], variants: Variants) -> list[Run]:
    """The runs of a listing that are ever served, ascending by submit time as the listing is."""
    limit = variants.row_limit
    if limit is None or len(runs) <= limit:
        return runs
    return runs[:limit] if variants.order == "oldest" else runs[len(runs) - limit :]


def _workspace_id(call: Call, account: Account) -> str:
    workspace = account.state.workspace(call.workspace_id or "")
    # Each region is an endpoint of its own: another region's workspace is unknown here.
    if workspace is None or workspace["regionId"] != call.query["regionId"]:
        raise ApiError("InvalidWorkspaceId.NotFound", f"workspaceId: {call.workspace_id}")
    return call.workspace_id or ""


def _limit(call: Call, account: Account) -> int:
    asked = parse_int(call.query, "maxResults")
    if asked is None:
        return min(DEFAULT_MAX_RESULTS, account.page_limit)
    if asked < 1 or (asked > MAX_RESULTS and account.variants.above_limit == "refused"):
        raise ApiError("InvalidParameter", f"maxResults must be between 1 and {MAX_RESULTS}.")
    return min(asked, MAX_RESULTS, account.page_limit)


def _asked(call: Call, account: Account) -> PageRequest:
    token = call.query.get("nextToken") or None
    if account.fault == "expire_token" and token is not None:
        raise ApiError("InvalidParameter", "nextToken is expired.")
    scope = f"{call.operation} {call.workspace_id}"
    listed = sorted((name, value) for name, value in call.query.items() if name not in NOT_LISTING)
    return PageRequest(token, _limit(call, account), f"{scope} {listed}", account.counter.count(scope), fault=account.fault)


def _totals(total: int, page: Page[Any], call: Call, account: Account) -> dict[str, Any]:
    limit = account.variants.total_count_limit
    total += account.variants.total_count_excess if total else 0
    totals: dict[str, Any] = {
        "totalCount": total if limit is None else min(total, limit),
        "maxResults": _limit(call, account),
    }
    if page.next_token is not None or account.variants.last_page == "null":
        totals["nextToken"] = page.next_token
    elif account.variants.last_page == "empty":
        totals["nextToken"] = ""
    return totals


def _count_states(runs: list[Run], now_ms: int) -> dict[str, str]:
    states = [run.state_at(now_ms) or "" for run in runs]
    # The counts are documented as strings.
    return {state: str(states.count(state)) for state in sorted(set(states))}


def _has_tag(workspace: Mapping[str, Any], key: str, value: str | None) -> bool:
    return any(tag["tagKey"] == key and value in {None, tag["tagValue"]} for tag in workspace["tags"])


def _workspace_key(workspace: Mapping[str, Any]) -> tuple[int, str]:
    return workspace["createTime"], workspace["workspaceId"]


def _member_key(member: Mapping[str, Any]) -> tuple[int, str]:
    return int(member["createTime"]), member["memberArn"]


def _run_key(run: Run) -> tuple[int, str]:
    return run.key
