"""The documented responses of the API with all fields, and helpers that convert a page into tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from emr_serverless.arrow.decode import Records, read_rows
from emr_serverless.arrow.tables import Origin, resource_tables
from emr_serverless.redaction.arrow import mask_tables
from emr_serverless.redaction.redactor import Redactor
from emr_serverless.resources.job_runs import JOB_RUNS
from emr_serverless.resources.workspaces import WORKSPACES

OBSERVED = datetime(2026, 3, 1, 2, 3, 4, 567_890, UTC)
WORKSPACE = "w-d2d82aa09155****"
ORIGIN = Origin("cn-hangzhou", WORKSPACE, OBSERVED)
KEY = {"workspace_id": WORKSPACE, "job_run_id": "jr-231231", "observed_at": OBSERVED}

# api.md section 1.5: ListJobRuns' documented example, every field of it.
DOCUMENTED_RUN: dict[str, Any] = {
    "codeType": "SQL",
    "configurationOverrides": {
        "configurations": [
            {"configFileName": "common.conf", "configItemKey": "hive.metastore.type", "configItemValue": "USER_RDS"},
        ]
    },
    "creator": "150978934701****",
    "cuHours": 2.059,
    "displayReleaseVersion": "esr-3.0.0 (Spark 3.4.3, Scala 2.12)",
    "endTime": 1684119314000,
    "executionTimeoutSeconds": 3600,
    "fusion": True,
    "jobDriver": {
        "sparkSubmit": {
            "entryPoint": "oss://bucket/path/to/entrypoint.jar",
            "entryPointArguments": ["--dt", "20230515"],
            "sparkSubmitParameters": "--conf spark.app.name=test",
        }
    },
    "jobRunId": "jr-231231",
    "log": {
        "driverStartup": "oss://bucket/path/to/startup",
        "driverStdError": "oss://bucket/path/to/stderr",
        "driverStdOut": "oss://bucket/path/to/stdout",
        "driverSyslog": "oss://bucket/path/to/syslog",
    },
    "mbSeconds": 33030784,
    "name": "jobName",
    "priority": "5",
    "releaseVersion": "esr-3.0.0 (Spark 3.4.3, Scala 2.12, Native Runtime)",
    "resourceQueueId": "dev_queue",
    "state": "Running",
    "stateChangeReason": {"code": "0", "message": "connection refused"},
    "submitTime": 1684119314000,
    "tags": [{"key": "workflowId", "value": "wf-123test"}],
    "vcoreSeconds": 8236,
    "webUI": "http://spark-ui",
    "workspaceId": WORKSPACE,
}
DOCUMENTED_WORKSPACE: dict[str, Any] = {
    "autoRenew": True,
    "autoRenewPeriod": 1,
    "autoRenewPeriodUnit": "YEAR, MONTH, WEEK, DAY, HOUR, MINUTE",
    "createTime": 1684115879955,
    "dlfCatalogId": "default",
    "dlfType": "1.0",
    "duration": 1,
    "endTime": 1687103999999,
    "failReason": "out of stock",
    "gpuSpec": ["ecs.gn6i-c4g1.xlarge"],
    "ipWhiteList": ["10.0.0.0/8", "192.168.0.1"],
    "paymentDurationUnit": "YEAR, MONTH, WEEK, DAY, HOUR, MINUTE",
    "paymentStatus": "PAID/UNPAID",
    "paymentType": "PayAsYouGo or Subscription",
    "prePaidQuota": {
        "allocatedResource": '{"cpu":"1","memory":"4Gi","cu":"1"}',
        "autoRenewal": True,
        "createTime": 1745683200000,
        "expireTime": 1740537153000,
        "instanceId": "i-abc12345",
        "maxResource": '{"cpu":"1","memory":"4Gi","cu":"1"}',
        "orderId": "231500011220099",
        "paymentStatus": "NORMAL",
        "usedResource": '{"cpu":"0","memory":"0Gi","cu":"0"}',
    },
    "prePaidQuotaGpu": [{"instanceId": "i-gpu", "gpuNum": 1, "autoRenewal": False}],
    "regionId": "cn-hangzhou",
    "releaseType": "SERVICE_RELEASE",
    "resourceGroupId": "rg-xxxxxxxxxx",
    "resourceSpec": "100cu",
    "stateChangeReason": {"code": "0", "message": "Success"},
    "storage": "spark-result",
    "tags": [{"tagKey": "team", "tagValue": "growth"}],
    "workspaceId": WORKSPACE,
    "workspaceName": "Spark batch workspace-1",
    "workspaceStatus": "STARTING,RUNNING,TERMINATED",
}


def utc(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def job_run_records(rows: list[Any], workspace_id: str) -> Records:
    """Return decoded rows of ListJobRuns about a workspace."""
    return read_rows(rows, JOB_RUNS, {"workspaceId": workspace_id})


def workspace_records(rows: list[Any], region_id: str) -> Records:
    """Return decoded rows of ListWorkspaces about a region."""
    return read_rows(rows, WORKSPACES, {"regionId": region_id})


def run_tables(rows: list[dict[str, Any]], origin: Origin = ORIGIN) -> dict[str, pa.Table]:
    """Return the tables of one page, not masked."""
    return resource_tables(JOB_RUNS, [(origin, job_run_records(rows, origin.workspace_id))])


def workspace_tables(rows: list[dict[str, Any]], origin: Origin = ORIGIN) -> dict[str, pa.Table]:
    """Return the table of one page of workspaces, not masked."""
    return resource_tables(WORKSPACES, [(origin, workspace_records(rows, origin.region_id))])


def convert(*rows: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the tables of one page as rows."""
    runs = [{"jobRunId": "jr-231231"} | row for row in rows]
    tables = mask_tables(run_tables(runs), Redactor())
    return {name: table.to_pylist() for name, table in tables.items()}


def convert_workspace(row: dict[str, Any]) -> dict[str, Any]:
    """Return the `workspaces` row of a workspace."""
    (workspace,) = mask_tables(workspace_tables([row]), Redactor())["workspaces"].to_pylist()
    return dict(workspace)


def job_run(**fields: Any) -> dict[str, Any]:
    """Return the `job_runs` row of a run with these fields."""
    (row,) = convert(fields)["job_runs"]
    return row
