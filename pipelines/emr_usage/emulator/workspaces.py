"""Workspaces and queues in the API's shape, with every documented field (api.md section 1.5)."""

import json
from collections.abc import Mapping
from typing import Any

CREATED_MS = 1_684_115_879_955
EXPIRES_MS = 1_887_103_999_999
CORES_PER_QUEUE = 1000


def workspace_fields(workspace_id: str, region_id: str) -> dict[str, Any]:
    """A running pay-as-you-go workspace as ListWorkspaces shows it.

    Args:
        workspace_id: Its id.
        region_id: Where it is.
    """
    return {
        "workspaceId": workspace_id,
        "workspaceName": f"workspace {workspace_id}",
        "workspaceStatus": "RUNNING",
        "stateChangeReason": {"code": "0", "message": "Success"},
        "failReason": None,
        "regionId": region_id,
        "resourceGroupId": "rg-acfmemulator01",
        "resourceSpec": "1000cu",
        "releaseType": "SERVICE_RELEASE",
        "storage": f"oss://emr-spark-{workspace_id}/",
        "dlfCatalogId": "default",
        "dlfType": "1.0",
        "createTime": CREATED_MS,
        "endTime": None,
        "paymentType": "PayAsYouGo",
        "paymentStatus": "PAID",
        "paymentDurationUnit": None,
        "duration": None,
        "autoRenew": False,
        "autoRenewPeriod": None,
        "autoRenewPeriodUnit": None,
        "prePaidQuota": None,
        "gpuSpec": [],
        "prePaidQuotaGpu": [],
        "ipWhiteList": [],
        "tags": [],
    }


def subscription_fields(instance_id: str, cores: int, used_cores: int) -> dict[str, Any]:
    """The fields of a workspace that has bought a quota by the month.

    Args:
        instance_id: The quota's own id, which is what a bill names.
        cores: How many cores, with 4 GiB each, the quota has.
        used_cores: How many of them are in use.
    """
    return {
        "paymentType": "Subscription",
        "paymentDurationUnit": "MONTH",
        "duration": 12,
        "autoRenew": True,
        "autoRenewPeriod": 1,
        "autoRenewPeriodUnit": "MONTH",
        "endTime": EXPIRES_MS,
        "prePaidQuota": {
            "instanceId": instance_id,
            "orderId": "231500011220099",
            "createTime": CREATED_MS,
            "expireTime": EXPIRES_MS,
            "autoRenewal": True,
            "paymentStatus": "NORMAL",
            "maxResource": quota_text(cores),
            "allocatedResource": quota_text(cores),
            "usedResource": quota_text(used_cores),
        },
    }


def gpu_fields(instance_id: str) -> dict[str, Any]:
    """The fields of a workspace that has bought a machine with a GPU."""
    quota = {
        "instanceId": instance_id,
        "orderId": "231500011220100",
        "createTime": CREATED_MS,
        "expireTime": EXPIRES_MS,
        "autoRenewal": False,
        "paymentStatus": "NORMAL",
        "gpuSpec": "ecs.gn6i-c4g1.xlarge",
        "gpuNum": 1,
        "gpuAmount": 1,
        "gpuMachineNum": 1,
        "gpuMemorySize": 16,
        "cpuCoreCount": "4",
        "memorySize": "15",
        "instanceTypeFamily": "ecs.gn6i",
        "instanceTypeId": "ecs.gn6i-c4g1.xlarge",
    }
    return {"gpuSpec": ["ecs.gn6i-c4g1.xlarge"], "prePaidQuotaGpu": [quota]}


def queue_fields(workspace_id: str, region_id: str, name: str, *, payment_type: str = "PayAsYouGo") -> dict[str, Any]:
    """A running queue as ListWorkspaceQueues shows it.

    Args:
        workspace_id: Its workspace.
        region_id: Where that is.
        name: The queue's name, which is a run's `resourceQueueId`.
        payment_type: `PayAsYouGo`, or `Pre` for a bought quota.
    """
    return {
        "queueName": name,
        "workspaceId": workspace_id,
        "regionId": region_id,
        "queueStatus": "RUNNING",
        "queueType": "instance",
        "queueCategory": "CPU",
        "queueScope": '{"arch": "x86"}',
        "paymentType": payment_type,
        "instanceId": f"{workspace_id}-{name}",
        "creator": "237109",
        "createTime": CREATED_MS,
        "description": None,
        "properties": name,
        "environments": ["dev"] if name == "dev_queue" else ["production"],
        "minResource": _resource_text({"cpu": "0", "memory": "0Gi"}),
        "maxResource": _resource_text({"cpu": str(CORES_PER_QUEUE), "memory": f"{4 * CORES_PER_QUEUE}Gi"}),
        "usedResource": _resource_text({"cpu": "12", "memory": "48Gi"}),
        "preheat": False,
        "gpuMachineNum": 0,
        "gpuSpec": [],
        "allowActions": [
            {
                "actionName": "view",
                "actionArn": f"acs:emr::{workspace_id}:action/view",
                "displayName": "文件目录遍历、文件浏览",
                "description": "Directory traversal and file browsing",
                "dependencies": ["view"],
            }
        ],
    }


def member_fields(workspace_id: str, user_id: str, name: str, *, role: str = "DataEngineering") -> dict[str, Any]:
    """A member as ListMembers shows it.

    Args:
        workspace_id: The workspace.
        user_id: The user's UID, which is a run's `creator`.
        name: The user's name, as the console shows it.
        role: The member's one role.
    """
    allowed = [
        {
            "actionName": "view",
            "actionArn": f"acs:emr::{workspace_id}:action/view_MEMBER",
            "displayName": "view members",
            "description": "view members",
            "dependencies": ["view"],
        }
    ]
    return {
        "memberArn": f"acs:emr::{workspace_id}:member/{user_id}",
        "userName": f"{name}@1950000000000001.onaliyun.com",
        "displayName": name,
        "userType": "MEMBER",
        "visible": True,
        # A string here and a number in the role, as documented.
        "createTime": str(CREATED_MS),
        "roles": [
            {
                "roleArn": f"acs:emr::{workspace_id}:role/{role}",
                "roleName": role,
                "description": role,
                "createTime": CREATED_MS,
                "actions": allowed,
            }
        ],
        "actions": allowed,
    }


def quota_text(cores: int) -> str:
    """A quota's resource, which is JSON inside a string: 1 CU is 1 core and 4 GiB."""
    return _resource_text({"cpu": str(cores), "memory": f"{4 * cores}Gi", "cu": str(cores)})


def _resource_text(resource: Mapping[str, str]) -> str:
    return json.dumps(resource)
