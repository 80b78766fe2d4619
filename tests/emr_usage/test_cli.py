"""The command as a user runs it: its output, exit codes, and the state after failures."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import click
import duckdb
import pytest
from click.testing import CliRunner
from rich.console import Console

from cli_harness import COMMAND, SEVERAL_PACKAGES, CliHarness, assert_readable
from emr_serverless import Load
from emr_usage import progress
from emr_usage.cli import main
from emr_usage.emulator import DEFAULT_KEY, AccessKey, Faults
from emr_usage.emulator.gateway import RequestRecord
from gate import Gate
from process_pool import FaultInjection
from screen import on_a_terminal
from small_account import NOW, REGIONS, pass_a_night, served

COPY_JOB = "dlt.destinations.impl.duckdb.duck:DuckDbCopyJob.run"
SQL_JOB = "dlt.destinations.job_client_impl:SqlLoadJob.run"
LOAD_FACTS = {
    *("status", "exit_code", "mode", "load", "horizon", "target", "workspaces", "rows", "requests", "packages", "windows"),
    *("throttled", "unknown_fields", "new_fields", "hidden_defaults", "missing_figures", "seconds", "rows_per_second"),
    "incomplete",
}
STATUS_FACTS = {
    *("last_load", "workspaces", "incomplete", "missing_figures", "windows", "table_rows", "requests", "throttled"),
}
INCOMPLETE_FACTS = {"resource", "workspace_id", "axis", "asked", "status", "total_count", "rows_distinct", "error"}


def first_start_ms(requests: list[RequestRecord]) -> int:
    """Return the first start time that requests ask for, but for those of all times."""
    starts = [json.loads(request.query["startTime"])["startTime"] for request in requests if "startTime" in request.query]
    return min(int(start) for start in starts if start > 1)


def utc_ms(day: str) -> int:
    """Return a day's midnight in epoch milliseconds."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)


def commands() -> dict[str, click.Command]:
    """Return every command by the words that call it."""
    return {"": main, **main.commands}


class TestHelp:
    """The output of `--help`."""

    @pytest.mark.parametrize("name", commands())
    def test_help_begins_with_an_example(self, name: str) -> None:
        result = CliRunner().invoke(main, [*([name] if name else []), "--help"], prog_name="emr-usage")
        assert result.exit_code == 0
        usage, examples, first = [line.strip() for line in result.output.splitlines() if line.strip()][:3]
        assert usage.startswith("Usage: emr-usage")
        assert examples == "Examples:"
        assert first.startswith(f"emr-usage {name}")

    def test_every_option_has_a_help_text(self) -> None:
        for command in commands().values():
            for option in command.params:
                assert isinstance(option, click.Argument) or getattr(option, "help", None), f"{command.name} {option.name}"


