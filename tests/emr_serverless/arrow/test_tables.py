"""The documented responses of the API become tables with the expected values."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from decimal import Decimal

from documented import (
    DOCUMENTED_RUN,
    DOCUMENTED_WORKSPACE,
    KEY,
    OBSERVED,
    ORIGIN,
    WORKSPACE,
    convert,
    convert_workspace,
    job_run_records,
    utc,
)
from emr_serverless.arrow.tables import observations_table
from emr_serverless.resources.job_runs import JOB_RUNS


def test_the_documented_example_is_converted() -> None:
    tables = convert(DOCUMENTED_RUN)
    digest = hashlib.sha256(b'["oss://bucket/path/to/entrypoint.jar","--dt","20230515"]').hexdigest()
    assert tables == {
        "job_runs": [
            KEY
            | {
                "region_id": "cn-hangzhou",
                "name": "jobName",
                "state": "Running",
                "state_change_code": "0",
                "state_change_message": "connection refused",
                "submit_time": datetime(2023, 5, 15, 2, 55, 14, tzinfo=UTC),
                "end_time": datetime(2023, 5, 15, 2, 55, 14, tzinfo=UTC),
                "code_type": "SQL",
                "web_ui": "http://spark-ui",
                "execution_timeout_seconds": 3600,
                "creator": "150978934701****",
                "release_version": "esr-3.0.0 (Spark 3.4.3, Scala 2.12, Native Runtime)",
                "display_release_version": "esr-3.0.0 (Spark 3.4.3, Scala 2.12)",
                "fusion": True,
                "vcore_seconds": 8236,
                "mb_seconds": 33030784,
                "cu_hours": Decimal("2.059000"),
                "resource_queue_id": "dev_queue",
                "priority": "5",
                "entry_point": "oss://bucket/path/to/entrypoint.jar",
                "spark_submit_parameters": "--conf spark.app.name=test",
                "arguments_digest": digest,
                "extra": None,
            }
        ],
        "job_run_tags": [KEY | {"tag_index": 0, "tag_key": "workflowId", "tag_value": "wf-123test", "_deleted": False}],
        "job_run_logs": [
            KEY
            | {
                "driver_std_out": "oss://bucket/path/to/stdout",
                "driver_std_error": "oss://bucket/path/to/stderr",
                "driver_syslog": "oss://bucket/path/to/syslog",
                "driver_startup": "oss://bucket/path/to/startup",
                "_deleted": False,
            }
        ],
        "job_run_configurations": [
            KEY
            | {
                "configuration_index": 0,
                "config_file_name": "common.conf",
                "config_item_key": "hive.metastore.type",
                "config_item_value": "USER_RDS",
                "_deleted": False,
            }
        ],
        "job_run_arguments": [
            KEY | {"argument_index": 0, "argument": "--dt", "_deleted": False},
            KEY | {"argument_index": 1, "argument": "20230515", "_deleted": False},
        ],
    }


def test_the_documented_example_of_a_workspace_is_converted() -> None:
    quota = DOCUMENTED_WORKSPACE["prePaidQuota"]
    assert convert_workspace(DOCUMENTED_WORKSPACE) == {
        "workspace_id": WORKSPACE,
        "region_id": "cn-hangzhou",
        "gone_at": None,
        "workspace_name": "Spark batch workspace-1",
        "workspace_status": "STARTING,RUNNING,TERMINATED",
        "state_change_code": "0",
        "state_change_message": "Success",
        "fail_reason": "out of stock",
        "release_type": "SERVICE_RELEASE",
        "create_time": utc(1684115879955),
        "end_time": utc(1687103999999),
        "payment_type": "PayAsYouGo or Subscription",
        "payment_status": "PAID/UNPAID",
        "payment_duration_unit": "YEAR, MONTH, WEEK, DAY, HOUR, MINUTE",
        "duration": 1,
        "auto_renew": True,
        "auto_renew_period": 1,
        "auto_renew_period_unit": "YEAR, MONTH, WEEK, DAY, HOUR, MINUTE",
        "resource_spec": "100cu",
        "resource_group_id": "rg-xxxxxxxxxx",
        "storage": "spark-result",
        "dlf_catalog_id": "default",
        "dlf_type": "1.0",
        "ip_white_list": '["10.0.0.0/8","192.168.0.1"]',
        "gpu_spec": '["ecs.gn6i-c4g1.xlarge"]',
        "pre_paid_quota_instance_id": "i-abc12345",
        "pre_paid_quota_order_id": "231500011220099",
        "pre_paid_quota_payment_status": "NORMAL",
        "pre_paid_quota_auto_renewal": True,
        "pre_paid_quota_create_time": utc(1745683200000),
        "pre_paid_quota_expire_time": utc(1740537153000),
        "pre_paid_quota_max_resource": quota["maxResource"],
        "pre_paid_quota_allocated_resource": quota["allocatedResource"],
        "pre_paid_quota_used_resource": quota["usedResource"],
        "pre_paid_quota_gpu": '[{"autoRenewal":false,"gpuNum":1,"instanceId":"i-gpu"}]',
        "tags": '[{"tagKey":"team","tagValue":"growth"}]',
        "observed_at": OBSERVED,
        "extra": None,
    }


def test_observations_have_the_figures_of_their_page() -> None:
    rows = [DOCUMENTED_RUN, {"jobRunId": "jr-gone"}, {"jobRunId": "jr-odd", "vcoreSeconds": "x"}]
    table = observations_table(JOB_RUNS, [(ORIGIN, job_run_records(rows, WORKSPACE))])
    assert table.to_pylist() == [
        KEY | {"state": "Running", "vcore_seconds": 8236, "mb_seconds": 33030784, "cu_hours": Decimal("2.059")},
        *(
            KEY | {"job_run_id": name, "state": None, "vcore_seconds": None, "mb_seconds": None, "cu_hours": None}
            for name in ("jr-gone", "jr-odd")
        ),
    ]
