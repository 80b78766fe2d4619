"""Files in deploy/ pass their linters, call existing commands, and agree with the exit codes."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from airflow_server import BIN, ROOT
from cli_harness import COMMAND
from emr_usage.cli import main
from emr_usage.exit_codes import INCOMPLETE, USAGE

DEPLOY = ROOT / "deploy"
DAG_FILE = ROOT / "pipelines" / "dags" / "emr_usage_dag.py"
NOT_RETRIED = [USAGE, INCOMPLETE]
in_airflows_environment = [
    pytest.mark.airflow,
    pytest.mark.skipif(not BIN.exists(), reason="the linter has an environment of its own: make airflow"),
]


def container() -> dict[str, Any]:
    """Return the container of the CronJob."""
    (found,) = cronjob()["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def cronjob() -> dict[str, Any]:
    """Return the jobs that the CronJob makes."""
    _, made = yaml.safe_load_all((DEPLOY / "cronjob.yaml").read_text())
    found: dict[str, Any] = made["spec"]["jobTemplate"]["spec"]
    return found


def cron_command() -> str:
    """Return what cron gives to the shell."""
    (line,) = re.findall(r"^15 2 \* \* \*  emr-usage  (.*)$", (DEPLOY / "emr-usage.cron").read_text(), re.MULTILINE)
    return str(line)


def commands() -> dict[str, list[str]]:
    """Return the arguments of `emr-usage` in each file."""
    service = re.search(r"^ExecStart=\S+ (.*)$", (DEPLOY / "emr-usage.service").read_text(), re.MULTILINE)
    cron = re.search(r"bin/emr-usage (.*?) >>", cron_command())
    image = re.search(r"^CMD (.*)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert service
    assert cron
    assert image
    return {
        "service": shlex.split(service[1]),
        "cron": shlex.split(cron[1]),
        "image": yaml.safe_load(image[1]),
        "cronjob": container()["args"],
    }


@pytest.mark.parametrize("name", commands())
def test_the_scheduled_command_and_its_options_exist(name: str) -> None:
    command, *options = commands()[name]
    assert command == "run"
    main.commands[command].make_context(command, options)  # fails at an option or value that is none


def test_permanent_exit_codes_are_not_retried() -> None:
    (rule,) = cronjob()["podFailurePolicy"]["rules"]
    assert rule["action"] == "FailJob"
    assert rule["onExitCodes"] == {"containerName": container()["name"], "operator": "In", "values": NOT_RETRIED}
    assert f"\nRestartPreventExitStatus={USAGE} {INCOMPLETE}\n" in (DEPLOY / "emr-usage.service").read_text()
    assert f"\nINVALID, INCOMPLETE = {USAGE}, {INCOMPLETE}\n" in DAG_FILE.read_text()


def test_the_documentation_lists_the_variables_and_parameters_of_the_dags() -> None:
    document, dags = (ROOT / "docs" / "scheduling.md").read_text(), DAG_FILE.read_text()
    variables = re.findall(r'environ\.get\("(\w+)", "(.*)"\)', dags)
    assert re.findall(r"^   \| `(EMR_USAGE_\w+)` \| `(.*?)` \|", document, re.MULTILINE) == variables
    for name in re.findall(r'^ +"(\w+)": Param\(', dags, re.MULTILINE):
        assert re.search(rf"^\| .*`{name}`.* \| ", document, re.MULTILINE), name


def test_the_container_runs_as_the_user_of_the_image() -> None:
    user = cronjob()["template"]["spec"]["securityContext"]["runAsUser"]
    assert f"\nUSER {user}:{user}\n" in (DEPLOY / "Dockerfile").read_text()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert container()["image"] == f"emr-usage:{version}"


def test_dockerignore_allows_exactly_what_the_image_copies() -> None:
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    allowed = set(re.findall(r"^!(.*)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE))
    assert names == allowed
    assert all((ROOT / name).exists() for name in names)


def test_the_crontab_entry_logs_output_and_prints_only_failures(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "emr-usage").symlink_to(COMMAND)
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "config.toml").write_text("[sources.emr_serverless]\nlookback_huors = 24\n")
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}
    command = cron_command().replace("/srv/emr-usage", str(tmp_path))
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
    log = tmp_path / "run.log"
    assert (done.stdout, done.stderr) == (f"emr-usage run exited with {USAGE}: see {log}\n", "")
    assert "lookback_huors" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not on this machine")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for path in (DEPLOY / "emr-usage.service", DEPLOY / "emr-usage.timer"):
        (tmp_path / path.name).write_text(path.read_text().replace("/srv/emr-usage/.venv/bin/emr-usage", str(COMMAND)))
    units = [str(tmp_path / "emr-usage.service"), str(tmp_path / "emr-usage.timer")]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    # Also says what it does not know and ignores, which is no failure to it.
    assert (done.returncode, done.stderr) == (0, "")


class TestLinters:
    pytestmark = in_airflows_environment

    def test_hadolint_accepts_the_dockerfile(self) -> None:
        subprocess.run([BIN / "hadolint", DEPLOY / "Dockerfile"], check=True)

    def test_kubernetes_schemas_accept_the_cronjob(self) -> None:
        subprocess.run([BIN / "kubernetes-validate", "--strict", DEPLOY / "cronjob.yaml"], check=True)