class TestLoad:
    """Successful loads and their output."""

    def test_load_and_status_in_an_empty_folder(self, tmp_path: Path) -> None:
        """The installed command instead of a forked child, with the key from the environment by the vendor's default chain."""
        with served() as emulator:
            cli = CliHarness(tmp_path, emulator, REGIONS, environment=SEVERAL_PACKAGES)
            facts = cli.load_whole().facts
            assert facts.keys() == LOAD_FACTS
            assert (
                facts
                | {
                    "status": "complete",
                    "exit_code": 0,
                    "mode": "load",
                    "horizon": "2026-11-01T02:00:00+00:00",
                    "target": "emr.duckdb",
                    "workspaces": ["w-one", "w-three", "w-two"],
                    "throttled": 0,
                    "incomplete": [],
                }
                == facts
            )
            assert facts["packages"] >= 2
            assert facts["windows"].keys() == {"complete"}
            assert facts["unknown_fields"] == {"job_runs.invented": facts["rows"]}
            status = cli.run("status", "--json")
            assert status.code == 0
            assert status.facts.keys() == STATUS_FACTS
            assert status.facts["last_load"] == facts["load"]
            for workspace in status.facts["workspaces"]:
                name = workspace["workspace_id"]
                runs = emulator.state.runs(name)
                begun = [run for run in runs if run.submit_ms <= emulator.clock.now_ms()]
                assert workspace.pop("started_lag_seconds") == workspace.pop("ended_lag_seconds") > 0
                assert workspace == {
                    "workspace_id": name,
                    "started_through": "2026-11-01 02:00:00+00:00",
                    "ended_through": "2026-11-01 02:00:00+00:00",
                    "open_runs": sum(not run.ended_by(emulator.clock.now_ms()) for run in begun),
                    "job_runs": len(begun),
                    "hidden_defaults": [],
                    "forgotten": None,
                }
            assert {request.access_key_id for request in emulator.requests} == {DEFAULT_KEY.id}

    def test_load_and_status_without_json(self, cli: CliHarness) -> None:
        done = cli.run("load", *cli.source_options)
        assert done.code == 0
        assert re.search(
            r"^[\d,]+ rows in [\d.]+ s and [\d,]+ requests, (\d+) of \1 windows certified, into emr.duckdb\.$",
            done.out,
            re.MULTILINE,
        )
        assert "New fields without a column: job_runs.invented. They are in the column extra" in done.out
        assert "without a column" not in cli.run("load", *cli.source_options).out
        status = CliHarness(cli.folder, cli.emulator, REGIONS).run("status", COLUMNS="120")
        assert status.code == 0
        assert re.search(r"^emr.duckdb: last load 20\d\d-", status.out, re.MULTILINE)
        assert re.search(r"w-one\W+2026-11-01 02:00\W+2026-11-01 02:00\W+\d+\W+\d+", status.out)
        assert re.search(r"^Lag: [\d,.]+ hours in the workspace that is furthest behind$", status.out, re.MULTILINE)
        assert re.search(r"^Rows: job_runs [\d,]+, job_run_tags [\d,]+", status.out, re.MULTILINE)
        assert re.search(r"^Requests of all loads: [\d,]+, 0 of them throttled$", status.out, re.MULTILINE)
        assert "Incomplete windows" not in status.out

    def test_several_nights_in_several_regions(self, cli: CliHarness) -> None:
        for _ in range(3):
            cli.load_whole()
            pass_a_night(cli.emulator)
        asked = {(request.query["regionId"], request.workspace_id) for request in cli.emulator.requests}
        assert asked == {*((region, name) for name, region in REGIONS.items()), *((region, None) for region in REGIONS.values())}

    def test_only_the_selected_workspaces_are_loaded(self, cli: CliHarness) -> None:
        cli.regions = {"w-two": "cn-hangzhou"}
        assert cli.load_whole("--workspace", "w-two").facts["workspaces"] == ["w-two"]
        assert {request.workspace_id for request in cli.emulator.requests} == {None, "w-two"}

    def test_an_earlier_time_can_be_replayed(self, cli: CliHarness) -> None:
        """`--as-of` requests runs submitted until then, and never moves a cursor back."""
        cli.emulator.clock.advance(days=3)
        earlier = NOW.isoformat()
        first = cli.run("load", "--json", *cli.source_options, "--as-of", earlier)
        assert (first.code, first.facts["horizon"]) == (0, earlier)
        until_then = {run.job_run_id for run in cli.emulator.state.runs("w-one") if run.submit_ms <= NOW.timestamp() * 1000}
        loaded = {row[0] for row in cli.query("SELECT job_run_id FROM emr_raw.job_runs WHERE workspace_id = 'w-one'")}
        assert until_then <= loaded
        cli.load_whole()
        through = cli.run("status", "--json").facts["workspaces"]
        assert cli.run("load", "--json", *cli.source_options, "--as-of", earlier).code == 0
        assert [row["started_through"] for row in cli.run("status", "--json").facts["workspaces"]] == [
            row["started_through"] for row in through
        ]
        pass_a_night(cli.emulator)
        cli.load_whole()

    def test_temporary_keys_from_dlts_configuration(self, cli: CliHarness) -> None:
        key = AccessKey("STS.Temporary", "temporary-secret", "temporary-token")
        cli.emulator.access_keys = [key]
        cli.environment = {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": "",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "",
            "SOURCES__EMR_SERVERLESS__CREDENTIALS__ACCESS_KEY_ID": key.id,
            "SOURCES__EMR_SERVERLESS__CREDENTIALS__ACCESS_KEY_SECRET": key.secret,
            "SOURCES__EMR_SERVERLESS__CREDENTIALS__SECURITY_TOKEN": key.security_token or "",
        }
        cli.load_whole()


