"""The API's rows as Arrow tables, page by page. Whatever has no column, or does not fit its column, goes to `extra`.

Nothing is masked yet: that is done to whole batches, see masking.py, and before anything is written.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, repeat
from typing import Any, Final

import pyarrow as pa

from .columns import LAST_MS, as_text, fit_timestamp, json_text, typed_column
from .settings import OPEN_STATES
from .tables import BOOLEAN, INTEGER, RAW_TABLES, TEXT, TIMESTAMP

Row = dict[str, Any]
Extras = list[dict[str, Any]]
_EMPTY: Final[Row] = {}
_NOTHING: Final = (_EMPTY,)
_POSITION: Final = re.compile(r"\[\d+\]")

# Column, and where the API keeps it: the object inside the row ("" for the row itself) and the name there.
_JOB_RUN_COLUMNS: Final = {
    "name": ("", "name"),
    "state": ("", "state"),
    "state_change_code": ("stateChangeReason", "code"),
    "state_change_message": ("stateChangeReason", "message"),
    "submit_time": ("", "submitTime"),
    "end_time": ("", "endTime"),
    "code_type": ("", "codeType"),
    "web_ui": ("", "webUI"),
    "execution_timeout_seconds": ("", "executionTimeoutSeconds"),
    "creator": ("", "creator"),
    "release_version": ("", "releaseVersion"),
    "display_release_version": ("", "displayReleaseVersion"),
    "fusion": ("", "fusion"),
    "vcore_seconds": ("", "vcoreSeconds"),
    "mb_seconds": ("", "mbSeconds"),
    "cu_hours": ("", "cuHours"),
    "resource_queue_id": ("", "resourceQueueId"),
    "priority": ("", "priority"),
    "entry_point": ("sparkSubmit", "entryPoint"),
    "spark_submit_parameters": ("sparkSubmit", "sparkSubmitParameters"),
}
_LOG_COLUMNS: Final = {
    "driver_std_out": ("log", "driverStdOut"),
    "driver_std_error": ("log", "driverStdError"),
    "driver_syslog": ("log", "driverSyslog"),
    "driver_startup": ("log", "driverStartup"),
}
_WORKSPACE_COLUMNS: Final = {
    "workspace_name": ("", "workspaceName"),
    "workspace_status": ("", "workspaceStatus"),
    "state_change_code": ("stateChangeReason", "code"),
    "state_change_message": ("stateChangeReason", "message"),
    "fail_reason": ("", "failReason"),
    "release_type": ("", "releaseType"),
    "create_time": ("", "createTime"),
    "end_time": ("", "endTime"),
    "payment_type": ("", "paymentType"),
    "payment_status": ("", "paymentStatus"),
    "payment_duration_unit": ("", "paymentDurationUnit"),
    "duration": ("", "duration"),
    "auto_renew": ("", "autoRenew"),
    "auto_renew_period": ("", "autoRenewPeriod"),
    "auto_renew_period_unit": ("", "autoRenewPeriodUnit"),
    "resource_spec": ("", "resourceSpec"),
    "resource_group_id": ("", "resourceGroupId"),
    "storage": ("", "storage"),
    "dlf_catalog_id": ("", "dlfCatalogId"),
    "dlf_type": ("", "dlfType"),
    "ip_white_list": ("", "ipWhiteList"),
    "gpu_spec": ("", "gpuSpec"),
    "pre_paid_quota_instance_id": ("prePaidQuota", "instanceId"),
    "pre_paid_quota_order_id": ("prePaidQuota", "orderId"),
    "pre_paid_quota_payment_status": ("prePaidQuota", "paymentStatus"),
    "pre_paid_quota_auto_renewal": ("prePaidQuota", "autoRenewal"),
    "pre_paid_quota_create_time": ("prePaidQuota", "createTime"),
    "pre_paid_quota_expire_time": ("prePaidQuota", "expireTime"),
    "pre_paid_quota_max_resource": ("prePaidQuota", "maxResource"),
    "pre_paid_quota_allocated_resource": ("prePaidQuota", "allocatedResource"),
    "pre_paid_quota_used_resource": ("prePaidQuota", "usedResource"),
    "pre_paid_quota_gpu": ("", "prePaidQuotaGpu"),
    "tags": ("", "tags"),
}
_OBSERVATION_COLUMNS: Final = {name: _JOB_RUN_COLUMNS[name] for name in ("state", "vcore_seconds", "mb_seconds", "cu_hours")}
_TAG_COLUMNS: Final = {"tag_key": "key", "tag_value": "value"}
_CONFIGURATION_COLUMNS: Final = {
    "config_file_name": "configFileName",
    "config_item_key": "configItemKey",
    "config_item_value": "configItemValue",
}
_CHILD_COLUMNS: Final[Mapping[str, Mapping[str, str]]] = {
    "job_run_tags": _TAG_COLUMNS,
    "job_run_configurations": _CONFIGURATION_COLUMNS,
    "job_run_arguments": {"argument": ""},
}
# Objects and lists of a run that have columns or tables of their own.
_NESTED: Final = ("stateChangeReason", "log", "jobDriver", "configurationOverrides", "tags")


def _known_fields(columns: Mapping[str, tuple[str, str]]) -> dict[str, frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for group, field in columns.values():
        groups.setdefault(group, set()).add(field)
    return {group: frozenset(fields) for group, fields in groups.items()}


_JOB_RUN_FIELDS: Final = _known_fields({**_JOB_RUN_COLUMNS, **_LOG_COLUMNS})
_JOB_RUN_ROW: Final = _JOB_RUN_FIELDS[""] | {"workspaceId", "jobRunId", *_NESTED}
_WORKSPACE_FIELDS: Final = _known_fields(_WORKSPACE_COLUMNS)
_WORKSPACE_ROW: Final = _WORKSPACE_FIELDS[""] | {"workspaceId", "regionId", "stateChangeReason", "prePaidQuota"}
_DRIVER_FIELDS: Final = frozenset({"sparkSubmit"})
_SUBMIT_FIELDS: Final = _JOB_RUN_FIELDS["sparkSubmit"] | {"entryPointArguments"}
_OVERRIDE_FIELDS: Final = frozenset({"configurations"})


def run_end_ms(row: Row) -> int | None:
    """Return a run's end in epoch milliseconds, or None while it has none: the API may say null, 0 or nothing."""
    end = row.get("endTime")
    return (end if type(end) is int and 0 < end <= LAST_MS else fit_timestamp(end)) if end else None


