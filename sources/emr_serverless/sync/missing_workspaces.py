"""Workspaces that a load should read but that are not visible: a lost membership, another region, a mistyped id. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, MutableMapping
from typing import Any

from ..api.errors import CheckSettingsError, EmrServerlessError, FindWorkspaceError, MissingWorkspaceError
from ..resources.workspaces import WORKSPACES
from .checkpoint import region_and_workspace
from .options import SourceSettings


def check_forgotten(forgotten: Iterable[str], state: Mapping[str, Any]) -> None:
    """Check that earlier loads have read the workspaces to forget.

    Raises:
        CheckSettingsError: no earlier load has read one of them.
    """
    known = {workspace_id for _, workspace_id in map(region_and_workspace, state.get("checkpoints", {}))}
    for workspace_id in forgotten:
        if workspace_id not in known:
            raise CheckSettingsError(
                f"No earlier load has read a workspace {workspace_id}, so there is nothing to forget",
                advice=f"Known workspaces: {', '.join(sorted(known)) or 'none'}.",
            )


def missing_workspaces(
    source_settings: SourceSettings,
    forgotten: Collection[str],
    state: Mapping[str, Any],
    visible: Collection[str],
    unlisted: Collection[str],
) -> dict[str, EmrServerlessError]:
    """Return the workspaces that earlier loads read in these regions and that are not visible now, with what to do.

    Args:
        source_settings: which regions and workspaces are asked.
        forgotten: workspaces that this load is to forget.
        state: what earlier loads saved, see checkpoint.py.
        visible: workspaces that are listed, or named and read without a list.
        unlisted: regions whose list could not be read.

    Raises:
        CheckSettingsError: a workspace to forget is visible.
    """
    for workspace_id in forgotten:
        if workspace_id in visible:
            raise CheckSettingsError(
                f"Workspace {workspace_id} is visible, so it is loaded and cannot be forgotten",
                advice="Leave out --forget-workspace, or name the workspaces to load with --workspace.",
            )
    regions = set(source_settings.region_ids) - set(unlisted)
    known = [
        region_and_workspace(key) for key, checkpoint in state.get("checkpoints", {}).items() if "forgotten" not in checkpoint
    ]
    return {
        workspace_id: _missing(workspace_id, region_id)
        for region_id, workspace_id in known
        if region_id in regions
        and workspace_id not in visible
        and (not source_settings.workspace_ids or workspace_id in source_settings.workspace_ids)
        and workspace_id not in forgotten
    }


def note_missing(state: Mapping[str, Any], missing: Collection[str], forgotten: Collection[str], load: str) -> None:
    """Record in the state since which load workspaces are missing, and in which load they were forgotten."""
    for key, checkpoint in state.get("checkpoints", {}).items():
        _, workspace_id = region_and_workspace(key)
        if workspace_id in missing:
            checkpoint.setdefault("missing_since", load)
        if workspace_id in forgotten:
            checkpoint.setdefault("forgotten", load)


def note_visible(checkpoint: MutableMapping[str, Any]) -> None:
    """Record that a workspace is visible; if it was missing, it continues from its cursors."""
    checkpoint.pop("missing_since", None)
    checkpoint.pop("forgotten", None)


def not_visible(workspace_id: str, regions: Iterable[str]) -> EmrServerlessError:
    """Return the error of a workspace that was named and is not there."""
    return FindWorkspaceError(f"Workspace {workspace_id} is not among those visible in {', '.join(regions)}")


def none_visible(region_id: str) -> EmrServerlessError:
    """Return the error of a list without any workspace."""
    return MissingWorkspaceError(
        f"No workspace is visible in {region_id}",
        advice=f"Check that the region is right, that the key's user or role has the RAM action {WORKSPACES.ram_action} on "
        "resource *, and that it is a member of the workspaces.",
    )


def _missing(workspace_id: str, region_id: str) -> EmrServerlessError:
    return MissingWorkspaceError(
        f"Workspace {workspace_id} was read by earlier loads and is no longer visible in {region_id}",
        advice="Make the key's user or role a member of it again; if the workspace is gone, load once with "
        f"--forget-workspace {workspace_id}.",
    )