@dataclass(frozen=True)
class Trouble:
    """One thing that goes wrong for a while: how it is brought about, and what the command says."""

    begin: Callable[[CliHarness], None]
    code: int
    error_code: str
    parts: tuple[str, ...]
    options: tuple[str, ...] = ()


def environment(**variables: str) -> Callable[[CliHarness], None]:
    """Give a command other variables."""
    return lambda cli: cli.environment.update(variables)


def faults(**changes: Any) -> Callable[[CliHarness], None]:
    """Let the API behave otherwise."""
    return lambda cli: setattr(cli.emulator, "faults", Faults(**changes))


TROUBLES = {
    "an unreachable endpoint": Trouble(
        lambda _: None,
        *(1, "ReachEndpointError", ("127.0.0.1:9 did not answer", "Check the region, the --endpoint, the network")),
        options=("--endpoint", "http://127.0.0.1:9"),
    ),
    "an endpoint without encryption": Trouble(
        lambda _: None,
        *(2, "CheckSettingsError", ("plain HTTP", "Use https")),
        options=("--endpoint", "http://emr.example.com"),
    ),
    "an unknown key": Trouble(
        environment(ALIBABA_CLOUD_ACCESS_KEY_ID="LTAI5tNobodyKnowsThis"),
        *(1, "InvalidAccessKeyId.NotFound", ("Specified access key is not found", "to a key that is active")),
    ),
    "a wrong secret": Trouble(
        environment(ALIBABA_CLOUD_ACCESS_KEY_SECRET="wrong-secret"),
        *(1, "SignatureDoesNotMatch", ("code SignatureDoesNotMatch", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")),
    ),
    "no key": Trouble(
        environment(ALIBABA_CLOUD_ACCESS_KEY_ID="", ALIBABA_CLOUD_ACCESS_KEY_SECRET=""),
        *(1, "CheckCredentialsError", ("No Alibaba Cloud access key was found", "Set ALIBABA_CLOUD_ACCESS_KEY_ID")),
    ),
    "a skewed clock": Trouble(
        faults(clock_skew_seconds=20 * 60),
        *(1, "InvalidTimeStamp.Expired", ("clock is 20 minutes behind the API's", "Set this machine's clock")),
    ),
    "no permission to list workspaces": Trouble(
        faults(denied={"ListWorkspaces": (403, "Forbidden.RAM")}),
        *(1, "Forbidden.RAM", ("Grant the RAM action emr-serverless-spark:ListWorkspaces",)),
    ),
    "no permission to list job runs": Trouble(
        faults(denied={"ListJobRuns": (403, "NoPermission")}),
        *(1, "NoPermission", ("Grant the RAM action emr-serverless-spark:ListJobRuns",)),
    ),
    "an unknown workspace": Trouble(
        lambda _: None,
        *(1, "FindWorkspaceError", ("Workspace w-nowhere is not among those visible in ap-southeast-1, cn-hangzhou",)),
        options=("--workspace", "w-nowhere"),
    ),
    "no region": Trouble(
        lambda _: None,
        *(2, "MissingSetting", ("A setting is missing: region_ids", "Give --region")),
        options=("without regions",),
    ),
    "an unavailable API": Trouble(
        # Each attempt is told to come back at once: the waits are not what is tried here.
        faults(rates={"throttle_503_retry_after": 1.0}, retry_after_ms=1),
        *(1, "Throttling.Api", ("Run the same command again later",)),
    ),
}


class TestFailures:
    """Failures: each has its own message, the database is readable, and the next load is complete."""

    @pytest.mark.parametrize("name", TROUBLES)
    def test_failures_before_the_first_load(self, cli: CliHarness, name: str) -> None:
        self.assert_told(cli, TROUBLES[name])

    @pytest.mark.soak
    def test_consecutive_failures_after_a_successful_load(self, cli: CliHarness) -> None:
        cli.load_whole()
        pass_a_night(cli.emulator)
        for trouble in TROUBLES.values():
            self.assert_told(cli, trouble)
        cli.load_whole()

    @staticmethod
    def assert_told(cli: CliHarness, trouble: Trouble) -> None:
        trouble.begin(cli)
        source = ["--endpoint", cli.emulator.url] if trouble.options == ("without regions",) else cli.source_options
        options = [option for option in trouble.options if option != "without regions"]
        done = cli.run("load", "--json", *source, *options)
        assert done.code == trouble.code, done
        for part in trouble.parts:
            assert part in done.sentence
        facts = done.facts
        if "error" in facts:
            assert facts == {
                "status": "failed",
                "exit_code": trouble.code,
                "error": {"code": trouble.error_code, "sentence": done.sentence},
            }
        else:
            assert (facts["status"], facts["exit_code"]) == ("failed", trouble.code)
        cli.environment, cli.emulator.faults = {}, Faults()
        assert_readable(cli.database)

    def test_invalid_usage(self, cli: CliHarness) -> None:
        load = ["load", "--region", "cn-hangzhou"]
        for arguments, sentence in (
            (["load", "--as-of", "yesterday"], "'yesterday' is not a time; write it as 2026-01-31"),
            (["backfill", "--from", "2026-02-01", "--to", "2026-01-01"], "--to must be later than --from."),
            (["backfill", "--from", "2026-02-01"], "Missing option '--to'"),
            (["load", "--as-of", "0001-01-01T00:00:00+08:00"], "give 1970-01-01 or later"),
            ([*load, "--destination", "nosuch"], "dlt has no destination nosuch"),
            ([*load, "--destination", "sqlalchemy"], "would cut long texts"),
            ([*load, "--table-format", "delta"], "The destination duckdb has no table formats"),
            ([*load, "--initial-days", "0"], "--initial-days"),
            ([*load, "--max-connections", "0"], "--max-connections"),
            ([*load, "--region", "cn-hangzhou"], "'cn-hangzhou' is there twice"),
            ([*load, "--workspace", ""], "item 1 is empty"),
            ([*load, "--endpoint", ""], "leave it out for the public endpoint"),
        ):
            done = cli.run(*arguments)
            assert done.code == 2
            assert sentence in done.err
        assert not cli.database.exists()

    def test_verbose_prints_the_traceback(self, cli: CliHarness) -> None:
        environment(ALIBABA_CLOUD_ACCESS_KEY_SECRET="wrong-secret")(cli)
        done = cli.run("load", "--verbose", *cli.source_options)
        assert done.code == 1
        assert "Traceback (most recent call last)" in done.err
        assert "wrong-secret" not in done.err

    def test_status_before_the_first_load(self, cli: CliHarness) -> None:
        done = cli.run("status", "--json")
        assert (done.code, done.facts["error"]["code"]) == (1, "NoDatabase")
        assert "emr-usage load --region REGION" in done.sentence
        assert not cli.database.exists()

    def test_a_failing_credential_chain_is_reported_in_one_sentence(self, cli: CliHarness) -> None:
        """The vendor's library logs tracebacks and cached credentials: neither is shown."""
        environment(
            ALIBABA_CLOUD_ACCESS_KEY_ID="",
            ALIBABA_CLOUD_ACCESS_KEY_SECRET="",
            ALIBABA_CLOUD_CREDENTIALS_URI=f"{cli.emulator.url}/no-such-place",
        )(cli)
        done = cli.load()
        assert done.code == 1
        assert done.complaints == [f"Error: {done.sentence}"]


class TestDatabase:
    """The DuckDB file: in use, invalid, deleted, or one of two."""

    def test_a_failed_first_load_leaves_no_database(self, cli: CliHarness) -> None:
        assert cli.load(ALIBABA_CLOUD_ACCESS_KEY_SECRET="wrong-secret").code == 1
        assert not cli.database.exists()
        assert cli.run("status", "--json").facts["error"]["code"] == "NoDatabase"
        cli.load_whole()

    def test_an_empty_database_is_reported_as_not_loaded(self, cli: CliHarness) -> None:
        duckdb.connect(str(cli.database)).close()
        for arguments in (["status"], ["build"], ["report"], ["explain", "jr-1"]):
            done = cli.run(*arguments, "--json")
            assert (done.code, done.facts["error"]["code"]) == (1, "NothingLoaded"), arguments
            assert "Load first: emr-usage load --region REGION" in done.sentence
        cli.load_whole()

    def test_a_database_with_denied_loads_only_is_reported_as_not_loaded(self, cli: CliHarness) -> None:
        cli.emulator.faults = Faults(denied={"ListJobRuns": (403, "NoPermission")})
        assert cli.load().code == 1
        assert cli.run("status", "--json").code == 3
        assert cli.run("build", "--json").facts["error"]["code"] == "NothingLoaded"
        cli.emulator.faults = Faults()
        pass_a_night(cli.emulator)
        cli.load_whole()

    def test_a_database_that_is_open_in_another_program_is_reported(self, cli: CliHarness) -> None:
        with duckdb.connect(str(cli.database)):
            done = cli.load()
            assert (done.code, done.facts["error"]["code"]) == (4, "DatabaseHeld")
            assert f"The database emr.duckdb is in use by another program (process {os.getpid()})" in done.sentence
        assert_readable(cli.database)
        cli.load_whole()
        pass_a_night(cli.emulator)
        with duckdb.connect(str(cli.database), read_only=True):
            assert cli.load().facts["error"]["code"] == "DatabaseHeld"
            assert cli.run("status", "--json").code in {0, 4}
        cli.load_whole()

    def test_two_loads_at_once(self, cli: CliHarness) -> None:
        gate = cli.emulator.faults = Gate(passing=5)
        with cli.start("load", "--json", *cli.source_options) as first:
            assert gate.reached.wait(60)
            second = cli.load()
            gate.opened.set()
            done = cli.end(first)
        assert (second.code, second.facts["error"]["code"]) == (4, "Busy")
        assert f"in use by another emr-usage: process {first.pid} of user" in second.sentence
        assert done.code == 0, done
        cli.assert_whole()

    def test_a_file_that_is_not_a_database_is_reported_and_kept(self, cli: CliHarness) -> None:
        cli.database.write_text("my notes, which nobody may delete")
        done = cli.load()
        assert (done.code, done.facts["error"]["code"]) == (1, "DatabaseDamaged")
        assert "The file emr.duckdb is not a DuckDB database" in done.sentence
        assert cli.database.read_text() == "my notes, which nobody may delete"
        cli.database.unlink()
        cli.load_whole()

    def test_a_deleted_database_is_loaded_again_completely(self, cli: CliHarness) -> None:
        cli.load_whole()
        pass_a_night(cli.emulator)
        cli.database.unlink()
        cli.load_whole()

    def test_deleted_working_files_are_restored_from_the_database(self, cli: CliHarness) -> None:
        cli.load_whole()
        before = len(cli.emulator.requests)
        pass_a_night(cli.emulator)
        (cli.folder / "emr.duckdb.dlt").rename(cli.folder / "elsewhere")
        cli.load_whole()
        # The cursors came back from the database: the night and the lookback alone were asked for.
        assert cli.emulator.clock.now_ms() - first_start_ms(cli.emulator.requests[before:]) < 3 * 86_400_000

    def test_a_relative_path_is_resolved_from_the_current_folder(self, cli: CliHarness) -> None:
        """dlt would resolve it from the folder of the first load, and load into another file."""
        cli.load_whole()
        pass_a_night(cli.emulator)
        below = CliHarness(cli.folder / "below", cli.emulator, cli.regions, cli.process_pool)
        below.folder.mkdir()
        assert below.load("--database", "../emr.duckdb").code == 0
        cli.assert_whole()

    @pytest.mark.parametrize("data_dir", [pytest.param("", marks=pytest.mark.soak), "all"])
    def test_two_databases_share_no_state(self, cli: CliHarness, data_dir: str) -> None:
        """Also where `DLT_DATA_DIR` puts the working files of both into one folder."""
        cli.environment = {"DLT_DATA_DIR": str(cli.folder / data_dir) if data_dir else ""}
        cli.load_whole()
        pass_a_night(cli.emulator)
        other = CliHarness(cli.folder / "other", cli.emulator, cli.regions, cli.process_pool, cli.environment)
        other.folder.mkdir()
        other.load_whole()
        cli.load_whole()
        assert cli.run("status", "--json").facts["last_load"] != other.run("status", "--json").facts["last_load"]


class TestInterrupts:
    """Ctrl-C and the SIGTERM of a scheduler, at any time."""

    @pytest.mark.parametrize(
        "number", [signal.SIGTERM, *(pytest.param(number, marks=pytest.mark.soak) for number in (signal.SIGINT, signal.SIGHUP))]
    )
    def test_a_load_can_be_stopped_while_the_api_does_not_respond(self, cli: CliHarness, number: signal.Signals) -> None:
        gate = cli.emulator.faults = Gate(passing=8)
        with cli.start("load", "--json", *cli.source_options) as process:
            assert gate.reached.wait(60)
            process.send_signal(number)
            done = cli.end(process)
            gate.opened.set()
        cli.emulator.faults = Faults()
        self.assert_stopped(cli, done.code, done.facts, done.err)

    @pytest.mark.parametrize(
        "place",
        [
            FaultInjection("dlt.normalize.normalize:Normalize.spool_files", action="SIGINT"),
            FaultInjection(COPY_JOB, action="SIGINT"),
            # The last job of a package: dlt would forget the signal, and the load would go on.
            pytest.param(FaultInjection(SQL_JOB, "after", 8, action="SIGINT"), marks=pytest.mark.soak),
            FaultInjection(SQL_JOB, "after", 8, action="SIGTERM"),
            pytest.param(FaultInjection(SQL_JOB, "after", 8, action="SIGHUP"), marks=pytest.mark.soak),
            pytest.param(FaultInjection(COPY_JOB, action="SIGHUP"), marks=pytest.mark.soak),
            pytest.param(
                FaultInjection("dlt.load.load:Load.complete_package", "after", action="SIGTERM"), marks=pytest.mark.soak
            ),
        ],
        ids=lambda fault: f"{fault.place.partition(':')[2]} {fault.action}",
    )
    def test_a_load_can_be_stopped_in_any_step_of_dlt(self, cli: CliHarness, place: FaultInjection) -> None:
        cli.environment = SEVERAL_PACKAGES
        done = cli.load(fault=place)
        self.assert_stopped(cli, done.code, done.facts, done.err)

    def test_a_load_can_be_stopped_with_one_dlt_worker(self, cli: CliHarness) -> None:
        """Jobs then run in the main thread, and dlt treats the interrupt as an error of the job."""
        done = cli.load(fault=FaultInjection(COPY_JOB, action="SIGINT"), LOAD__WORKERS="1")
        self.assert_stopped(cli, done.code, done.facts, done.err)

    @staticmethod
    def assert_stopped(cli: CliHarness, code: int, facts: dict[str, Any], err: str) -> None:
        assert code == 1
        assert facts["error"] == {
            "code": "Stopped",
            "sentence": "Stopped. Committed rows remain; run the same command again to resume.",
        }
        assert "Traceback" not in err
        assert_readable(cli.database)
        pass_a_night(cli.emulator)
        cli.load_whole()


class TestIncomplete:
    """An incomplete load exits with 3 and reports its missing ranges until they are certified."""

    @pytest.mark.parametrize(("http_status", "code"), [(403, "NoPermission"), (404, "InvalidWorkspaceId.NotFound"), (400, None)])
    def test_a_workspace_denies_access(self, cli: CliHarness, http_status: int, code: str | None) -> None:
        cli.emulator.faults = Faults(denied={"w-two": (http_status, code)})
        done = cli.load()
        assert (done.code, done.facts["status"]) == (3, "incomplete")
        refused = done.facts["incomplete"]
        assert {row["workspace_id"] for row in refused} == {"w-two"}
        assert all(row.keys() == INCOMPLETE_FACTS for row in refused)
        if http_status == 403:
            advice = {re.search(r"Grant the RAM action emr-serverless-spark:(\w+)", row["error"])[1] for row in refused}  # type: ignore[index]
            assert advice == {"ListJobRuns", "ListWorkspaceQueues", "ListMembers"}
        recorded = cli.query("SELECT DISTINCT workspace_id, error_code FROM emr_raw.extraction_windows WHERE status = 'failed'")
        assert recorded == [("w-two", code or "FindWorkspaceError")]
        loaded = {row[0] for row in cli.query("SELECT DISTINCT workspace_id FROM emr_raw.job_runs")}
        assert loaded == {"w-one", "w-three"}

    def test_an_incomplete_range_is_reported_until_it_is_certified(self, cli: CliHarness) -> None:
        cli.emulator.faults = Faults(denied={"w-two": (403, "NoPermission")})
        assert cli.load().code == 3
        said = CliHarness(cli.folder, cli.emulator, REGIONS).run("status", COLUMNS="200")
        assert said.code == 3
        assert "Incomplete windows" in said.out
        assert re.search(r"w-two\W+submitted\W+.*failed", said.out)
        told = cli.run("load", *cli.source_options)
        assert told.code == 3
        assert "Incomplete: the runs of w-two submitted from 2026-" in told.out

        cli.emulator.faults = Faults()
        pass_a_night(cli.emulator)
        cli.load_whole()
        assert cli.run("status", "--json").facts["incomplete"] == []

    def test_a_window_that_is_never_answered_fails(self, cli: CliHarness) -> None:
        """The cursor does not pass it, and the next load requests it again."""
        day_ms = utc_ms("2026-10-28")

        class DayLost(Faults):
            """Never answers a window of w-two that holds the first moment of one day."""

            def take(self, request_key: str) -> str | None:
                path, _, query = request_key.partition("?")
                asked = parse_qs(query)
                start = json.loads(asked.get("startTime", ["{}"])[0])
                is_window = "w-two" in path and start.get("startTime", 0) > 0 and asked["maxResults"] == ["100"]
                lost = is_window and "endTime" not in asked and start["startTime"] < day_ms - 1 < start["endTime"]
                return "throttle_503_retry_after" if lost else super().take(request_key)

        # Not all of it fits on a page, and it is read in several windows.
        cli.emulator.page_limit = 2
        cli.environment = {"SOURCES__EMR_SERVERLESS__WINDOW_ROWS": "2"}
        cli.emulator.faults = DayLost(retry_after_ms=1)
        done = cli.load()
        assert done.code == 3
        (row,) = done.facts["incomplete"]
        assert (row["workspace_id"], row["axis"], row["status"]) == ("w-two", "start", "failed")
        facts = cli.run("status", "--json").facts
        (missing,) = facts["incomplete"]
        window_start = datetime.fromisoformat(missing["window_start"])
        assert missing["status"] == "failed"
        assert datetime(2026, 10, 24, tzinfo=UTC) < window_start <= datetime(2026, 10, 28, tzinfo=UTC)
        through = {workspace["workspace_id"]: workspace["started_through"] for workspace in facts["workspaces"]}
        assert datetime.fromisoformat(through["w-two"]) == window_start - timedelta(milliseconds=1)
        assert through["w-one"] == "2026-11-01 02:00:00+00:00"
        cli.emulator.faults = Faults()
        pass_a_night(cli.emulator)
        cli.load_whole()


class TestBackfill:
    """Reading a range of submit times again."""

    RANGE = ("--from", "2026-10-26", "--to", "2026-10-31")

    def test_a_backfill_resumes_and_does_not_change_the_cursors(self, cli: CliHarness) -> None:
        cli.environment = {
            "SOURCES__EMR_SERVERLESS__INITIAL_DAYS": "1",
            "SOURCES__EMR_SERVERLESS__PACKAGE_ROWS": "10",
            # One window after the other: the first packages certify the first of them.
            "SOURCES__EMR_SERVERLESS__MAX_CONNECTIONS": "1",
        }
        assert cli.load().code == 0
        cursors = cli.run("status", "--json").facts["workspaces"]

        stopped = self.backfill(cli, fault=FaultInjection("dlt.load.load:Load.complete_package", "after", 2, "SIGINT"))
        assert stopped.code == 1
        requests = self.requests_of(cli)
        resumed = self.backfill(cli)
        assert (resumed.code, resumed.facts["mode"]) == (0, "backfill")
        of_resumed = self.requests_of(cli, requests)
        again = self.backfill(cli)
        assert (again.code, again.facts["rows"]) == (0, 0)
        of_again = self.requests_of(cli, requests + of_resumed)
        forced = self.backfill(cli, "--force")
        assert forced.code == 0
        assert of_again < of_resumed
        assert 0 < resumed.facts["rows"] < forced.facts["rows"]

        after = cli.run("status", "--json").facts["workspaces"]
        assert [(row["started_through"], row["ended_through"]) for row in after] == [
            (row["started_through"], row["ended_through"]) for row in cursors
        ]
        first_ms, after_ms = (utc_ms(day) for day in self.RANGE[1::2])
        for workspace_id in REGIONS:
            asked = {run.job_run_id for run in cli.emulator.state.runs(workspace_id) if first_ms <= run.submit_ms < after_ms}
            rows = cli.query(f"SELECT job_run_id FROM emr_raw.job_runs WHERE workspace_id = '{workspace_id}'")
            assert asked <= {row[0] for row in rows}
        cli.environment = {"SOURCES__EMR_SERVERLESS__INITIAL_DAYS": "8"}
        pass_a_night(cli.emulator)
        assert cli.load().code == 0

    def backfill(self, cli: CliHarness, *arguments: str, fault: FaultInjection | None = None) -> Any:
        return cli.run("backfill", "--json", *self.RANGE, *cli.source_options, *arguments, fault=fault)

    @staticmethod
    def requests_of(cli: CliHarness, before: int = 0) -> int:
        axis = [request for request in cli.emulator.requests if '"startTime"' in json.dumps(request.query)]
        return len(axis) - before


class TestProgress:
    """The output while a load runs."""

    def test_progress_on_a_terminal_is_redrawn_in_place(self, tmp_path: Path) -> None:
        with served(faults=Faults(latency_seconds=0.03)) as emulator:
            cli = CliHarness(tmp_path, emulator, REGIONS)
            load = [str(COMMAND), "load", *cli.source_options, "--max-connections", "2"]
            screen, code = on_a_terminal(load, cli.folder, cli.usual_environment)
        assert code == 0
        drawn = re.search(
            r"\n(\d+) windows, ([\d,]+) rows, [\d,]+ rows/s, [12] in flight, 0 throttled, about [\d,]+ s left", screen
        )
        assert drawn, screen[-2000:]
        assert "\x1b[?25l" in screen, "the cursor is hidden while a line is redrawn"
        cli.assert_whole()

    def test_outside_a_terminal_progress_is_printed_as_occasional_lines(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seconds = iter([0.0, 1.0, 10.0, 12.0, 20.0])
        monkeypatch.setattr("emr_usage.progress.time.monotonic", lambda: next(seconds))
        text = StringIO()
        load = Load(lambda: NOW)
        with progress.live_display(Console(file=text, width=200), "loading") as display:
            for rows in (10, 20, 30, 40):
                load.stats.rows = rows
                display(load)
        assert text.getvalue().splitlines() == [
            "loading: 0 windows, 20 rows, 2 rows/s, 0 in flight, 0 throttled, time left unknown",
            "loading: 0 windows, 40 rows, 2 rows/s, 0 in flight, 0 throttled, time left unknown",
        ]
