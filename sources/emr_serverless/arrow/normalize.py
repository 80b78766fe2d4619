"""Converts a row of the API value by value: what is not declared, or does not fit, goes to `extra`."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from ..resources.declaration import ASKED
from .coerce import fit
from .schema import Shape


def normalize(
    row: dict[str, Any], shape: Mapping[str, Shape], asked: Mapping[str, str], left_out: Container[str] = ()
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a row in its shape, and what has no place in it by its path.

    Args:
        row: decoded JSON.
        shape: of the resource's rows.
        asked: what was asked, by the name under which the row may repeat it.
        left_out: fields that are documented and not loaded.
    """
    extra: dict[str, Any] = {name: row[name] for name, value in asked.items() if row.get(name) not in (None, value)}
    normalized = _normalize(row, shape, "", extra)
    return normalized, {path: value for path, value in extra.items() if path not in left_out}


def asked_of(repeats: tuple[str, ...], region_id: str, workspace_id: str) -> dict[str, str]:
    """Return what was asked, by the names under which a resource's rows repeat it."""
    asked = {"region_id": region_id, "workspace_id": workspace_id}
    return {name: asked[ASKED[name]] for name in repeats}


def _normalize(value: Any, shape: Shape, path: str, extra: dict[str, Any]) -> Any:
    if value is None:
        return None
    if isinstance(shape, Mapping):
        if type(value) is dict:
            prefix = f"{path}." if path else ""
            extra.update({prefix + name: value[name] for name in value.keys() - shape.keys()})
            return {name: _normalize(value.get(name), inner, prefix + name, extra) for name, inner in shape.items()}
    elif isinstance(shape, list):
        if type(value) is list:
            return [_normalize(item, shape[0], f"{path}[{position}]", extra) for position, item in enumerate(value)]
    elif shape == "timestamp" and not value:
        return None  # the API writes null, 0 or an empty text for no time
    elif (fitted := fit(value, shape)) is not None:
        return fitted
    extra[path] = value
    return None
