"""ListWorkspaces: the workspaces of a region."""

from __future__ import annotations

from typing import Final

from .declaration import Field, Resource, Snapshot, Token

WORKSPACES: Final = Resource(
    table="workspaces",
    description="One row for each workspace that was ever visible: its latest known version.",
    operation="ListWorkspaces",
    path="/api/v1/workspaces",
    rows="workspaces",
    paging=Token(page_rows=100),
    strategy=Snapshot(),
    parent="region",
    key=("workspace_id",),
    repeats=("regionId",),
    fields=(
        Field("workspace_id", "workspaceId", "text", "The workspace.", mask="plain"),
        Field("workspace_name", "workspaceName", "text", "Name of the workspace."),
        Field("workspace_status", "workspaceStatus", "text", "STARTING, RUNNING, TERMINATED, or another."),
        Field("state_change_code", "stateChangeReason.code", "text", "Code of the last change of state."),
        Field("state_change_message", "stateChangeReason.message", "text", "Reason of the last change of state.", mask="message"),
        Field("fail_reason", "failReason", "text", "Why it could not be created or kept.", mask="message"),
        Field("release_type", "releaseType", "text", "Release type of the service."),
        Field("create_time", "createTime", "timestamp", "When it was created, UTC."),
        Field("end_time", "endTime", "timestamp", "When it ends, UTC."),
        Field("payment_type", "paymentType", "text", "PayAsYouGo or Subscription."),
        Field("payment_status", "paymentStatus", "text", "PAID, UNPAID, or another."),
        Field("payment_duration_unit", "paymentDurationUnit", "text", "Unit of the paid duration."),
        Field("duration", "duration", "bigint", "Paid duration, in its unit."),
        Field("auto_renew", "autoRenew", "bool", "Whether the subscription renews itself."),
        Field("auto_renew_period", "autoRenewPeriod", "bigint", "How long it renews for, in its unit."),
        Field("auto_renew_period_unit", "autoRenewPeriodUnit", "text", "Unit of the renewal period."),
        Field("resource_spec", "resourceSpec", "text", "Size, such as 100cu."),
        Field("resource_group_id", "resourceGroupId", "text", "Resource group."),
        Field("storage", "storage", "text", "OSS bucket or path of results."),
        Field("dlf_catalog_id", "dlfCatalogId", "text", "Data Lake Formation catalog."),
        Field("dlf_type", "dlfType", "text", "Data Lake Formation version."),
        Field("ip_white_list", "ipWhiteList", "text", "Allowed addresses, the API's list as JSON."),
        Field("gpu_spec", "gpuSpec", "text", "GPU kinds, the API's list as JSON."),
        Field("pre_paid_quota_instance_id", "prePaidQuota.instanceId", "text", "Instance of the prepaid quota."),
        Field("pre_paid_quota_order_id", "prePaidQuota.orderId", "text", "Order of the prepaid quota."),
        Field("pre_paid_quota_payment_status", "prePaidQuota.paymentStatus", "text", "Payment status of the prepaid quota."),
        Field("pre_paid_quota_auto_renewal", "prePaidQuota.autoRenewal", "bool", "Whether the prepaid quota renews itself."),
        Field("pre_paid_quota_create_time", "prePaidQuota.createTime", "timestamp", "When the prepaid quota was created, UTC."),
        Field("pre_paid_quota_expire_time", "prePaidQuota.expireTime", "timestamp", "When the prepaid quota expires, UTC."),
        Field("pre_paid_quota_max_resource", "prePaidQuota.maxResource", "text", "Size of the prepaid quota, the API's JSON."),
        Field(
            "pre_paid_quota_allocated_resource",
            "prePaidQuota.allocatedResource",
            "text",
            "Allocated part of the prepaid quota, the API's JSON.",
            volatile=True,
        ),
        Field(
            "pre_paid_quota_used_resource",
            "prePaidQuota.usedResource",
            "text",
            "Used part of the prepaid quota, the API's JSON.",
            volatile=True,
        ),
        Field("pre_paid_quota_gpu", "prePaidQuotaGpu", "text", "Prepaid GPU quotas, the API's list as JSON."),
        Field("tags", "tags", "text", "Tags of the workspace, the API's list as JSON, secrets masked."),
    ),
)
