"""Finds what a row has beyond its declaration, before Arrow converts the row.

Arrow refuses most values that are not of a column's type, but not all: it takes 1.5 for 1, `true` for 1.0, a text for the list of
its characters, and an empty text or list for an object without values. And it leaves out names that are not declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..resources.declaration import DataType
from .schema import Shape

_NOTHING: Final = type(None)
_NUMBER: Final[frozenset[type]] = frozenset({int, float, _NOTHING})
# Types of Python that Arrow does not tell apart well enough; the other columns are left to it.
_TYPES: Final[Mapping[DataType, frozenset[type]]] = {
    "bigint": frozenset({int, _NOTHING}),
    "timestamp": frozenset({int, _NOTHING}),
    "double": _NUMBER,
    "decimal": _NUMBER,
}
_OBJECT: Final[frozenset[type]] = frozenset({dict, _NOTHING})
_LIST: Final[frozenset[type]] = frozenset({list, _NOTHING})


@dataclass(frozen=True)
class Checker:
    """The declared names and types of a JSON object.

    Attributes:
        names: declared ones.
        types: of the values, by name.
        objects: values that are objects, by name.
        lists: values that are lists of objects, by name.
    """

    names: frozenset[str]
    types: tuple[tuple[str, frozenset[type]], ...]
    objects: tuple[tuple[str, Checker], ...]
    lists: tuple[tuple[str, Checker], ...]

    def undeclared(self, value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
        """Return what is in an object, also in the objects in it, under names that are not declared, by its path.

        Args:
            value: decoded JSON.
            prefix: of the paths: where the object is, with a dot behind it.

        Raises:
            TypeError: Arrow would take a value for another one.
        """
        for name, types in self.types:
            if type(value.get(name)) not in types:
                raise TypeError(name)
        found: dict[str, Any] = {}
        if not value.keys() <= self.names:
            found = {prefix + name: value[name] for name in value.keys() - self.names}
        for name, inner in self.objects:
            if held := value.get(name):
                found |= inner.undeclared(held, f"{prefix}{name}.")
        for name, inner in self.lists:
            for position, item in enumerate(value.get(name) or ()):
                if type(item) not in _OBJECT:
                    raise TypeError(name)
                if item:
                    found |= inner.undeclared(item, f"{prefix}{name}[{position}].")
        return found


def checker(shape: Mapping[str, Shape], left_out: Iterable[str] = ()) -> Checker:
    """Return the checker of an object's shape; names that are left out count as declared."""
    types: dict[str, frozenset[type]] = {}
    objects, lists = {}, {}
    for name, inner in shape.items():
        if isinstance(inner, Mapping):
            types[name], objects[name] = _OBJECT, checker(inner)
        elif isinstance(inner, list):
            types[name] = _LIST
            if isinstance(inner[0], Mapping):
                lists[name] = checker(inner[0])
        elif inner in _TYPES:
            types[name] = _TYPES[inner]
    return Checker(frozenset([*shape, *left_out]), tuple(types.items()), tuple(objects.items()), tuple(lists.items()))
