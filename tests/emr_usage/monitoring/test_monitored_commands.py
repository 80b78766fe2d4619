"""Commands write metrics, notify and ping with every exit code, and failing webhooks do not change it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from artifacts import KEPT_FILES, artifacts
from cli_harness import CliHarness
from emr_usage.cli import main
from emr_usage.emulator import AccessKey, Faults
from emr_usage.monitoring import webhooks
from emr_usage.monitoring.metrics import FAMILIES
from receiver import Behaviour, Receiver, receiving
from small_account import REGIONS, pass_a_night

SECRET = "SecretOfTheAddress"
Metrics = dict[tuple[str, ...], float]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def read_metrics(path: Path) -> Metrics:
    """Return the samples of a file by name without prefix and by labels, the database apart; both parsers have to agree."""
    found: list[Metrics] = []
    for parse in (parse_openmetrics, parse_prometheus):
        samples: Metrics = {}
        for family in parse(path.read_text(encoding="utf-8")):
            for sample in family.samples:
                labels = [value for name, value in sample.labels.items() if name != "database"]
                samples[sample.name.removeprefix("emr_usage_"), *labels] = float(sample.value)
        found.append(samples)
    assert found[0] == found[1]
    return found[0]


def messages(receiver: Receiver) -> list[Any]:
    """Return the bodies of the notifications."""
    return [body for _, path, body in receiver.received if path == "/hook"]


def assert_shows(status: dict[str, Any], metrics: Metrics) -> None:
    """See that `status` shows the figures of a metrics file that was written before: the clock alone has moved on."""
    for workspace in status["workspaces"]:
        name = workspace["workspace_id"]
        for axis, column in (("submitted", "started"), ("ended", "ended")):
            until = datetime.fromisoformat(workspace[f"{column}_through"]).timestamp()
            assert metrics["certified_until_timestamp_seconds", name, axis] == until
            assert metrics["certified_lag_seconds", name, axis] <= workspace[f"{column}_lag_seconds"]
        assert metrics["open_runs", name] == workspace["open_runs"]
    assert {key[1]: value for key, value in metrics.items() if key[0] == "table_rows"} == status["table_rows"]
    assert {key[1]: value for key, value in metrics.items() if key[0] == "windows"} == status["windows"]
    assert metrics["requests_total",] == status["requests"]
    assert metrics["requests_throttled_total",] == status["throttled"]


def test_successful_failed_and_incomplete_loads_are_monitored(cli: CliHarness, receiver: Receiver) -> None:
    file = cli.folder / "metrics" / "emr.prom"
    monitoring = ("--metrics", str(file), "--notify", f"{receiver.url}/hook", "--ping", f"{receiver.url}/ping")

    cli.load_whole(*monitoring)
    assert receiver.paths[0] == "/ping/start"
    assert sorted(receiver.paths[1:]) == ["/hook", "/ping"]
    (message,) = messages(receiver)
    assert (message["status"], message["exit_code"], message["problems"]) == ("complete", 0, [])
    assert "New fields without a column" in message["findings"][0]
    complete = read_metrics(file)
    assert {name for name, *_ in complete} == {family.sample_name.removeprefix("emr_usage_") for family in FAMILIES}
    assert complete["exit_code", "load"] == 0
    assert complete["table_rows", "job_runs"] == cli.query("SELECT count(*) FROM emr_raw.job_runs")[0][0]
    assert complete["last_run_timestamp_seconds", "load"] == complete["last_success_timestamp_seconds", "load"]
    assert_shows(cli.run("status", "--json", "--metrics", str(file)).facts, complete)

    receiver.received.clear()
    keys, cli.emulator.access_keys = cli.emulator.access_keys, [AccessKey("another", "key")]
    failed = cli.load(*monitoring)
    assert failed.code == 1
    assert receiver.paths[0] == "/ping/start"
    assert sorted(receiver.paths[1:]) == ["/hook", "/ping/fail"]
    (message,) = messages(receiver)
    assert (message["status"], message["exit_code"], message["problems"]) == ("failed", 1, [failed.sentence])
    metrics = read_metrics(file)
    assert (metrics["exit_code", "load"], metrics["exit_code", "status"]) == (1, 0)
    assert metrics["last_success_timestamp_seconds", "load"] == complete["last_success_timestamp_seconds", "load"]
    assert metrics["last_run_timestamp_seconds", "load"] > complete["last_run_timestamp_seconds", "load"]
    assert metrics["certified_lag_seconds", "w-one", "ended"] > complete["certified_lag_seconds", "w-one", "ended"]

    receiver.received.clear()
    cli.emulator.access_keys, cli.emulator.faults = keys, Faults(denied={"w-two": (403, "NoPermission")})
    pass_a_night(cli.emulator)
    incomplete = cli.load(*monitoring)
    assert incomplete.code == 3
    (message,) = messages(receiver)
    assert (message["status"], message["exit_code"]) == ("incomplete", 3)
    assert all(problem.startswith("Incomplete: ") and "w-two" in problem for problem in message["problems"])
    assert "/ping/fail" in receiver.paths
    metrics = read_metrics(file)
    assert metrics["exit_code", "load"] == 3
    assert metrics["windows", "failed"] == len(incomplete.facts["incomplete"]) > 0
    until = {name: metrics["certified_until_timestamp_seconds", name, "ended"] for name in REGIONS}
    assert until["w-one"] > until["w-two"]

    assert_keeps_its_figures(cli, file)


def assert_keeps_its_figures(cli: CliHarness, file: Path) -> None:
    """See that a database that cannot be read is measured as it was, but for its lag."""
    before = read_metrics(file)
    cli.database.write_text("no database")
    assert cli.load("--metrics", str(file)).code == 1
    after = read_metrics(file)
    changed = {"certified_lag_seconds", "exit_code", "last_run_timestamp_seconds", "step_duration_seconds"}
    assert {key: value for key, value in after.items() if key[0] not in changed} == {
        key: value for key, value in before.items() if key[0] not in changed
    }
    lag = ("certified_lag_seconds", "w-one", "submitted")
    assert after[lag] > before[lag]


def test_webhook_urls_are_not_written_or_printed(cli: CliHarness, receiver: Receiver) -> None:
    """Neither printed nor in a file: dlt stores a trace of resolved settings, and its log is enabled."""
    receiver.status = 500
    cli.environment = KEPT_FILES | {
        "EMR_USAGE__NOTIFY_URL": f"{receiver.url}/{SECRET}?token={SECRET}",
        "EMR_USAGE__NOTIFY_FORMAT": "dingtalk",
        "EMR_USAGE__NOTIFY_SECRET": SECRET,
        "EMR_USAGE__PING_URL": f"{receiver.url.replace('//', f'//{SECRET}@')}/{SECRET}",
    }
    done = cli.load("--verbose", "--metrics", "emr.prom")
    assert done.code == 0
    assert (done.facts["status"], len(receiver.received)) == ("complete", 3)
    reason = "failed: it answered with status 500."
    (warning,) = [line for line in done.complaints if line.startswith("warning: ")]
    assert warning == f"warning: The ping to 127.0.0.1 {reason} The notification to 127.0.0.1 {reason}"
    assert [place for place, text in artifacts(cli, done).items() if SECRET in text] == []


@pytest.mark.parametrize("behaviour", ["answer", "hang", "redirect"])
def test_a_failing_webhook_is_a_warning(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour
) -> None:
    """Exit code and output are the same, and the command does not wait for a server that hangs."""
    monkeypatch.setattr(webhooks, "STEP_SECONDS", 0.2)
    monkeypatch.chdir(tmp_path)
    receiver.behaviour, receiver.status, receiver.redirect_to = behaviour, 500, f"{receiver.url}/elsewhere"
    urls = ("--notify", f"{receiver.url}/{SECRET}", "--ping", f"{receiver.url}/{SECRET}")
    arguments = ["load", "--json", "--region", "cn-hangzhou", "--initial-days", "0"]
    alone = CliRunner().invoke(main, arguments)
    done = CliRunner().invoke(main, [*arguments, *urls])
    assert not receiver.released.is_set()
    assert done.exit_code == alone.exit_code == 2
    assert done.stdout == alone.stdout
    (warning,) = done.stderr.removeprefix(alone.stderr).splitlines()
    assert re.fullmatch(r"warning: The ping to 127\.0\.0\.1 failed: .*\. The notification to 127\.0\.0\.1 failed: .*\.", warning)
    assert SECRET not in done.output
    assert len(receiver.received) == 3


def test_an_unwritable_metrics_file_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    done = CliRunner().invoke(main, ["status", "--metrics", "file/emr.prom"])
    assert done.exit_code == 1
    assert done.stderr.splitlines()[1:] == ["warning: The metrics file file/emr.prom cannot be written (Not a directory)."]


def test_an_invalid_url_ends_the_command_before_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["load", "--region", "cn-hangzhou", "--notify", f"hooks.example.org/{SECRET}"])
    assert done.exit_code == 2
    assert "The setting notify_url cannot be used. It must be an http or https address." in done.stderr
    assert SECRET not in done.output
    assert list(tmp_path.iterdir()) == []
