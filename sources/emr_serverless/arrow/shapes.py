"""What the API documents of a job run and of a workspace: names and kinds, nested as in its answers (api version 2023-08-08).

A shape is a kind of column, an object (name to shape) or a list (of one shape).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import pyarrow as pa

from .schema import BOOLEAN, CU_HOURS, INTEGER, TEXT, TIMESTAMP

Shape: TypeAlias = "pa.DataType | Mapping[str, Shape] | list[Shape]"

JOB_RUN: Final[Mapping[str, Shape]] = {
    "workspaceId": TEXT,
    "jobRunId": TEXT,
    "name": TEXT,
    "state": TEXT,
    "stateChangeReason": {"code": TEXT, "message": TEXT},
    "submitTime": TIMESTAMP,
    "endTime": TIMESTAMP,
    "codeType": TEXT,
    "webUI": TEXT,
    "executionTimeoutSeconds": INTEGER,
    "creator": TEXT,
    "releaseVersion": TEXT,
    "displayReleaseVersion": TEXT,
    "fusion": BOOLEAN,
    "vcoreSeconds": INTEGER,
    "mbSeconds": INTEGER,
    "cuHours": CU_HOURS,
    "resourceQueueId": TEXT,
    "priority": TEXT,
    "tags": [{"key": TEXT, "value": TEXT}],
    "log": {"driverStdOut": TEXT, "driverStdError": TEXT, "driverSyslog": TEXT, "driverStartup": TEXT},
    "configurationOverrides": {"configurations": [{"configFileName": TEXT, "configItemKey": TEXT, "configItemValue": TEXT}]},
    "jobDriver": {"sparkSubmit": {"entryPoint": TEXT, "entryPointArguments": [TEXT], "sparkSubmitParameters": TEXT}},
}
WORKSPACE: Final[Mapping[str, Shape]] = {
    "workspaceId": TEXT,
    "regionId": TEXT,
    "workspaceName": TEXT,
    "workspaceStatus": TEXT,
    "stateChangeReason": {"code": TEXT, "message": TEXT},
    "failReason": TEXT,
    "releaseType": TEXT,
    "createTime": TIMESTAMP,
    "endTime": TIMESTAMP,
    "paymentType": TEXT,
    "paymentStatus": TEXT,
    "paymentDurationUnit": TEXT,
    "duration": INTEGER,
    "autoRenew": BOOLEAN,
    "autoRenewPeriod": INTEGER,
    "autoRenewPeriodUnit": TEXT,
    "resourceSpec": TEXT,
    "resourceGroupId": TEXT,
    "storage": TEXT,
    "dlfCatalogId": TEXT,
    "dlfType": TEXT,
    "ipWhiteList": TEXT,
    "gpuSpec": TEXT,
    "prePaidQuota": {
        "instanceId": TEXT,
        "orderId": TEXT,
        "paymentStatus": TEXT,
        "autoRenewal": BOOLEAN,
        "createTime": TIMESTAMP,
        "expireTime": TIMESTAMP,
        "maxResource": TEXT,
        "allocatedResource": TEXT,
        "usedResource": TEXT,
    },
    "prePaidQuotaGpu": TEXT,
    "tags": TEXT,
}


def wire_type(shape: Shape) -> pa.DataType:
    """Return the Arrow type of a shape as it comes over the wire: times are epoch milliseconds, CU-hours a double."""
    if isinstance(shape, Mapping):
        return pa.struct([(name, wire_type(inner)) for name, inner in shape.items()])
    if isinstance(shape, list):
        return pa.list_(wire_type(shape[0]))
    return {TIMESTAMP: INTEGER, CU_HOURS: pa.float64()}.get(shape, shape)
