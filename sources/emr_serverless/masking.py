"""A batch of tables without its secrets: redaction.py applied to Arrow, before anything is written to disk.

Looking closely at each of a million texts would cost more than all the rest of a load. So the distinct texts of a column are
screened at once by one broad pattern, and only what it finds is looked at closely.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from .columns import json_text
from .redaction import Redactor
from .tables import TEXT

# Keys, and what the audit says of itself. Every other text is looked at; ids and names pass by their form.
PLAIN_COLUMNS: Final = frozenset(
    {
        *("workspace_id", "job_run_id", "region_id", "arguments_digest"),
        *("resource", "load", "window_id", "mode", "axis", "asked", "status", "certified_by"),
    }
)
# A value is judged by the key beside it too.
KEY_OF_VALUE: Final = {"tag_value": "tag_key", "config_item_value": "config_item_key"}
# The columns that are more than a text; the API's addresses are those of logs and of the UI.
METHODS: Final[Mapping[str, Callable[[Redactor, str], str]]] = {
    "spark_submit_parameters": lambda redactor, text: redactor.spark_submit_parameters(text),
    "extra": lambda redactor, text: json_text(redactor.unknown_fields(orjson.loads(text))),
    "entry_point": lambda redactor, text: redactor.entry_point(text),
    **dict.fromkeys(("state_change_message", "fail_reason"), lambda redactor, text: redactor.message(text)),
    **dict.fromkeys(
        ("web_ui", "driver_std_out", "driver_std_error", "driver_syslog", "driver_startup"),
        lambda redactor, text: redactor.address(text),
    ),
}


def mask_tables(tables: Mapping[str, pa.Table], redactor: Redactor) -> dict[str, pa.Table]:
    """Return a batch with every secret masked and `arguments_digest` filled in.

    Args:
        tables: by name, without `_dlt_load_id`; `job_runs` and `job_run_arguments` hold the same runs in the same order.
        redactor: knows what is a secret.
    """
    masked = {name: _mask_table(table.combine_chunks(), redactor) for name, table in tables.items()}
    if "job_run_arguments" in masked:
        arguments = _mask_arguments(masked["job_run_arguments"], redactor)
        masked["job_run_arguments"] = _replace(masked["job_run_arguments"], "argument", pa.array(_flat(arguments), TEXT))
        digests = _digests(masked["job_runs"]["entry_point"].to_pylist(), arguments)
        masked["job_runs"] = _replace(masked["job_runs"], "arguments_digest", digests)
    return masked


def _mask_table(table: pa.Table, redactor: Redactor) -> pa.Table:
    original = table
    for field in original.schema:
        if field.type != TEXT or field.name in PLAIN_COLUMNS or field.name == "argument":
            continue
        column = original[field.name]
        if field.name in KEY_OF_VALUE:
            mask_value = redactor.tag if field.name == "tag_value" else redactor.setting
            masked = _mask_values(original[KEY_OF_VALUE[field.name]], column, mask_value, redactor)
        else:
            masked = _mask_distinct(column, partial(METHODS.get(field.name, Redactor.text), redactor), redactor)
        table = _replace(table, field.name, masked)
    return table


def _suspects(texts: pa.Array, redactor: Redactor) -> list[int]:
    """Return the positions of texts that may hold a secret, or be the name of one."""
    return (
        [] if redactor.suspicion is None else pc.indices_nonzero(pc.match_substring_regex(texts, redactor.suspicion)).to_pylist()
    )


def _mask_distinct(column: pa.ChunkedArray, mask: Callable[[str], str], redactor: Redactor) -> pa.Array:
    encoded = pc.dictionary_encode(column).combine_chunks()
    texts = encoded.dictionary.to_pylist() if (suspects := _suspects(encoded.dictionary, redactor)) else []
    for position in suspects:
        texts[position] = texts[position] and mask(texts[position])
    return pa.array(texts, TEXT).take(encoded.indices) if suspects else column


def _mask_values(keys: pa.ChunkedArray, values: pa.ChunkedArray, mask: Callable[[str, str], str], redactor: Redactor) -> pa.Array:
    suspicious = pc.or_(_is_suspicious(keys, redactor), _is_suspicious(values, redactor))
    suspects = pc.indices_nonzero(suspicious).to_pylist()
    if not suspects:
        return values
    names, texts = keys.to_pylist(), values.to_pylist()
    for position in suspects:
        texts[position] = texts[position] and mask(names[position] or "", texts[position])
    return pa.array(texts, TEXT)


def _is_suspicious(column: pa.ChunkedArray, redactor: Redactor) -> pa.Array:
    encoded = pc.dictionary_encode(column).combine_chunks()
    return pc.is_in(encoded.indices, pa.array(_suspects(encoded.dictionary, redactor), encoded.indices.type))


def _mask_arguments(table: pa.Table, redactor: Redactor) -> list[list[str]]:
    """Return each run's arguments; those of a run are looked at together, since an option's value is the argument after it."""
    suspicious = _is_suspicious(table["argument"], redactor).to_pylist()
    lists: list[list[str]] = []
    suspects: set[int] = set()
    columns = (table["argument_index"].to_pylist(), table["argument"].to_pylist(), table["_deleted"].to_pylist())
    for index, argument, deleted, suspect in zip(*columns, suspicious, strict=True):
        if index == 0:
            lists.append([])
        if suspect:
            suspects.add(len(lists) - 1)
        if not deleted:
            lists[-1].append(argument)
    return [redactor.arguments(values) if run in suspects else values for run, values in enumerate(lists)]


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
