"""Records of the API as Arrow tables, a batch of pages at a time.

Nothing is masked yet: that is done to the tables, see redaction/arrow.py, and before anything is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from .decode import Records
from .schema import CU_HOURS, INTEGER, RAW_TABLES, TEXT, TIMESTAMP

# Columns, each with its place in the API's records.
Places = Mapping[str, tuple[str, ...]]
_MILLISECONDS: Final = pa.timestamp("ms", tz="UTC")
_JOB_RUN_COLUMNS: Final[Places] = {
    "name": ("name",),
    "state": ("state",),
    "state_change_code": ("stateChangeReason", "code"),
    "state_change_message": ("stateChangeReason", "message"),
    "submit_time": ("submitTime",),
    "end_time": ("endTime",),
    "code_type": ("codeType",),
    "web_ui": ("webUI",),
    "execution_timeout_seconds": ("executionTimeoutSeconds",),
    "creator": ("creator",),
    "release_version": ("releaseVersion",),
    "display_release_version": ("displayReleaseVersion",),
    "fusion": ("fusion",),
    "vcore_seconds": ("vcoreSeconds",),
    "mb_seconds": ("mbSeconds",),
    "cu_hours": ("cuHours",),
    "resource_queue_id": ("resourceQueueId",),
    "priority": ("priority",),
    "entry_point": ("jobDriver", "sparkSubmit", "entryPoint"),
    "spark_submit_parameters": ("jobDriver", "sparkSubmit", "sparkSubmitParameters"),
}
_LOG_COLUMNS: Final[Places] = {
    "driver_std_out": ("log", "driverStdOut"),
    "driver_std_error": ("log", "driverStdError"),
    "driver_syslog": ("log", "driverSyslog"),
    "driver_startup": ("log", "driverStartup"),
}
_OBSERVATION_COLUMNS: Final[Places] = {
    name: _JOB_RUN_COLUMNS[name] for name in ("state", "vcore_seconds", "mb_seconds", "cu_hours")
}
_WORKSPACE_COLUMNS: Final[Places] = {
    "workspace_id": ("workspaceId",),
    "workspace_name": ("workspaceName",),
    "workspace_status": ("workspaceStatus",),
    "state_change_code": ("stateChangeReason", "code"),
    "state_change_message": ("stateChangeReason", "message"),
    "fail_reason": ("failReason",),
    "release_type": ("releaseType",),
    "create_time": ("createTime",),
    "end_time": ("endTime",),
    "payment_type": ("paymentType",),
    "payment_status": ("paymentStatus",),
    "payment_duration_unit": ("paymentDurationUnit",),
    "duration": ("duration",),
    "auto_renew": ("autoRenew",),
    "auto_renew_period": ("autoRenewPeriod",),
    "auto_renew_period_unit": ("autoRenewPeriodUnit",),
    "resource_spec": ("resourceSpec",),
    "resource_group_id": ("resourceGroupId",),
    "storage": ("storage",),
    "dlf_catalog_id": ("dlfCatalogId",),
    "dlf_type": ("dlfType",),
    "ip_white_list": ("ipWhiteList",),
    "gpu_spec": ("gpuSpec",),
    "pre_paid_quota_instance_id": ("prePaidQuota", "instanceId"),
    "pre_paid_quota_order_id": ("prePaidQuota", "orderId"),
    "pre_paid_quota_payment_status": ("prePaidQuota", "paymentStatus"),
    "pre_paid_quota_auto_renewal": ("prePaidQuota", "autoRenewal"),
    "pre_paid_quota_create_time": ("prePaidQuota", "createTime"),
    "pre_paid_quota_expire_time": ("prePaidQuota", "expireTime"),
    "pre_paid_quota_max_resource": ("prePaidQuota", "maxResource"),
    "pre_paid_quota_allocated_resource": ("prePaidQuota", "allocatedResource"),
    "pre_paid_quota_used_resource": ("prePaidQuota", "usedResource"),
    "pre_paid_quota_gpu": ("prePaidQuotaGpu",),
    "tags": ("tags",),
}
# Child tables: the list they come from, and the place of each column in its items.
_CHILDREN: Final[Mapping[str, tuple[tuple[str, ...], Places]]] = {
    "job_run_tags": (("tags",), {"tag_key": ("key",), "tag_value": ("value",)}),
    "job_run_configurations": (
        ("configurationOverrides", "configurations"),
        {
            "config_file_name": ("configFileName",),
            "config_item_key": ("configItemKey",),
            "config_item_value": ("configItemValue",),
        },
    ),
    "job_run_arguments": (("jobDriver", "sparkSubmit", "entryPointArguments"), {"argument": ()}),
}


@dataclass(frozen=True)
class Origin:
    """Where and when a page came from."""

    region_id: str
    workspace_id: str
    observed_at: datetime


Pages = Sequence[tuple[Origin, Records]]


def job_run_tables(pages: Pages) -> dict[str, pa.Table]:
    """Return pages of ListJobRuns as `job_runs` and its four child tables, without `_dlt_load_id` and digests."""
    batch = _Batch(pages)
    runs = batch.columns("job_runs", _JOB_RUN_COLUMNS)
    runs["arguments_digest"] = pa.nulls(len(batch.values), TEXT)
    logs = batch.columns("job_run_logs", _LOG_COLUMNS)
    logs["_deleted"] = reduce(pc.and_, [pc.is_null(column) for column in logs.values()])
    return {
        "job_runs": batch.table("job_runs", runs),
        "job_run_logs": batch.table("job_run_logs", logs),
        **{name: batch.children(name) for name in _CHILDREN},
    }


def workspaces_table(pages: Pages) -> pa.Table:
    """Return pages of ListWorkspaces as `workspaces`, without `_dlt_load_id`."""
    batch = _Batch(pages)
    return batch.table("workspaces", batch.columns("workspaces", _WORKSPACE_COLUMNS))


def observations_table(pages: Pages) -> pa.Table:
    """Return what was seen of runs just then as `job_run_observations`; a run that is not answered for has no state."""
    batch = _Batch(pages)
    return batch.table("job_run_observations", batch.columns("job_run_observations", _OBSERVATION_COLUMNS))


class _Batch:
    """Some pages' records end to end."""

    def __init__(self, pages: Pages) -> None:
        self.values: pa.StructArray = pa.concat_arrays([records.values for _, records in pages])

        def of_origin(name: str, kind: pa.DataType) -> pa.Array:
            return pa.concat_arrays(
                [pa.repeat(pa.scalar(getattr(origin, name), kind), len(records)) for origin, records in pages]
            )

        self._shared = {
            "workspace_id": of_origin("workspace_id", TEXT),
            "region_id": of_origin("region_id", TEXT),
            "observed_at": of_origin("observed_at", TIMESTAMP),
            "extra": pa.concat_arrays([records.extra for _, records in pages]),
        }
        if "jobRunId" in self.values.type.names:
            self._shared["job_run_id"] = self.values.field("jobRunId")

    def columns(self, table: str, places: Places) -> dict[str, pa.Array]:
        """Return columns by name, each from its place in the records."""
        schema = RAW_TABLES[table].page_schema
        return {
            name: _typed(pc.struct_field(self.values, list(place)), schema.field(name).type) for name, place in places.items()
        }

    def children(self, table: str) -> pa.Table:
        """Return a child table of indexed items: the items of each run in order, or a tombstone for a run without any."""
        list_place, places = _CHILDREN[table]
        lists = pc.struct_field(self.values, list(list_place))
        items = lists.flatten()
        counts = pc.fill_null(pc.list_value_length(lists), 0).cast(INTEGER)
        starts = pc.subtract(pc.cumulative_sum(counts), counts)
        owners = pc.list_parent_indices(lists)
        index = pc.subtract(_positions(len(owners)), starts.take(owners))
        childless = pc.indices_nonzero(pc.equal(counts, 0)).cast(INTEGER)
        columns = {name: _lengthen(_item_column(items, place), len(childless)) for name, place in places.items()}
        columns[RAW_TABLES[table].primary_key[-1]] = pc.fill_null(_lengthen(index, len(childless)), 0)
        columns["_deleted"] = pa.concat_arrays(
            [pa.repeat(value, rows) for value, rows in ((False, len(owners)), (True, len(childless)))]
        )
        owners = pa.concat_arrays([owners, childless])
        # Stable: the items of a run stay in order.
        order = pc.sort_indices(owners)
        return self.table(table, {name: column.take(order) for name, column in columns.items()}, owners.take(order))

    def table(self, name: str, columns: Mapping[str, pa.Array], owners: pa.Array | None = None) -> pa.Table:
        """Return a table from its columns; what is known of the page or run is added, by the run's position where given."""
        schema = RAW_TABLES[name].page_schema
        arrays = dict(columns)
        for column in schema.names:
            if column not in columns:
                shared = self._shared[column]
                arrays[column] = shared if owners is None else shared.take(owners)
        return pa.Table.from_arrays([arrays[column] for column in schema.names], schema=schema)


def _typed(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if kind == TIMESTAMP:
        # The API may say 0 for no time.
        return pc.if_else(pc.equal(column, 0), None, column).cast(_MILLISECONDS).cast(TIMESTAMP)
    # To the nearest millionth, which is the API's own resolution of CU-hours.
    return column.cast(CU_HOURS) if kind == CU_HOURS else column


def _item_column(items: pa.Array, place: tuple[str, ...]) -> pa.Array:
    # An argument that is null is empty: a command line has no other nothing.
    return pc.struct_field(items, list(place)) if place else pc.fill_null(items, "")


def _positions(length: int) -> pa.Array:
    return pc.subtract(pc.cumulative_sum(pa.repeat(pa.scalar(1, INTEGER), length)), 1)


def _lengthen(column: pa.Array, rows: int) -> pa.Array:
    return pa.concat_arrays([column, pa.nulls(rows, column.type)])
