"""ListMembers: who may use a workspace; names the creators of job runs."""

from __future__ import annotations

import json
from typing import Final

from .declaration import Field, Resource, Snapshot, Token


def uid_of(member_arn: str) -> str:
    """Return the UID at the end of acs:emr::<workspace>:member/<uid>."""
    return member_arn.rpartition("/")[2]


def role_names(roles: str) -> str:
    """Return the names in the API's list of roles, as JSON; any other value is returned as it is."""
    try:
        return json.dumps([role["roleName"] for role in json.loads(roles)], ensure_ascii=False)
    except (ValueError, TypeError, KeyError):
        return roles


MEMBERS: Final = Resource(
    table="members",
    description="One row for each member of a workspace that was ever listed: its latest known version.",
    operation="ListMembers",
    path="/api/v1/auth/{workspace_id}/members",
    rows="members",
    paging=Token(page_rows=100),
    strategy=Snapshot(),
    parent="workspace",
    key=("workspace_id", "user_id"),
    left_out={"actions": "What the caller may do with the member, not what the member is."},
    fields=(
        Field("user_id", "memberArn", "text", "UID of the user: `creator` of a job run.", mask="plain", parse=uid_of),
        Field("user_name", "userName", "text", "Name by which the user signs in."),
        Field("display_name", "displayName", "text", "Name that the console shows."),
        Field("user_type", "userType", "text", "Kind of the user, such as MEMBER."),
        Field("role_names", "roles", "text", "Names of the roles, a JSON list.", parse=role_names),
        Field("visible", "visible", "bool", "Whether the console shows the member."),
        Field("create_time", "createTime", "timestamp", "When the user became a member, UTC."),
    ),
)