def is_open(row: Row) -> bool:
    """Tell whether a run may still change state: an open state, or no end time."""
    return row.get("state") in OPEN_STATES or run_end_ms(row) is None


@dataclass(frozen=True)
class Origin:
    """Where and when a page came from."""

    region_id: str
    workspace_id: str
    observed_at: datetime


def job_run_tables(rows: list[Row], origin: Origin, unknown: Counter[str]) -> dict[str, pa.Table]:
    """Return one page of ListJobRuns as `job_runs` and its four child tables, without `_dlt_load_id`.

    Args:
        rows: distinct runs, each with a `jobRunId` that is text.
        origin: of all of them.
        unknown: counts what has no column, or does not fit it, by its place in the response.
    """
    extras = _unknown_fields(rows, _JOB_RUN_ROW)
    _keep_other(rows, "workspaceId", origin.workspace_id, extras)
    drivers = _objects(rows, "jobDriver", _DRIVER_FIELDS, extras)
    overrides = _objects(rows, "configurationOverrides", _OVERRIDE_FIELDS, extras)
    groups = {
        "": rows,
        "stateChangeReason": _objects(rows, "stateChangeReason", _JOB_RUN_FIELDS["stateChangeReason"], extras),
        "log": _objects(rows, "log", _JOB_RUN_FIELDS["log"], extras),
        "sparkSubmit": _objects(drivers, "sparkSubmit", _SUBMIT_FIELDS, extras),
    }
    page = _Page(groups, extras, origin)
    tables = {
        "job_run_tags": page.children("job_run_tags", _lists(rows, "tags", _TAG_COLUMNS, extras)),
        "job_run_logs": page.logs(),
        "job_run_configurations": page.children(
            "job_run_configurations", _lists(overrides, "configurations", _CONFIGURATION_COLUMNS, extras)
        ),
        "job_run_arguments": page.children("job_run_arguments", _arguments(groups["sparkSubmit"], extras)),
    }
    columns = page.columns("job_runs", _JOB_RUN_COLUMNS)
    columns["arguments_digest"] = pa.nulls(len(rows), TEXT)
    columns["extra"] = _extra_texts(extras)
    for extra in filter(None, extras):
        unknown.update(_POSITION.sub("[]", path) for path in extra)
    # Last, because every other table may still find something that does not fit.
    tables["job_runs"] = page.table("job_runs", columns)
    return tables


