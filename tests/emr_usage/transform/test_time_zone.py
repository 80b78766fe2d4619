"""The billing time zone is a setting, and changes only on request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs import PluggableRunContext

from emr_usage.cli import main
from mart_fixtures import MartDatabase, job_run, utc

ROOT = Path(__file__).parents[3]

ZONE = "EMR_USAGE__BILLING_TIME_ZONE"
ZONES = "SELECT billing_time_zone FROM builds ORDER BY build_number"


@pytest.fixture
def mart_db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MartDatabase:
    """Return a database beside no settings but those of the test."""
    monkeypatch.chdir(tmp_path)
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    mart_db.write(job_runs=[job_run("run", utc("2026-10-31 23:00"), utc("2026-10-31 23:30"), 1)])
    return mart_db


def build(mart_db: MartDatabase, code: int, *options: str) -> str:
    done = CliRunner().invoke(main, ["build", "--database", str(mart_db.target.database), *options])
    assert done.exit_code == code, done.output
    return done.stderr


def test_the_option_overrides_the_setting_and_a_change_requires_confirmation(
    mart_db: MartDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ZONE, "Europe/Berlin")
    build(mart_db, 0)
    build(mart_db, 0, "--billing-time-zone", "UTC", "--change-time-zone")
    refused = build(mart_db, 2)
    assert "The billing time zone of the last build is UTC, and that of this one would be Europe/Berlin" in refused
    assert "--change-time-zone" in refused
    monkeypatch.delenv(ZONE)
    assert "of the last build is UTC, and that of this one would be Asia/Shanghai" in build(mart_db, 2)
    assert mart_db.ask(ZONES) == [("Europe/Berlin",), ("UTC",)]
    assert len(mart_db.ask("FROM chargeback_monthly")) == 1


@pytest.fixture
def settings_of() -> Iterator[PluggableRunContext]:
    """Return what reads settings anew from a folder: a process reads its files once. Those of before are back afterwards."""
    context = Container()[PluggableRunContext]
    yield context
    # By its full path: the working directory is still that of the test.
    context.reload(str(ROOT))


def test_the_time_zone_can_be_set_in_the_config_file(mart_db: MartDatabase, settings_of: PluggableRunContext) -> None:
    folder = mart_db.target.database.with_name(".dlt")
    folder.mkdir()
    (folder / "config.toml").write_text('[emr_usage]\nbilling_time_zone = "Asia/Kolkata"\n', encoding="utf-8")
    settings_of.reload(str(mart_db.target.database.parent))
    built = CliRunner().invoke(main, ["build", "--database", str(mart_db.target.database)])
    assert built.exit_code == 0, built.output
    assert mart_db.ask(ZONES) == [("Asia/Kolkata",)]


@pytest.mark.parametrize("zone", ["asia/shanghai", "Mars/Olympus", "8", "'; drop"])
def test_an_unknown_time_zone_in_the_settings_is_refused(
    mart_db: MartDatabase, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv(ZONE, zone)
    assert "billing_time_zone is" in build(mart_db, 2)


@pytest.mark.parametrize("name", ["EMR_USAGE__BILLING_TIMEZONE", "EMR_USAGE__billing_time_zone", "EMR_USAGE__BILING_TIME_ZONE"])
def test_a_misspelled_setting_is_refused(mart_db: MartDatabase, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "UTC")
    told = build(mart_db, 2)
    assert f"{name} in the environment is not a setting. Did you mean {ZONE}?" in told


def test_a_misspelled_key_in_a_file_is_refused(mart_db: MartDatabase, settings_of: PluggableRunContext) -> None:
    folder = mart_db.target.database.with_name(".dlt")
    folder.mkdir()
    (folder / "config.toml").write_text('[emr_usage]\nworkers = 3\nbilling_timezone = "UTC"\n', encoding="utf-8")
    settings_of.reload(str(mart_db.target.database.parent))
    told = build(mart_db, 2)
    assert "emr_usage.billing_timezone in config.toml is not a setting. Did you mean emr_usage.billing_time_zone?" in told
