"""No secret of the emulated company and no access key is written or printed by a load, complete or killed."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from artifacts import KEPT_FILES, artifacts, texts_of_files, texts_of_tables
from cli_harness import CliHarness
from emr_usage.emulator import SECRETS, AccessKey, Clock, Emulator, Faults, Variants, company
from process_pool import FaultInjection, Finished, ProcessPool
from small_account import NOW

KEY = AccessKey("LTAI5tOurOwnAccessKeyId", "OurOwnAccessKeySecret", "OurOwnSecurityToken")
OURS = (KEY.secret, KEY.security_token or "")
# What goes wrong on the way: each kind leaves texts of its own in logs, errors and the audit table.
FAULTS = {"throttle_429_retry_after": 0.05, "truncate": 0.02, "error_502_html": 0.02, "garbage": 0.02}


@pytest.fixture(scope="module")
def company_emulator() -> Iterator[Emulator]:
    """Serve the whole seeded company, with every detail in its lists, and a workspace that refuses."""
    state = company(8, NOW, days=4, runs_per_day=60)
    state.add_workspace("w-refuses")
    faults = Faults(rates=FAULTS, retry_after_ms=1, denied={"w-refuses": (403, "NoPermission")})
    variants = Variants(list_details=True)
    clock = Clock(int(NOW.timestamp() * 1000))
    with Emulator(state, clock, variants=variants, faults=faults, access_keys=[KEY]) as running:
        yield running
        assert running.failures == []


@pytest.fixture
def cli(tmp_path: Path, process_pool: ProcessPool, company_emulator: Emulator) -> CliHarness:
    regions = {row["workspaceId"]: row["regionId"] for row in company_emulator.state.workspaces()}
    key = {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY.id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": KEY.secret,
        "ALIBABA_CLOUD_SECURITY_TOKEN": KEY.security_token or "",
    }
    return CliHarness(tmp_path, company_emulator, regions, process_pool, KEPT_FILES | key)


def test_secrets_are_found_if_redaction_is_disabled(cli: CliHarness) -> None:
    """Without redaction the search finds every secret of the company, so it would find any that redaction missed."""
    cli.environment["SOURCES__EMR_SERVERLESS__REDACT"] = "off"
    assert cli.load("--verbose").code == 3
    in_tables = "\n".join(texts_of_tables(cli.database))
    in_files = "\n".join(texts_of_files(cli.folder))
    assert [secret for secret in SECRETS if secret not in in_tables] == []
    assert [secret for secret in SECRETS if secret not in in_files] == []


def test_a_complete_load_leaves_no_secret(cli: CliHarness) -> None:
    done = cli.load("--verbose")
    assert done.code == 3
    assert cli.query("SELECT count(*) > 200 FROM emr_raw.job_runs") == [(True,)]
    assert list(cli.folder.rglob("*.parquet")), "the packages are kept"
    assert_clean(cli, done)


def test_a_strict_load_leaves_no_secret(cli: CliHarness) -> None:
    """User values are stored only as digests, whose key is not in the database."""
    cli.environment["SOURCES__EMR_SERVERLESS__REDACT"] = "strict"
    done = cli.load("--verbose")
    assert done.code == 3
    assert_clean(cli, done)
    values = {value for (value,) in cli.query("SELECT config_item_value FROM emr_raw.job_run_configurations WHERE NOT _deleted")}
    arguments = {value for (value,) in cli.query("SELECT argument FROM emr_raw.job_run_arguments WHERE NOT _deleted")}
    assert all(re.fullmatch(r"(hmac:[0-9a-f]{32})?", value) for value in arguments)
    assert {value for value in values if not value.startswith("hmac:")} <= {
        "DLF",
        "HMS",
        "200",
        "400",
        "1000",
        "true",
        "false",
        "STATIC",
        "DYNAMIC",
        "zstd",
    }
    assert cli.query("SELECT count(DISTINCT arguments_digest) < count(*) FROM emr_raw.job_runs") == [(True,)], "reruns match"
    (key,) = cli.folder.glob("*.dlt/redact_key")
    assert key.read_text() not in "".join(texts_of_tables(cli.database)) + done.out + done.err


def test_digests_are_the_same_under_a_key_of_the_user(cli: CliHarness, tmp_path: Path) -> None:
    cli.environment |= {
        "SOURCES__EMR_SERVERLESS__REDACT": "strict",
        "SOURCES__EMR_SERVERLESS__REDACT_KEY": "a key of this test only",
    }
    digests = "SELECT job_run_id, arguments_digest FROM emr_raw.job_runs WHERE state = 'Success' ORDER BY ALL"
    assert cli.load().code == 3
    first = cli.query(digests)
    (tmp_path / "emr.duckdb").unlink()
    assert cli.load().code == 3
    assert cli.query(digests) == first
    assert not list(cli.folder.glob("*.dlt/redact_key"))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"REDACT": "true"}, "The setting redact = 'true' cannot be used"),
        ({"REDACT": "strict", "REDACT_KEY": "short"}, "a text of at least 16 characters"),
    ],
)
def test_redaction_that_cannot_be_used_is_refused(cli: CliHarness, settings: dict[str, str], sentence: str) -> None:
    cli.environment |= {f"SOURCES__EMR_SERVERLESS__{name}": value for name, value in settings.items()}
    done = cli.load()
    assert done.code == 2
    assert sentence in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("umask", [0o000, pytest.param(0o022, marks=pytest.mark.soak)])
def test_only_the_owner_can_read_databases_and_working_files(cli: CliHarness, umask: int) -> None:
    cli.process_pool = None
    before = os.umask(umask)
    try:
        assert cli.load().code == 3
        assert cli.run("build").code == 0
    finally:
        os.umask(before)
    database, folder = cli.database, cli.folder / "emr.duckdb.dlt"
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    made = [folder, *folder.rglob("*")]
    assert len(made) > 10
    assert {path.name: oct(path.stat().st_mode) for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077} == {}


@pytest.mark.parametrize(
    "fault",
    [
        FaultInjection("dlt.extract.extract:Extract.commit_packages"),
        FaultInjection("dlt.destinations.impl.duckdb.duck:DuckDbCopyJob.run", "after", 5),
        FaultInjection("dlt.destinations.job_client_impl:SqlLoadJob.run", "after", 3),
    ],
    ids=lambda fault: fault.place.partition(":")[2],
)
def test_a_killed_load_leaves_no_secret(cli: CliHarness, fault: FaultInjection) -> None:
    done = cli.load("--verbose", fault=fault)
    assert done.code < 0
    assert list(cli.folder.rglob("*.parquet")), "it left files behind"
    assert_clean(cli, done)


def test_a_failed_load_leaves_no_secret(cli: CliHarness) -> None:
    """With a traceback, which shows the arguments of functions."""
    cli.environment["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = wrong = "OurOwnMistypedSecret"
    done = cli.load("--verbose")
    assert done.code == 1
    assert "Traceback" in done.err
    assert wrong not in done.out + done.err
    assert_clean(cli, done)


def test_access_keys_from_dlts_configuration_are_not_written_or_printed(cli: CliHarness) -> None:
    settings = cli.folder / ".dlt"
    settings.mkdir()
    (settings / "secrets.toml").write_text(
        f'[sources.emr_serverless.credentials]\naccess_key_id = "{KEY.id}"\naccess_key_secret = "{KEY.secret}"\n'
        f'security_token = "{KEY.security_token}"\n'
    )
    cli.environment = KEPT_FILES | {"ALIBABA_CLOUD_ACCESS_KEY_ID": "", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": ""}
    done = cli.load("--verbose")
    assert done.code == 3
    (settings / "secrets.toml").unlink()
    assert_clean(cli, done)


def assert_clean(cli: CliHarness, done: Finished) -> None:
    """Search what was printed, every file as it is and unpacked, and every text of every table."""
    for place, text in artifacts(cli, done).items():
        found = [secret for secret in (*SECRETS, *OURS) if secret in text]
        assert found == [], f"{place} of {cli.folder}"
