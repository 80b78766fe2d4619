"""Masks the secrets in a batch of Arrow tables, before anything is written to disk.

The declaration of a resource says how each column is masked, and which other column names its value.

Masking each of a million texts would take longer than the rest of a load. So the distinct texts of a column are searched at
once with one broad pattern, and only those that match are masked one by one.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from ..arrow.coerce import json_text
from ..arrow.schema import RAW_TABLES, TEXT
from .redactor import Redactor, Screen


def mask_tables(tables: Mapping[str, pa.Table], redactor: Redactor) -> dict[str, pa.Table]:
    """Return a batch with every secret masked and `arguments_digest` filled in.

    Args:
        tables: by name, without `_dlt_load_id`; `job_runs` and `job_run_arguments` hold the same runs in the same order.
        redactor: knows what is a secret.
    """
    combined = {name: table.combine_chunks() for name, table in tables.items()}
    texts = _screened(combined, redactor)
    masked = {name: _mask_table(name, table, texts, redactor) for name, table in combined.items()}
    if "job_run_arguments" in masked:
        arguments = _mask_arguments(masked["job_run_arguments"], texts["job_run_arguments", "argument"], redactor)
        masked["job_run_arguments"] = _replace(masked["job_run_arguments"], "argument", pa.array(_flat(arguments), TEXT))
        digests = _digests(masked["job_runs"]["entry_point"].to_pylist(), arguments)
        masked["job_runs"] = _replace(masked["job_runs"], "arguments_digest", digests)
    return masked


@dataclass(frozen=True)
class _Texts:
    """A column's distinct texts, which row has which, and the positions of those that may hold a secret or name one."""

    encoded: pa.DictionaryArray
    suspects: list[int]

    @property
    def suspicious_rows(self) -> pa.Array:
        return pc.is_in(self.encoded.indices, pa.array(self.suspects, self.encoded.indices.type))


def _screened(tables: Mapping[str, pa.Table], redactor: Redactor) -> dict[tuple[str, str], _Texts]:
    """Return the texts of each column that may contain a secret.

    The distinct texts of all columns are searched in one call: compiling the pattern takes longer than searching most columns.
    """
    columns: dict[Screen, dict[tuple[str, str], pa.DictionaryArray]] = {}
    for name, table in tables.items():
        for field in table.schema:
            if field.type == TEXT and RAW_TABLES[name].masks[field.name] != "plain":
                encoded = pc.dictionary_encode(table[field.name]).combine_chunks()
                columns.setdefault(redactor.screen(RAW_TABLES[name].masks[field.name]), {})[name, field.name] = encoded
    screened = {}
    for screen, group in columns.items():
        suspicious = _suspicious(pa.concat_arrays([encoded.dictionary for encoded in group.values()]), screen)
        start = 0
        for place, encoded in group.items():
            found = suspicious.slice(start, len(encoded.dictionary))
            screened[place] = _Texts(encoded, pc.indices_nonzero(found).to_pylist())
            start += len(encoded.dictionary)
    return screened


def _suspicious(texts: pa.Array, screen: Screen) -> pa.Array:
    if screen.suspicion is None:
        return pa.repeat(pa.scalar(value=False), len(texts))
    suspicious = pc.match_substring_regex(texts, screen.suspicion)
    return pc.or_(suspicious, pc.invert(pc.match_substring_regex(texts, screen.harmless))) if screen.harmless else suspicious


def _mask_table(name: str, table: pa.Table, texts: Mapping[tuple[str, str], _Texts], redactor: Redactor) -> pa.Table:
    original, declared = table, RAW_TABLES[name]
    for field in original.schema:
        column, method = texts.get((name, field.name)), declared.masks[field.name]
        if column is None or method == "arguments":
            continue
        if key := declared.named_by.get(field.name):
            suspicious = pc.or_(texts[name, key].suspicious_rows, column.suspicious_rows)
            masked = _mask_values(original[key], original[field.name], suspicious, getattr(redactor, method))
        else:
            masked = _mask_distinct(original[field.name], column, _unary(redactor, method))
        table = _replace(table, field.name, masked)
    return table


def _unary(redactor: Redactor, method: str) -> Callable[[str], str]:
    if method == "unknown_fields":
        return lambda text: json_text(redactor.unknown_fields(orjson.loads(text)))
    masks: Callable[[str], str] = getattr(redactor, method)
    return masks


def _mask_distinct(column: pa.ChunkedArray, found: _Texts, mask: Callable[[str], str]) -> pa.Array:
    if not found.suspects:
        return column
    texts = found.encoded.dictionary.to_pylist()
    for position in found.suspects:
        texts[position] = texts[position] and mask(texts[position])
    return pa.array(texts, TEXT).take(found.encoded.indices)


def _mask_values(
    keys: pa.ChunkedArray, values: pa.ChunkedArray, suspicious: pa.Array, mask: Callable[[str, str], str]
) -> pa.Array:
    suspects = pc.indices_nonzero(suspicious).to_pylist()
    if not suspects:
        return values
    names, texts = keys.to_pylist(), values.to_pylist()
    for position in suspects:
        texts[position] = texts[position] and mask(names[position] or "", texts[position])
    return pa.array(texts, TEXT)


def _mask_arguments(table: pa.Table, found: _Texts, redactor: Redactor) -> list[list[str]]:
    """Return the arguments of each run, masked together: the value of an option may be the next argument."""
    starts = _positions(pc.equal(table["argument_index"], 0))
    texts = table["argument"].to_pylist()
    lists = [texts[start:end] for start, end in pairwise([*starts, len(texts)])]
    # A tombstone is the only row of its run.
    for row in _positions(table["_deleted"]):
        lists[bisect_right(starts, row) - 1] = []
    for run in {bisect_right(starts, row) - 1 for row in _positions(found.suspicious_rows)}:
        lists[run] = redactor.arguments(lists[run])
    return lists


def _positions(flags: pa.Array | pa.ChunkedArray) -> list[int]:
    positions: list[int] = pc.indices_nonzero(flags).to_pylist()
    return positions


def _flat(lists: list[list[str]]) -> list[str | None]:
    flat: list[str | None] = []
    for values in lists:
        flat += values or (None,)
    return flat


def _digests(entry_points: list[str | None], arguments: list[list[str]]) -> pa.Array:
    return pa.array(
        [
            hashlib.sha256(orjson.dumps([entry_point, *values])).hexdigest() if values or entry_point is not None else None
            for entry_point, values in zip(entry_points, arguments, strict=True)
        ],
        TEXT,
    )


def _replace(table: pa.Table, name: str, column: pa.Array | pa.ChunkedArray) -> pa.Table:
    index = table.schema.get_field_index(name)
    return table.set_column(index, table.schema.field(index), column)
