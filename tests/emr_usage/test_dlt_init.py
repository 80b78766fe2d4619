"""`dlt init emr_serverless duckdb --location <this repository>` makes a project that runs, with nothing of ours installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from command import assert_equal, assert_no_doubles
from emr_usage.emulator import DEFAULT_KEY, Clock, Emulator, Switches
from small_account import REGIONS, small_account
from truth import actual_tables, expected_tables

ROOT = Path(__file__).parents[2]
DLT = Path(sys.executable).with_name("dlt")
PIPELINE = "emr_serverless_pipeline.py"
# Refuses what the project should have and does not, instead of finding it in this checkout.
ONLY_THE_COPY = """
import pathlib, runpy, sys
sys.path[:] = [".", *(path for path in sys.path if not pathlib.Path(path, "emr_serverless").is_dir())]
import emr_serverless
assert pathlib.Path(emr_serverless.__file__).is_relative_to(pathlib.Path.cwd()), emr_serverless.__file__
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run(*command: str | Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "DLT_DATA_DIR": str(folder / "data"),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **environment,
    }
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done
    return done


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a repository with one commit that holds the working tree's `sources`."""
    folder = tmp_path / "clone"
    folder.mkdir()
    shutil.copytree(ROOT / "sources", folder / "sources", ignore=shutil.ignore_patterns("__pycache__", ".*cache"))
    person = ("-c", "user.name=tests", "-c", "user.email=tests@example.com")
    run("git", "init", "--quiet", folder=folder)
    run("git", "add", "--all", folder=folder)
    run("git", *person, "commit", "--quiet", "--message=All", folder=folder)
    return folder


def test_the_project_it_makes_runs(tmp_path: Path, clone: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    listed = run(DLT, "--non-interactive", "init", "--list-sources", "--location", clone, folder=project)
    assert "emr_serverless: Job-run history of Alibaba Cloud EMR Serverless Spark" in listed.stdout
    run(DLT, "--non-interactive", "init", "emr_serverless", "duckdb", "--location", clone, folder=project)
    assert {path.name for path in project.iterdir()} >= {"emr_serverless", PIPELINE, "requirements.txt", ".dlt"}
    assert (project / "requirements.txt").read_text().startswith("dlt[duckdb]")
    for path in (ROOT / "sources/emr_serverless").glob("*.py"):
        assert (project / "emr_serverless" / path.name).read_bytes() == path.read_bytes()

    # The script reads the real clock, so the account's present is the real one too.
    now = datetime.now(UTC)
    state = small_account(now=now)
    with Emulator(state, Clock(int(now.timestamp() * 1000)), switches=Switches(list_details=True), page_limit=10) as emulator:
        settings = {
            "SOURCES__EMR_SERVERLESS__REGION_IDS": str(sorted(set(REGIONS.values()))).replace("'", '"'),
            "SOURCES__EMR_SERVERLESS__ENDPOINT": emulator.url,
            "SOURCES__EMR_SERVERLESS__CREDENTIALS__ACCESS_KEY_ID": DEFAULT_KEY.id,
            "SOURCES__EMR_SERVERLESS__CREDENTIALS__ACCESS_KEY_SECRET": DEFAULT_KEY.secret,
        }
        database = project / "emr_serverless.duckdb"
        of_the_copy = ("-c", ONLY_THE_COPY, PIPELINE)
        for arguments in (of_the_copy, (*of_the_copy, "2020-01-01", "2020-02-01"), (PIPELINE,)):
            said = run(sys.executable, *arguments, folder=project, **settings)
            assert "load package" in said.stdout
            assert_equal(actual_tables(database), expected_tables(emulator, REGIONS))
            assert_no_doubles(database)
        assert emulator.failures == []
