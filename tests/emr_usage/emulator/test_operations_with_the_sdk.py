"""The vendor's SDK as an independent client for every operation, filter and kind of token."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from alibabacloud_emr_serverless_spark20230808 import models
from alibabacloud_emr_serverless_spark20230808.client import Client
from alibabacloud_tea_openapi.exceptions import ClientException

from emr_usage.emulator import Emulator, Run, Variants
from emr_usage.emulator.workspaces import member_fields

# The SDK calls datetime.utcnow(), which Python 3.12 deprecates; that is the vendor's to repair.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")

NOW = 1_760_000_000_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
REGION = "cn-hangzhou"
MOST_PAGES = 40


def list_pages(sdk: Client, **asked: Any) -> Iterator[Any]:
    token: str | None = None
    for _ in range(MOST_PAGES):
        request = models.ListJobRunsRequest(**({"region_id": REGION, "next_token": token} | asked))
        body = sdk.list_job_runs("w-1", request).body
        yield body
        token = body.next_token
        if not token:
            return
    pytest.fail("the pages do not end")


def list_ids(sdk: Client, **asked: Any) -> list[str]:
    return [run.job_run_id for body in list_pages(sdk, **asked) for run in body.job_runs]


def started(low_ms: int | None, high_ms: int | None) -> Any:
    return models.ListJobRunsRequestStartTime(start_time=low_ms, end_time=high_ms)


def ended(low_ms: int | None, high_ms: int | None) -> Any:
    return models.ListJobRunsRequestEndTime(start_time=low_ms, end_time=high_ms)


def tag(key: str, value: str | None = None) -> Any:
    return models.ListJobRunsRequestTags(key=key, value=value)


def pairs(**items: str) -> str:
    return json.dumps([{"key": key.replace("_", "."), "value": value} for key, value in items.items()])


EVERYTHING = ["jr-06", "jr-05", "jr-07", "jr-09", "jr-03", "jr-02", "jr-01", "jr-04"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({}, EVERYTHING, id="no filter: all submitted runs, newest first"),
        pytest.param({"name": "订单 汇总 a+b*~/&=%"}, ["jr-02"], id="name with special characters"),
        pytest.param({"name": "ads_orders"}, [], id="a part of a name"),
        pytest.param({"creator": "202077646755123991"}, ["jr-01"], id="creator"),
        pytest.param({"job_run_id": "jr-03"}, ["jr-03"], id="jobRunId"),
        pytest.param({"job_run_id": "jr-08"}, [], id="future jobRunId"),
        pytest.param({"job_run_id": "jr-99"}, [], id="unknown jobRunId"),
        pytest.param({"job_run_deployment_id": "jd-1"}, ["jr-04"], id="jobRunDeploymentId"),
        pytest.param({"resource_queue_id": "dev_queue"}, ["jr-02"], id="resourceQueueId"),
        pytest.param({"is_workflow": "true"}, ["jr-01"], id="isWorkflow true"),
        pytest.param({"is_workflow": "false"}, [i for i in EVERYTHING if i != "jr-01"], id="isWorkflow false"),
        pytest.param({"min_duration": 59 * MINUTE}, ["jr-07", "jr-01", "jr-04"], id="minDuration"),
        pytest.param({"min_duration": 60 * MINUTE}, ["jr-07", "jr-04"], id="minDuration is not the time since submission"),
        pytest.param({"start_time": started(NOW - 5 * DAY, NOW - 4 * DAY)}, ["jr-02", "jr-01"], id="startTime, bounds in"),
        pytest.param({"start_time": started(NOW - 5 * DAY + 1, NOW - 4 * DAY - 1)}, [], id="startTime, just inside"),
        pytest.param({"start_time": started(NOW - 2 * HOUR, None)}, ["jr-06", "jr-05", "jr-07"], id="startTime, open above"),
        pytest.param({"start_time": started(None, NOW - 6 * DAY)}, ["jr-04"], id="startTime, open below"),
        pytest.param({"end_time": ended(NOW - 5 * DAY + HOUR, NOW - 3 * DAY)}, ["jr-02", "jr-01"], id="endTime"),
        pytest.param({"end_time": ended(NOW - 3 * DAY, NOW + DAY)}, ["jr-09", "jr-03"], id="endTime in the future"),
        pytest.param({"states": ["Submitted"]}, ["jr-06"], id="states"),
        pytest.param({"states": ["Pending", "Cancelling"]}, ["jr-05", "jr-07"], id="two states"),
        pytest.param({"states": ["Running", "Failed"]}, ["jr-02", "jr-04"], id="an open state and a final one"),
        pytest.param({"states": ["Evicted"]}, ["jr-09"], id="an undocumented state"),
        pytest.param({"tags": [tag("team", "a b")]}, ["jr-02"], id="a tag with a space"),
        pytest.param({"tags": [tag("项目", "双十一")]}, ["jr-02"], id="a Chinese tag"),
        pytest.param({"tags": [tag("team")]}, ["jr-02", "jr-01"], id="a tag's key alone"),
        pytest.param({"tags": [tag("team", "growth"), tag("env", "prod")]}, ["jr-01"], id="two tags"),
        pytest.param({"tags": [tag("team", "growth"), tag("env", "dev")]}, [], id="two tags, one does not match"),
        pytest.param({"application_configs": pairs(hive_metastore_type="DLF")}, ["jr-01"], id="applicationConfigs"),
        pytest.param({"application_configs": pairs(hive_metastore_type="x")}, [], id="applicationConfigs, another value"),
        pytest.param({"runtime_configs": pairs(spark_executor_cores="4")}, ["jr-01"], id="runtimeConfigs"),
        pytest.param({"runtime_configs": pairs(spark_app_name="a b")}, ["jr-01"], id="runtimeConfigs, in quotes"),
        pytest.param(
            {"start_time": started(NOW - 6 * DAY, NOW), "states": ["Success", "Failed"], "is_workflow": "true"},
            ["jr-01"],
            id="several at once",
        ),
    ],
)
def test_list_job_runs_applies_each_filter(sdk: Client, asked: dict[str, Any], expected: list[str]) -> None:
    bodies = list(list_pages(sdk, **asked))
    assert [run.job_run_id for body in bodies for run in body.job_runs] == expected
    assert {body.total_count for body in bodies} == {len(expected)}


def test_group_by_state_returns_counts_as_text(sdk: Client) -> None:
    (body,) = list_pages(sdk, group_by_state=True, start_time=started(NOW - 5 * DAY, None))
    assert body.aggregations == {
        "Cancelled": "1",
        "Cancelling": "1",
        "Evicted": "1",
        "Failed": "1",
        "Pending": "1",
        "Submitted": "1",
        "Success": "1",
    }
    assert len(body.job_runs) == 7


def test_without_group_by_state_there_are_no_aggregations(sdk: Client) -> None:
    (body,) = list_pages(sdk, group_by_state=False)
    assert body.aggregations is None


def test_a_row_has_the_figures_and_not_the_driver(sdk: Client) -> None:
    (body,) = list_pages(sdk, job_run_id="jr-01")
    row = body.job_runs[0].to_map()
    seconds = 59 * 60
    assert row == {
        "jobRunId": "jr-01",
        "workspaceId": "w-1",
        "state": "Success",
        "submitTime": NOW - 5 * DAY,
        "endTime": NOW - 5 * DAY + HOUR,
        "name": "ads_orders_1d",
        "creator": "202077646755123991",
        "codeType": "JAR",
        "resourceQueueId": "root_queue",
        "tags": [{"key": "team", "value": "growth"}, {"key": "env", "value": "prod"}],
        "stateChangeReason": {"code": "0", "message": ""},
        "vcoreSeconds": 8 * seconds,
        "mbSeconds": 8 * 4096 * seconds,
        "cuHours": round(8 * seconds / 3600, 6),
    }


@pytest.mark.parametrize(
    "variants",
    [
        Variants(tokens="offset"),
        Variants(tokens="cursor"),
        Variants(tokens="expiring"),
        Variants(tokens="cursor", order="oldest", short_pages=True),
        Variants(tokens="offset", order="oldest", last_page="empty"),
        Variants(tokens="expiring", last_page="null"),
    ],
    ids=str,
)
def test_the_sdk_reads_all_pages_with_every_kind_of_token(sdk: Client, emulator: Emulator, variants: Variants) -> None:
    emulator.state.add(*(Run("w-1", f"jr-p{number:02d}", NOW - 9 * DAY - number % 3) for number in range(20)))
    emulator.variants, emulator.page_limit = variants, 3
    bodies = list(list_pages(sdk, max_results=100))
    ids = [run.job_run_id for body in bodies for run in body.job_runs]
    truth = [row["jobRunId"] for row in emulator.state.job_run_rows("w-1", NOW, variants)]
    assert ids == (truth if variants.order == "oldest" else truth[::-1])
    assert len(bodies) >= 10
    assert {(body.total_count, body.max_results) for body in bodies} == {(28, 3)}


def test_list_workspaces_pages_within_its_region(sdk: Client, emulator: Emulator) -> None:
    emulator.page_limit = 1
    first = sdk.list_workspaces(models.ListWorkspacesRequest(region_id=REGION)).body
    second = sdk.list_workspaces(models.ListWorkspacesRequest(region_id=REGION, next_token=first.next_token)).body
    assert [w.workspace_id for w in (*first.workspaces, *second.workspaces)] == ["w-2", "w-1"]
    assert (first.total_count, second.next_token) == (2, None)
    abroad = sdk.list_workspaces(models.ListWorkspacesRequest(region_id="ap-southeast-1")).body
    assert [w.workspace_id for w in abroad.workspaces] == ["w-3"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"name": "platform"}, ["w-1"]),
        ({"name": "数据"}, ["w-2"]),
        ({"state": "Running"}, ["w-1"]),
        ({"resource_group_id": "rg-a"}, ["w-1"]),
        ({"tag": [models.ListWorkspacesRequestTag(key="env", value="a b*~/ü")]}, ["w-2"]),
        ({"tag": [models.ListWorkspacesRequestTag(key="env", value="prod")]}, []),
    ],
)
def test_list_workspaces_applies_each_filter(sdk: Client, asked: dict[str, Any], expected: list[str]) -> None:
    body = sdk.list_workspaces(models.ListWorkspacesRequest(region_id=REGION, **asked)).body
    assert [workspace.workspace_id for workspace in body.workspaces] == expected
    assert body.total_count == len(expected)


def test_list_workspace_queues(sdk: Client) -> None:
    def queues(workspace_id: str, **asked: Any) -> Any:
        return sdk.list_workspace_queues(workspace_id, models.ListWorkspaceQueuesRequest(region_id=REGION, **asked)).body

    assert [(q.queue_name, q.payment_type) for q in queues("w-1").queues] == [
        ("root_queue", "PayAsYouGo"),
        ("dev_queue", "PayAsYouGo"),
    ]
    assert [(q.queue_name, q.payment_type) for q in queues("w-2").queues] == [("subscription_queue", "Pre")]
    assert [q.queue_name for q in queues("w-1", environment="dev").queues] == ["dev_queue"]
    assert queues("w-1").total_count == 2


def test_list_members_returns_all_pages(sdk: Client, emulator: Emulator) -> None:
    people = [member_fields("w-1", uid, name) for uid, name in (("202077646755123991", "Li"), ("202077646755123992", "Wang"))]
    emulator.state.add_workspace("w-1", members=people)
    emulator.page_limit = 1
    first = sdk.list_members("w-1", models.ListMembersRequest(region_id=REGION)).body
    second = sdk.list_members("w-1", models.ListMembersRequest(region_id=REGION, next_token=first.next_token)).body
    members = [*first.members, *second.members]
    assert sorted((member.member_arn, member.display_name) for member in members) == [
        ("acs:emr::w-1:member/202077646755123991", "Li"),
        ("acs:emr::w-1:member/202077646755123992", "Wang"),
    ]
    assert (first.total_count, second.next_token, members[0].roles[0].role_name) == (2, None, "DataEngineering")


def test_get_job_run_has_the_driver_and_not_the_figures(sdk: Client) -> None:
    run = sdk.get_job_run("w-1", "jr-01", models.GetJobRunRequest(region_id=REGION)).body.job_run
    assert run.job_driver.spark_submit.entry_point == "oss://b/job.jar"
    assert run.configuration_overrides.configurations[0].config_item_key == "hive.metastore.type"
    assert (run.resource_owner_id, run.environment_id) == ("202077646755123991", "env-1")


def test_get_job_run_does_not_return_future_runs(sdk: Client) -> None:
    with pytest.raises(ClientException, match=r"InvalidJobRunId\.NotFound"):
        sdk.get_job_run("w-1", "jr-08", models.GetJobRunRequest(region_id=REGION))


Refused = Callable[[Client], object]


@pytest.mark.parametrize(
    ("call", "status", "code"),
    [
        pytest.param(lambda sdk: list_ids(sdk, region_id=None), 400, "MissingParameter.regionId", id="no region, runs"),
        pytest.param(
            lambda sdk: sdk.list_workspaces(models.ListWorkspacesRequest()),
            400,
            "MissingParameter.regionId",
            id="no region, workspaces",
        ),
        pytest.param(
            lambda sdk: sdk.list_workspace_queues("w-1", models.ListWorkspaceQueuesRequest()),
            400,
            "MissingParameter.regionId",
            id="no region, queues",
        ),
        pytest.param(
            lambda sdk: sdk.get_job_run("w-1", "jr-01", models.GetJobRunRequest()),
            400,
            "MissingParameter.regionId",
            id="no region, run",
        ),
        pytest.param(
            lambda sdk: sdk.list_job_runs("w-9", models.ListJobRunsRequest(region_id=REGION)),
            404,
            "InvalidWorkspaceId.NotFound",
            id="unknown workspace",
        ),
        pytest.param(
            lambda sdk: list_ids(sdk, region_id="ap-southeast-1"),
            404,
            "InvalidWorkspaceId.NotFound",
            id="another region's workspace",
        ),
        pytest.param(lambda sdk: list_ids(sdk, max_results=0), 400, "InvalidParameter", id="maxResults 0"),
        pytest.param(lambda sdk: list_ids(sdk, next_token="x"), 400, "InvalidParameter", id="an invalid token"),
        pytest.param(lambda sdk: list_ids(sdk, is_workflow="perhaps"), 400, "InvalidParameter", id="isWorkflow"),
        pytest.param(lambda sdk: list_ids(sdk, application_configs="{}"), 400, "InvalidParameter", id="not an array"),
        pytest.param(lambda sdk: list_ids(sdk, runtime_configs="[1]"), 400, "InvalidParameter", id="not pairs"),
        pytest.param(lambda sdk: list_ids(sdk, runtime_configs="["), 400, "InvalidParameter", id="not JSON"),
        pytest.param(
            lambda sdk: sdk.list_kyuubi_services("w-1", models.ListKyuubiServicesRequest()),
            404,
            "InvalidApi.NotFound",
            id="not on offer",
        ),
    ],
)
def test_error_responses_have_the_vendors_codes(sdk: Client, call: Refused, status: int, code: str) -> None:
    with pytest.raises(ClientException) as caught:
        call(sdk)
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert caught.value.request_id


def test_a_run_progresses_as_the_clock_moves(sdk: Client, emulator: Emulator) -> None:
    start, end = NOW + HOUR, NOW + 2 * HOUR
    seen = []
    for moment in (NOW - HOUR - 1, NOW - HOUR, NOW, start, end - 1, end):
        emulator.clock.move_to(moment)
        seen.append([run.state for body in list_pages(sdk, job_run_id="jr-05") for run in body.job_runs])
    assert seen == [[], ["Submitted"], ["Pending"], ["Running"], ["Running"], ["Success"]]