def workspaces_table(rows: list[Row], origin: Origin) -> pa.Table:
    """Return one page of ListWorkspaces as `workspaces`, without `_dlt_load_id`."""
    extras = _unknown_fields(rows, _WORKSPACE_ROW)
    _keep_other(rows, "regionId", origin.region_id, extras)
    groups = {name: rows if name == "" else _objects(rows, name, fields, extras) for name, fields in _WORKSPACE_FIELDS.items()}
    page = _Page(groups, extras, origin)
    columns = page.columns("workspaces", _WORKSPACE_COLUMNS)
    columns["workspace_id"] = pa.array([row["workspaceId"] for row in rows], TEXT)
    columns["extra"] = _extra_texts(extras)
    return page.table("workspaces", columns)


def observations_table(rows: list[Row], origin: Origin) -> pa.Table:
    """Return observations of runs: a row needs `jobRunId` only, a run that is not answered for has no state."""
    page = _Page({"": rows}, [{} for _ in rows], origin)
    return page.table("job_run_observations", page.columns("job_run_observations", _OBSERVATION_COLUMNS))


class _Page:
    """One page: the objects its columns come from, and what of them has been found not to fit."""

    def __init__(self, groups: Mapping[str, list[Row]], extras: Extras, origin: Origin) -> None:
        self._groups = groups
        self._extras = extras
        self._origin = origin
        self._run_ids: list[str] = [row.get("jobRunId", "") for row in groups[""]]

    def columns(self, table: str, places: Mapping[str, tuple[str, str]]) -> dict[str, pa.Array]:
        """Return columns by name, each from its place in the API's rows."""
        schema = RAW_TABLES[table].page_schema
        return {name: self._column(schema.field(name).type, *place) for name, place in places.items()}

    def _column(self, kind: pa.DataType, group: str, field: str) -> pa.Array:
        values = [item.get(field) for item in self._groups[group]]
        if kind == TIMESTAMP:
            values = [value or None for value in values]
        array, lost = typed_column(values, kind)
        for index in lost:
            self._extras[index][f"{group}.{field}" if group else field] = values[index]
        return array

    def logs(self) -> pa.Table:
        """Return `job_run_logs`: a row for each run, a tombstone where it has no logs."""
        columns = self.columns("job_run_logs", _LOG_COLUMNS)
        columns["_deleted"] = pa.array([not item for item in self._groups["log"]], BOOLEAN)
        return self.table("job_run_logs", columns)

    def children(self, table: str, lists: list[list[Row]]) -> pa.Table:
        """Return a child table of indexed items: the items of each run, or a tombstone for a run without any."""
        counts = [len(items) or 1 for items in lists]
        index_name, *_ = RAW_TABLES[table].primary_key[2:]
        items = list(chain.from_iterable(items or _NOTHING for items in lists))
        columns = {
            name: typed_column([item.get(field) for item in items], TEXT)[0] for name, field in _CHILD_COLUMNS[table].items()
        }
        columns[index_name] = pa.array(list(chain.from_iterable(map(range, counts))), INTEGER)
        columns["_deleted"] = pa.array(list(chain.from_iterable(map(repeat, [not items for items in lists], counts))), BOOLEAN)
        return self.table(table, columns, list(chain.from_iterable(map(repeat, self._run_ids, counts))))

    def table(self, name: str, columns: dict[str, pa.Array], run_ids: list[str] | None = None) -> pa.Table:
        """Return a table from its columns; those that every row of the page shares are added."""
        schema = RAW_TABLES[name].page_schema
        ids = self._run_ids if run_ids is None else run_ids
        shared = {
            "workspace_id": lambda: pa.repeat(pa.scalar(self._origin.workspace_id, TEXT), len(ids)),
            "job_run_id": lambda: pa.array(ids, TEXT),
            "region_id": lambda: pa.repeat(pa.scalar(self._origin.region_id, TEXT), len(ids)),
            "observed_at": lambda: pa.repeat(pa.scalar(self._origin.observed_at, TIMESTAMP), len(ids)),
        }
        arrays = [columns[name] if name in columns else shared[name]() for name in schema.names]
        return pa.Table.from_arrays(arrays, schema=schema)


