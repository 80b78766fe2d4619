"""The command reports "complete" only for ranges that are past, in the destination, and visible."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli_harness import CliHarness
from emr_usage.emulator import AccessKey, Faults
from small_account import REGIONS, pass_a_night

DAY = ("--from", "2026-10-28", "--to", "2026-10-29")


def certified(cli: CliHarness) -> list[tuple[str, str, str]]:
    """Return how far each workspace is certified; the lag is left out, as it grows with the real clock."""
    workspaces = cli.run("status", "--json").facts["workspaces"]
    return [(each["workspace_id"], each["started_through"], each["ended_through"]) for each in workspaces]


class TestFutureTimes:
    """Times in the future are not certified."""

    @pytest.mark.parametrize(
        ("command", "options"),
        [
            ("load", ("--as-of", "{later}")),
            ("run", ("--as-of", "{later}")),
            ("load", ("--as-of", "{now}")),
            ("backfill", ("--from", "2026-10-28", "--to", "{later}")),
            ("backfill", ("--from", "{later}", "--to", "{latest}")),
        ],
    )
    def test_a_time_in_the_future_is_refused(self, cli: CliHarness, command: str, options: tuple[str, ...]) -> None:
        cli.load_whole()
        before = certified(cli)
        now = datetime.now(UTC)
        times = {"now": now, "later": now + timedelta(days=30), "latest": now + timedelta(days=31)}
        given = [word.format(**{name: time.isoformat() for name, time in times.items()}) for word in options]
        # Of two --as-of the last one counts.
        done = cli.run(command, *cli.source_options, *given)
        assert done.code == 2
        assert done.sentence.startswith("--")
        assert "a minute ago. Give an earlier time" in done.sentence
        assert certified(cli) == before

    def test_a_backfill_behind_the_horizon_is_refused(self, cli: CliHarness) -> None:
        later = (cli.emulator.clock.now() + timedelta(days=1)).isoformat()
        latest = (cli.emulator.clock.now() + timedelta(days=2)).isoformat()
        done = cli.run("backfill", *cli.source_options, "--from", later, "--to", latest)
        assert done.code == 2
        assert "The backfill begins after the horizon" in done.sentence


class TestRestoredDatabases:
    """The state in the destination overrides that of the working folder."""

    @pytest.mark.soak
    def test_a_restored_backup_with_a_newer_working_folder_is_loaded_completely(self, cli: CliHarness) -> None:
        cli.load_whole()
        shutil.copy(cli.database, cli.folder / "backup")
        loaded = certified(cli)
        for _ in range(3):
            pass_a_night(cli.emulator)
            cli.load_whole()
        shutil.copy(cli.folder / "backup", cli.database)
        assert certified(cli) == loaded
        done = cli.load()
        assert done.code == 0
        assert any("the working folder holds a newer state than the database" in line for line in done.complaints)
        cli.assert_whole()
        cli.load_whole()

    def test_a_database_that_was_loaded_in_another_folder_is_loaded_completely(self, cli: CliHarness) -> None:
        cli.load_whole()
        elsewhere = CliHarness(cli.folder / "elsewhere", cli.emulator, cli.regions, cli.process_pool)
        elsewhere.folder.mkdir()
        shutil.copy(cli.database, elsewhere.database)
        for _ in range(2):
            pass_a_night(cli.emulator)
            elsewhere.load_whole()
        for _ in range(3):
            cli.load()
        shutil.copy(elsewhere.database, cli.database)
        pass_a_night(cli.emulator)
        assert cli.load().code == 0
        cli.assert_whole()

    def test_the_progress_of_a_backfill_counts_as_far_as_its_rows_exist(self, cli: CliHarness) -> None:
        assert cli.load("--initial-days", "1").code == 0
        shutil.copy(cli.database, cli.folder / "backup")
        assert cli.run("backfill", *cli.source_options, *DAY).code == 0
        rows = cli.query("SELECT count(*) FROM emr_raw.job_runs")
        shutil.copy(cli.folder / "backup", cli.database)
        assert cli.query("SELECT count(*) FROM emr_raw.job_runs") < rows
        done = cli.run("backfill", *cli.source_options, *DAY)
        assert done.code == 0
        assert "certified already" not in done.out
        assert cli.query("SELECT count(*) FROM emr_raw.job_runs") == rows


class TestMissingWorkspaces:
    """A workspace that is no longer visible is reported, even if it was not selected by its id."""

    def test_a_workspace_that_earlier_loads_read_is_reported_as_missing(self, cli: CliHarness) -> None:
        cli.load_whole()
        cli.emulator.state.withdraw_workspace("w-two")
        for _ in range(2):
            pass_a_night(cli.emulator)
            done = cli.load()
            assert (done.code, done.facts["status"]) == (3, "incomplete")
            assert [row["workspace_id"] for row in done.facts["incomplete"]] == ["w-two"]
            error = done.facts["incomplete"][0]["error"]
            assert "Workspace w-two was read by earlier loads and is no longer visible in cn-hangzhou" in error
            assert "--forget-workspace w-two" in error
        recorded = cli.query("SELECT workspace_id, status, error_code FROM emr_raw.extraction_windows WHERE status = 'failed'")
        assert recorded == [("w-two", "failed", "MissingWorkspaceError")] * 2
        assert cli.run("status").code == 3

    def test_a_workspace_is_forgotten_on_request_and_loaded_again_when_it_returns(self, cli: CliHarness) -> None:
        cli.load_whole()
        cli.emulator.state.withdraw_workspace("w-two")
        assert cli.load().code == 3
        assert cli.load("--forget-workspace", "w-two").code == 0
        for _ in range(10):
            pass_a_night(cli.emulator)
        assert cli.load().code == 0
        cli.emulator.state.add_workspace("w-two", "cn-hangzhou")
        # Further back than a first load: it continues from its cursors.
        cli.load_whole("--initial-days", "1")
        cli.emulator.state.withdraw_workspace("w-two")
        assert cli.load().code == 3

    def test_all_workspaces_that_earlier_loads_read_are_reported_as_missing(self, cli: CliHarness) -> None:
        cli.load_whole()
        for workspace_id in REGIONS:
            cli.emulator.state.withdraw_workspace(workspace_id)
        done = cli.load()
        assert done.code == 3
        assert {*REGIONS} <= {row["workspace_id"] for row in done.facts["incomplete"]}

    def test_other_workspaces_are_not_requested(self, cli: CliHarness) -> None:
        """Workspaces outside the selected regions and ids are not reported as missing."""
        cli.load_whole()
        cli.emulator.state.withdraw_workspace("w-two")
        elsewhere = ["--endpoint", cli.emulator.url, "--as-of", cli.emulator.clock.now().isoformat()]
        assert cli.run("load", *elsewhere, "--region", "ap-southeast-1").code == 0
        assert cli.run("load", *elsewhere, "--region", "cn-hangzhou", "--workspace", "w-one").code == 0
        assert cli.run("load", *elsewhere, "--region", "cn-hangzhou", "--workspace", "w-two").code != 0

    @pytest.mark.parametrize("workspace_id", ["w-one", "w-nosuch"])
    def test_only_a_missing_workspace_can_be_forgotten(self, cli: CliHarness, workspace_id: str) -> None:
        cli.load_whole()
        done = cli.run("load", *cli.source_options, "--forget-workspace", workspace_id)
        assert done.code == 2
        assert workspace_id in done.sentence

    def test_a_region_without_visible_workspaces_is_reported(self, cli: CliHarness) -> None:
        for workspace_id in REGIONS:
            cli.emulator.state.withdraw_workspace(workspace_id)
        done = cli.load()
        assert (done.code, done.facts["status"]) == (3, "incomplete")
        rows = sorted(done.facts["incomplete"], key=lambda row: str(row["error"]))
        for row, region_id in zip(rows, ("ap-southeast-1", "cn-hangzhou"), strict=True):
            assert row["error"].startswith(f"No workspace is visible in {region_id}")
            assert "emr-serverless-spark:ListWorkspaces" in row["error"]
            assert "member" in row["error"]


class TestBackfill:
    """The certificates that a backfill reports."""

    def test_only_certified_parts_are_reported_as_certified(self, cli: CliHarness) -> None:
        assert "certified already" not in cli.run("backfill", *cli.source_options, *DAY).out
        assert (
            "is certified already by an earlier run of the backfill. Use --force"
            in cli.run("backfill", *cli.source_options, *DAY).out
        )
        cli.emulator.state.add_workspace("w-new", "cn-hangzhou")
        told = cli.run("backfill", *cli.source_options, *DAY).out
        assert "is certified already by an earlier run of the backfill for w-one, w-three, w-two. Use --force" in told

    def test_a_range_without_runs_is_read(self, cli: CliHarness) -> None:
        done = cli.run("backfill", *cli.source_options, "--from", "2026-01-01", "--to", "2026-01-03")
        assert done.code == 0
        assert "certified already" not in done.out
        assert "certified already" not in done.out


class KeyChanges(Faults):
    """Has the API refuse the old key from a request on, when another is written to the place it comes from."""

    def __init__(self, cli: CliHarness, place: KeyPlace, nth: int) -> None:
        super().__init__()
        self._desk = cli
        self._place = place
        self._left = nth

    def take(self, request_key: str) -> str | None:
        """Count a request."""
        with self._lock:
            self._left -= 1
            if self._left == 0:
                new = AccessKey("STS.New", "new-secret", "new-token")
                self._place.write(self._desk.folder, new)
                self._desk.emulator.access_keys = [new]
        return super().take(request_key)


@dataclass(frozen=True)
class KeyPlace:
    """A file in which a key is kept."""

    file: str
    template: str

    def write(self, folder: Path, key: AccessKey) -> None:
        """Write a key into it."""
        path = folder / self.file
        path.parent.mkdir(exist_ok=True)
        path.write_text(self.template % (key.id, key.secret, key.security_token))


PLACES = {
    "dlt's secrets": KeyPlace(
        ".dlt/secrets.toml",
        '[sources.emr_serverless.credentials]\naccess_key_id = "%s"\naccess_key_secret = "%s"\nsecurity_token = "%s"\n',
    ),
    "the vendor's chain": KeyPlace(
        ".aliyun/config.json",
        '{"current": "default", "profiles": [{"name": "default", "mode": "StsToken",'
        ' "access_key_id": "%s", "access_key_secret": "%s", "sts_token": "%s"}]}',
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_token_that_expires_during_a_load_is_replaced(cli: CliHarness, place: str) -> None:
    old = AccessKey("STS.Old", "old-secret", "old-token", expires_ms=None)
    PLACES[place].write(cli.folder, old)
    cli.emulator.access_keys = [old]
    cli.environment = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ""}
    cli.emulator.faults = KeyChanges(cli, PLACES[place], 20)
    cli.load_whole()
    assert len(cli.emulator.requests) > 20
