"""A small account with known runs, the emulator that serves it, and the vendor's SDK as its client."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from alibabacloud_emr_serverless_spark20230808.client import Client
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.request import DaraRequest

from emr_usage.emulator import DEFAULT_KEY, AccessKey, Clock, Emulator, Run, State, queue_fields

NOW = 1_760_000_000_000
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
EMPTY_BODY_HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

SdkFactory = Callable[..., Client]
Sign = Callable[..., dict[str, str]]


def _tags(**tags: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _run(number: int, submit_ms: int, **attributes: Any) -> Run:
    return Run("w-1", f"jr-0{number}", submit_ms, **attributes)


@pytest.fixture
def account() -> State:
    """Workspace w-1 with nine runs, one per way of living, and two workspaces without runs."""
    state = State()
    state.add_workspace("w-1", "cn-hangzhou", workspaceName="data-platform-prod", resourceGroupId="rg-a", createTime=1)
    state.add_workspace(
        "w-2",
        "cn-hangzhou",
        workspaceName="数据研发 dev",
        workspaceStatus="TERMINATED",
        createTime=2,
        tags=[{"tagKey": "env", "tagValue": "a b*~/ü"}],
        queues=[queue_fields("w-2", "cn-hangzhou", "subscription_queue", payment_type="Pre")],
    )
    state.add_workspace("w-3", "ap-southeast-1", workspaceName="data-platform-sg", createTime=3)
    driver = {
        "sparkSubmit": {
            "entryPoint": "oss://b/job.jar",
            "entryPointArguments": ["--dt", "20240301"],
            "sparkSubmitParameters": "--class a.B --conf spark.executor.cores=4 --conf 'spark.app.name=a b'",
        }
    }
    items = [{"configFileName": "common.conf", "configItemKey": "hive.metastore.type", "configItemValue": "DLF"}]
    state.add(
        _run(
            1,
            NOW - 5 * DAY,
            pending_ms=NOW - 5 * DAY + SECOND,
            start_ms=NOW - 5 * DAY + MINUTE,
            end_ms=NOW - 5 * DAY + HOUR,
            is_workflow=True,
            vcores=8,
            memory_mib=8 * 4096,
            fields={
                "name": "ads_orders_1d",
                "creator": "202077646755123991",
                "codeType": "JAR",
                "resourceQueueId": "root_queue",
                "tags": _tags(team="growth", env="prod"),
                "jobDriver": driver,
                "configurationOverrides": {"configurations": items},
                "environmentId": "env-1",
                "newlyInvented": {"x": 1},
            },
            open_fields={"webUI": "https://ui?token=t"},
            final_fields={"stateChangeReason": {"code": "0", "message": ""}},
        ),
        _run(
            2,
            NOW - 4 * DAY,
            start_ms=NOW - 4 * DAY + 3 * HOUR,
            end_ms=NOW - 4 * DAY + 3 * HOUR + 10 * MINUTE,
            final_state="Failed",
            fields={
                "name": "订单 汇总 a+b*~/&=%",
                "creator": "202077646755123992",
                "resourceQueueId": "dev_queue",
                "tags": _tags(team="a b", 项目="双十一"),
            },
        ),
        _run(3, NOW - 3 * DAY, cancelling_ms=NOW - 3 * DAY + HOUR, end_ms=NOW - 3 * DAY + 2 * HOUR, final_state="Cancelled"),
        _run(4, NOW - 20 * DAY, start_ms=NOW - 20 * DAY + MINUTE, deployment_id="jd-1", fields={"name": "rt_stream"}),
        _run(5, NOW - HOUR, pending_ms=NOW - HOUR + SECOND, start_ms=NOW + HOUR, end_ms=NOW + 2 * HOUR),
        _run(6, NOW - SECOND, pending_ms=NOW + SECOND, start_ms=NOW + MINUTE, end_ms=NOW + HOUR),
        _run(7, NOW - 2 * HOUR, start_ms=NOW - HOUR, cancelling_ms=NOW - SECOND, end_ms=NOW + SECOND, final_state="Cancelled"),
        _run(8, NOW + HOUR, start_ms=NOW + HOUR, end_ms=NOW + 2 * HOUR),
        _run(9, NOW - 2 * DAY, start_ms=NOW - 2 * DAY, end_ms=NOW - 2 * DAY + MINUTE, final_state="Evicted"),
    )
    return state


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def emulator(account: State, clock: Clock) -> Iterator[Emulator]:
    with Emulator(account, clock) as running:
        yield running
        assert running.failures == []


@pytest.fixture
def sdk_for(emulator: Emulator) -> SdkFactory:
    """The vendor's client, told nothing but a key and where to go."""

    def make(key: AccessKey = DEFAULT_KEY, **changes: Any) -> Client:
        settings: dict[str, Any] = {
            "access_key_id": key.id,
            "access_key_secret": key.secret,
            "security_token": key.security_token,
            "endpoint": emulator.url.removeprefix("http://"),
            "protocol": "HTTP",
            "region_id": "cn-hangzhou",
        }
        return Client(Config(**(settings | changes)))

    return make


@pytest.fixture
def sdk(sdk_for: SdkFactory) -> Client:
    return sdk_for()


@pytest.fixture
def http(emulator: Emulator) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=emulator.url, timeout=10, trust_env=False) as client:
        yield client


@pytest.fixture
def sign(emulator: Emulator) -> Sign:
    """Headers of a GET, signed by the vendor's own function; `changes` replace headers before they are signed."""

    def signed_headers(
        path: str, query: dict[str, str], action: str, key: AccessKey = DEFAULT_KEY, **changes: str | None
    ) -> dict[str, str]:
        headers = {
            "host": emulator.url.removeprefix("http://"),
            "x-acs-action": action,
            "x-acs-version": "2023-08-08",
            "x-acs-date": Utils.get_timestamp(),
            "x-acs-signature-nonce": Utils.get_nonce(),
            "x-acs-content-sha256": EMPTY_BODY_HASH,
            **({"x-acs-security-token": key.security_token} if key.security_token else {}),
            **{name.replace("_", "-"): value for name, value in changes.items()},
        }
        request = DaraRequest()
        request.method, request.pathname, request.query = "GET", path, query
        request.headers = {name: value for name, value in headers.items() if value is not None}
        authorization = Utils.get_authorization(request, "ACS3-HMAC-SHA256", EMPTY_BODY_HASH, key.id, key.secret)
        return {**request.headers, "authorization": authorization}

    return signed_headers


@pytest.fixture
def list_runs(http: httpx.Client, emulator: Emulator) -> Callable[..., httpx.Response]:
    """ListJobRuns of w-1 without a signature, which is switched off for it."""
    emulator.verify_signatures = False

    def get(**query: Any) -> httpx.Response:
        return http.get("/api/v1/workspaces/w-1/jobRuns", params={"regionId": "cn-hangzhou", **query})

    return get