def _unknown_fields(rows: list[Row], known: frozenset[str]) -> Extras:
    return [{} if row.keys() <= known else {key: row[key] for key in row.keys() - known} for row in rows]


def _keep_other(rows: list[Row], field: str, asked: str, extras: Extras) -> None:
    """Keep what a row says of its own origin where that is not what was asked."""
    for row, extra in zip(rows, extras, strict=True):
        if row.get(field, asked) != asked:
            extra[field] = row[field]


def _objects(rows: list[Row], name: str, known: frozenset[str], extras: Extras) -> list[Row]:
    """Return the object `name` of each row, an empty one where there is none; what is unknown in it goes to `extras`."""
    objects = []
    for index, row in enumerate(rows):
        value = row.get(name)
        if type(value) is not dict:
            if value is not None:
                extras[index][name] = value
            value = _EMPTY
        elif not value.keys() <= known:
            extras[index].update({f"{name}.{key}": value[key] for key in value.keys() - known})
        objects.append(value)
    return objects


def _lists(rows: list[Row], name: str, columns: Mapping[str, str], extras: Extras) -> list[list[Row]]:
    """Return the list of objects `name` of each row; what is no such list, or unknown in an item, goes to `extras`."""
    known = frozenset(columns.values())
    lists = []
    for row, extra in zip(rows, extras, strict=True):
        value = row.get(name)
        if type(value) is not list:
            if value is not None:
                extra[name] = value
            value = []
        lists.append([_item(item, f"{name}[{position}]", known, extra) for position, item in enumerate(value)])
    return lists


def _item(item: Any, path: str, known: frozenset[str], extra: Row) -> Row:
    if type(item) is not dict:
        extra[path] = item
        return _EMPTY  # its position stays
    if not item.keys() <= known:
        extra.update({f"{path}.{key}": item[key] for key in item.keys() - known})
    return item


def _arguments(submits: list[Row], extras: Extras) -> list[list[Row]]:
    lists: list[list[Row]] = []
    for submit, extra in zip(submits, extras, strict=True):
        values = submit.get("entryPointArguments")
        if values is not None and type(values) is not list:
            extra["sparkSubmit.entryPointArguments"] = values
            values = None
        lists.append([{"": as_text(value) or ""} for value in values] if values else [])
    return lists


def _extra_texts(extras: Extras) -> pa.Array:
    return pa.array([json_text(extra) if extra else None for extra in extras], TEXT)
