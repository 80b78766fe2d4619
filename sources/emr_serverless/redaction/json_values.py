"""Secrets in JSON values: by the name of the field, by the key in the field beside it, or by form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from json import dumps, loads
from typing import Any

from .names import Rank
from .tokens import MASK
from .values import is_secret


class JsonMasker:
    """Masks JSON values.

    Args:
        text: masks a text by its form.
        rank: returns how secret the value of a name is.
        arguments: masks a list of texts.
        spark_submit_parameters: masks the options of spark-submit.
    """

    def __init__(
        self,
        text: Callable[[str], str],
        rank: Callable[[str], Rank],
        arguments: Callable[[Sequence[str]], list[str]],
        spark_submit_parameters: Callable[[str], str],
    ) -> None:
        self._text = text
        self._rank = rank
        self._arguments = arguments
        self._spark_submit_parameters = spark_submit_parameters

    def mask(self, value: Any) -> Any:
        """Return a JSON value masked."""
        try:
            return self._mask(value, "")
        except RecursionError:
            return MASK  # nested too deep to be read, so not shown

    def mask_document(self, text: str) -> str:
        """Return a text that is a JSON document masked by its fields; any other text unchanged."""
        try:
            document = loads(text)
            masked = self._mask(document, "")
            if masked == document:
                return text
            return dumps(masked, ensure_ascii=False, separators=None if '": ' in text else (",", ":"))
        except ValueError:
            return text
        except RecursionError:
            return MASK

    def _mask(self, value: Any, name: str) -> Any:
        """Return a JSON value masked by the names of the fields that it is in."""
        if isinstance(value, dict):
            return self._mask_fields(value, name)
        if isinstance(value, list):
            if all(isinstance(item, str) for item in value):
                value = self._arguments(value)
            return [self._mask(item, name) for item in value]
        if value is None or isinstance(value, bool):
            return value
        rank = self._rank(name) if name else Rank.NONE
        if rank and is_secret(rank, str(value)):
            return MASK
        return self._text(value) if isinstance(value, str) else value

    def _mask_fields(self, fields: dict[str, Any], parent: str) -> dict[str, Any]:
        beside = _names_beside(fields)
        masked = {}
        for field, value in fields.items():
            # Masked, a name may be that of a secret where it was none before.
            name = self._text(field)
            if field == "sparkSubmitParameters" and isinstance(value, str):
                masked[name] = self._spark_submit_parameters(value)
            else:
                named = max(beside.get(field) or field, name, key=self._rank)
                masked[name] = self._mask(value, f"{parent}.{named}" if parent else named)
        return masked


def _names_beside(fields: dict[str, Any]) -> dict[str, str]:
    """Return the name of each field's value that stands in another field.

    `{"key": .., "value": ..}`, `{"configItemKey": .., "configItemValue": ..}`, `{"name": .., "value": ..}`, `{"k": .., "v": ..}`.
    """
    named = {field[:-5].lower(): field for field in fields if field[-5:].lower() == "value"}
    names = {}
    for field, key in fields.items() if named else ():
        for ending in ("key", "name"):
            stem = field.lower().removesuffix(ending)
            if isinstance(key, str) and stem in named and stem != field.lower():
                names[named[stem]] = key
    short = {field.lower(): field for field in fields if field in ("k", "v", "K", "V")}
    if len(short) > 1 and isinstance(fields[short["k"]], str):
        names[short["v"]] = fields[short["k"]]
    return names
