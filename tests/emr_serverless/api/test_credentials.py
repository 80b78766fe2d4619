"""Where access keys come from, how often they are fetched, and that they are never printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from answers import ScriptedApi, rows
from emr_serverless.api.credentials import AccessKey, AccessKeyConfiguration, configured_access_key
from emr_serverless.api.errors import CheckCredentialsError

SECRETS = ("planted-secret-of-the-key", "planted-security-token")
# The library reads the environment when it is imported, so each case has a process of its own. None reaches the network:
# connecting fails at once, and says where it would have gone and how long it would have waited.
PREAMBLE = """
import json, logging, socket, sys
attempts = []
def connect(self, address):
    attempts.append([address[0], self.gettimeout()])
    raise TimeoutError("nobody answers")
socket.socket.connect = connect
from emr_serverless.api.credentials import default_chain
from emr_serverless.api.errors import CheckCredentialsError
def failure(provide):
    try:
        provide()
    except CheckCredentialsError as error:
        return [str(error), repr(error), repr(error.__cause__), error.__suppress_context__]
"""


def run_python(script: str, home: Path, **environment: str) -> tuple[Any, str]:
    """Run a script without any credentials but those given; return what it printed as JSON, and its standard error."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ALIBABA_CLOUD_")}
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + script],
        env={**inherited, "HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return json.loads(done.stdout), done.stderr


def test_the_configured_key_is_used() -> None:
    configuration = AccessKeyConfiguration("id", SECRETS[0], SECRETS[1])
    assert configured_access_key(configuration)() == AccessKey("id", *SECRETS)


@pytest.mark.parametrize("token", [None, ""])
def test_a_permanent_key_has_no_token(token: str | None) -> None:
    assert configured_access_key(AccessKeyConfiguration("id", SECRETS[0], token))().security_token is None


def test_printing_a_key_shows_no_secret() -> None:
    configuration = AccessKeyConfiguration("id", *SECRETS)
    told = (
        f"{configured_access_key(configuration)()!r} {configured_access_key(configuration)()} {configuration!r} {configuration}"
    )
    assert [secret for secret in SECRETS if secret in told] == []
    assert "AccessKey(access_key_id='id')" in told


def test_the_key_is_fetched_for_each_request() -> None:
    asked: list[int] = []

    def provide() -> AccessKey:
        asked.append(len(asked))
        return AccessKey(f"key-{len(asked)}", "s")

    api = ScriptedApi(rows(), provide_key=provide)
    for _ in range(3):
        api.list_job_runs()
    assert len(asked) == 3
    assert "Credential=key-3," in api.requests[-1].headers["authorization"]


def test_nothing_is_sent_without_a_key() -> None:
    def provide() -> AccessKey:
        raise CheckCredentialsError("No key")

    api = ScriptedApi(rows(), provide_key=provide)
    with pytest.raises(CheckCredentialsError, match="ALIBABA_CLOUD_ACCESS_KEY_ID"):
        api.list_job_runs()
    assert (api.requests, api.waits) == ([], [])


def test_the_default_chain_reads_environment_variables(tmp_path: Path) -> None:
    found, told = run_python(
        "key = default_chain()()\nprint(json.dumps([key.access_key_id, key.access_key_secret, key.security_token, attempts]))",
        tmp_path,
        ALIBABA_CLOUD_ACCESS_KEY_ID="id",
        ALIBABA_CLOUD_ACCESS_KEY_SECRET=SECRETS[0],
        ALIBABA_CLOUD_SECURITY_TOKEN=SECRETS[1],
    )
    assert found == ["id", *SECRETS, []]
    assert told == ""


def test_the_default_chain_reads_the_profile_file_for_each_request(tmp_path: Path) -> None:
    script = """
import pathlib
ini = pathlib.Path.home() / ".alibabacloud" / "credentials.ini"
ini.parent.mkdir()
ini.write_text("[default]\\ntype = access_key\\naccess_key_id = from-file\\naccess_key_secret = s\\n")
provide = default_chain()
first = provide()
from alibabacloud_credentials.provider.default import DefaultCredentialsProvider
calls = []
get = DefaultCredentialsProvider.get_credentials
DefaultCredentialsProvider.get_credentials = lambda self: calls.append(1) or get(self)
again = [provide().access_key_id for _ in range(3)]
print(json.dumps([first.access_key_id, first.security_token, again, len(calls)]))
"""
    found, _ = run_python(script, tmp_path)
    assert found == ["from-file", None, ["from-file"] * 3, 3]


NO_KEY = "provide = default_chain()\nprint(json.dumps([failure(provide), failure(provide), attempts]))"


@pytest.mark.parametrize(
    "environment", [{}, {"ALIBABA_CLOUD_ECS_METADATA": "a-role"}, {"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}]
)
def test_without_any_key_the_chain_fails_soon_and_prints_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    (failure, again, attempts), told = run_python(NO_KEY, tmp_path, **environment)
    assert failure[0].startswith("No Alibaba Cloud access key was found (CredentialException). Set ALIBABA_CLOUD_ACCESS_KEY_ID")
    assert failure[2:] == ["None", True]
    assert again == failure
    # Neither a traceback of the library, nor its log, nor its scheduler's.
    assert told == ""
    # Twice the metadata service of an ECS instance, which off Alibaba Cloud nobody answers.
    assert {host for host, _ in attempts} <= {"100.100.100.200"}
    assert bool(attempts) != ("ALIBABA_CLOUD_ECS_METADATA_DISABLED" in environment)
    assert sum(timeout for _, timeout in attempts) / 2 <= 3


def test_a_failing_credential_chain_shows_no_credentials(tmp_path: Path) -> None:
    ini = tmp_path / ".alibabacloud" / "credentials.ini"
    ini.parent.mkdir()
    ini.write_text(f"[default]\ntype = {SECRETS[0]}\naccess_key_id = {SECRETS[1]}\n")
    (failure, *_), told = run_python(NO_KEY, tmp_path, ALIBABA_CLOUD_ECS_METADATA_DISABLED="true")
    assert [secret for secret in SECRETS if secret in f"{failure} {told}"] == []


@pytest.mark.parametrize("half", [{"ALIBABA_CLOUD_ACCESS_KEY_ID": "id"}, {"ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRETS[0]}])
def test_an_incomplete_key_is_ignored(tmp_path: Path, half: dict[str, str]) -> None:
    (failure, *_), told = run_python(NO_KEY, tmp_path, ALIBABA_CLOUD_ECS_METADATA_DISABLED="true", **half)
    assert "No Alibaba Cloud access key was found" in failure[0]
    assert SECRETS[0] not in f"{failure} {told}"


def test_only_the_scheduler_of_dbt_is_silenced(tmp_path: Path) -> None:
    script = """
import datetime, warnings
warnings.simplefilter("ignore")
from apscheduler.executors.base import run_job
from apscheduler.schedulers.background import BackgroundScheduler
made = []
start = BackgroundScheduler.start
BackgroundScheduler.start = lambda self: made.append(self) or start(self)
failure(default_chain())
(scheduler,) = made
(job,) = scheduler.get_jobs()
long_ago = [datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)]
events = run_job(job, "default", long_ago, "apscheduler.executors.default")
logging.getLogger("apscheduler.executors.default").warning("job of the host was missed")
logging.getLogger("credentials").warning("credentials of the host")
print(json.dumps([type(event).__name__ + str(event.code) for event in events]))
"""
    events, told = run_python(script, tmp_path)
    # 2**14 is APScheduler's EVENT_JOB_MISSED, which it logs as a warning.
    assert events == [f"JobExecutionEvent{2**14}"]
    assert told == "job of the host was missed\ncredentials of the host\n"


def test_threads_share_one_client(tmp_path: Path) -> None:
    script = """
import threading
from concurrent.futures import ThreadPoolExecutor
import alibabacloud_credentials.client as library
made = []
class Client(library.Client):
    def __init__(self):
        made.append(threading.get_ident())
        super().__init__()
library.Client = Client
provide = default_chain()
together = threading.Barrier(6)
def ask(_):
    together.wait(60)
    return provide().access_key_id
with ThreadPoolExecutor(6) as pool:
    ids = list(pool.map(ask, range(6)))
print(json.dumps([ids, len(made)]))
"""
    found, _ = run_python(script, tmp_path, ALIBABA_CLOUD_ACCESS_KEY_ID="id", ALIBABA_CLOUD_ACCESS_KEY_SECRET="s")
    assert found == [["id"] * 6, 1]
