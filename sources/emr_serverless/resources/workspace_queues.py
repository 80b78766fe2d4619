"""ListWorkspaceQueues: the queues of a workspace."""

from __future__ import annotations

from typing import Final

from .declaration import Field, NoPaging, Resource, Snapshot

WORKSPACE_QUEUES: Final = Resource(
    table="workspace_queues",
    description="One row for each queue of a workspace that was ever listed: its latest known version.",
    operation="ListWorkspaceQueues",
    path="/api/v1/workspaces/{workspace_id}/queues",
    rows="queues",
    paging=NoPaging(),
    strategy=Snapshot(),
    parent="workspace",
    key=("workspace_id", "queue_name"),
    repeats=("workspaceId", "regionId"),
    left_out={"allowActions": "What the caller may do with the queue, not what the queue is."},
    fields=(
        Field("queue_name", "queueName", "text", "Name of the queue: `resource_queue_id` of a job run.", mask="plain"),
        Field("queue_status", "queueStatus", "text", "State of the queue, such as RUNNING."),
        Field("queue_type", "queueType", "text", "Kind of the queue, such as instance."),
        Field("queue_category", "queueCategory", "text", "CPU or GPU."),
        Field("queue_scope", "queueScope", "text", "Scope, JSON, such as its architecture."),
        Field("payment_type", "paymentType", "text", "PayAsYouGo, or Pre where its capacity was bought beforehand."),
        Field("instance_id", "instanceId", "text", "Instance of the bought capacity."),
        Field("description", "description", "text", "Description, secrets masked."),
        Field("creator", "creator", "text", "UID of the user who made it."),
        Field("create_time", "createTime", "timestamp", "When it was made, UTC."),
        Field("environments", "environments", "text", "Environments it serves, the API's list as JSON."),
        Field("properties", "properties", "text", "Properties, as the API sends them, secrets masked."),
        Field("min_resource", "minResource", "text", "Least capacity, JSON with cpu and memory."),
        Field("max_resource", "maxResource", "text", "Most capacity, JSON with cpu and memory."),
        Field("used_resource", "usedResource", "text", "Capacity in use just then, JSON with cpu and memory.", volatile=True),
        Field("preheat", "preheat", "bool", "Whether the queue is kept warm."),
        Field("gpu_spec", "gpuSpec", "text", "GPU machine types, the API's list as JSON."),
        Field("gpu_machine_num", "gpuMachineNum", "bigint", "GPU machines."),
    ),
)
