"""Declarations have the fields of the vendor's SDK, except those that are excluded with a reason."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
from alibabacloud_emr_serverless_spark20230808 import models

from emr_serverless.arrow.decode import read_rows
from emr_serverless.arrow.schema import shape_of
from emr_serverless.resources import RESOURCES
from emr_serverless.resources.declaration import Resource

# A value of each type of the SDK's; its texts may be numbers of ours.
SAMPLES: dict[str, Any] = {"str": "1", "int": 1, "float": 1.5, "bool": True}
LIST = re.compile(r"List\[(.+)\]")


def sample(annotation: str) -> Any:
    """Return a value of a type of the SDK's, with every field that it has."""
    if found := LIST.fullmatch(annotation):
        return [sample(found[1])]
    if annotation in SAMPLES:
        return SAMPLES[annotation]
    model = getattr(models, annotation.removeprefix("main_models."))
    arguments = inspect.signature(model.__init__).parameters
    return model(**{name: sample(argument.annotation) for name, argument in arguments.items() if name != "self"})


def sample_row(resource: Resource) -> dict[str, Any]:
    """Return a row of the SDK's with every field that it has."""
    body = getattr(models, f"{resource.operation}ResponseBody")
    (of_rows,) = [
        argument.annotation
        for name, argument in inspect.signature(body.__init__).parameters.items()
        if name.replace("_", "") == resource.rows.lower()
    ]
    row: dict[str, Any] = sample(of_rows)[0].to_map()
    return row


def paths(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of every value in JSON, or in a shape, that has no others in it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        yield from paths(value[0], f"{path}[]")
    else:
        yield path


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.table)
def test_every_sdk_field_is_declared_or_excluded_with_a_reason(resource: Resource) -> None:
    row = sample_row(resource)
    assert len(row) > 5
    assert read_rows([row], resource, {}).unknown_paths() == {}
    assert resource.left_out.keys() <= row.keys() - shape_of(resource).keys()
    assert all(resource.left_out.values())


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.table)
def test_every_declared_field_is_an_sdk_field(resource: Resource) -> None:
    known = set(paths(sample_row(resource)))
    for path in paths(shape_of(resource)):
        # What is a text of ours may be an object or a list of theirs.
        assert any(found == path or found.startswith((f"{path}.", f"{path}[")) for found in known), path
