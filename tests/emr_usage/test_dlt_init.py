"""`dlt init emr_serverless duckdb --location <this repository>` creates a project that runs without the command installed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli_harness import assert_equal, assert_no_doubles
from emr_usage.emulator import DEFAULT_KEY, Clock, Emulator, Variants
from oracle import actual_tables, expected_tables, query
from small_account import REGIONS, small_account

ROOT = Path(__file__).parents[2]
DLT = Path(sys.executable).with_name("dlt")
PIPELINE = "emr_serverless_pipeline.py"
DATABASE = "emr_serverless.duckdb"
# Refuses what the project should have and does not, instead of finding it in this checkout.
ONLY_THE_COPY = """
import pathlib, runpy, sys
sys.path[:] = [".", *(path for path in sys.path if not pathlib.Path(path, "emr_serverless").is_dir())]
import emr_serverless
assert pathlib.Path(emr_serverless.__file__).is_relative_to(pathlib.Path.cwd()), emr_serverless.__file__
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
# Dies where dlt's own way has committed the DELETE, and not yet the INSERT.
KILLED_IN_A_MERGE = """
import os, runpy, signal
from dlt.destinations.sql_client import SqlClientBase
def one_by_one(self, statements):
    for statement in statements:
        if statement.startswith("INSERT") and '"job_runs"' in statement:
            os.kill(os.getpid(), signal.SIGKILL)
        self.execute_sql(statement)
SqlClientBase.execute_many = one_by_one
runpy.run_path("emr_serverless_pipeline.py", run_name="__main__")
"""
KILLED_WITH_THE_PACKAGE_NOTED = """
import os, runpy, signal
from dlt.common.storages.load_package import PackageStorage
note = PackageStorage.complete_loading_package
def note_and_die(*arguments):
    note(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
PackageStorage.complete_loading_package = note_and_die
runpy.run_path("emr_serverless_pipeline.py", run_name="__main__")
"""


# What a project has before anybody has installed its requirements.
NOTHING_BUT_DLT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"httpx", "pyarrow", "alibabacloud_credentials", "httpcore"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
"""


def run(
    *command: str | Path, folder: Path, environment: Mapping[str, str] | None = None, code: int = 0
) -> subprocess.CompletedProcess[str]:
    variables = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "DLT_DATA_DIR": str(folder / "data"),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **(environment or {}),
    }
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == code, done
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


@pytest.fixture
def project(tmp_path: Path, clone: Path) -> Path:
    """Return a folder in which a user has run `dlt init`."""
    folder = tmp_path / "project"
    folder.mkdir()
    run(DLT, "--non-interactive", "init", "emr_serverless", "duckdb", "--location", clone, folder=folder)
    return folder


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Return an API whose present is the real one: the script reads the real clock."""
    now = datetime.now(UTC)
    clock = Clock(int(now.timestamp() * 1000))
    with Emulator(small_account(now=now), clock, variants=Variants(list_details=True), page_limit=10) as running:
        yield running
        assert running.failures == []


def settings(emulator: Emulator) -> dict[str, str]:
    """Return what the user of a project puts into its configuration."""
    return {
        "SOURCES__EMR_SERVERLESS__REGION_IDS": json.dumps(sorted(set(REGIONS.values()))),
        "SOURCES__EMR_SERVERLESS__ENDPOINT": emulator.url,
        "SOURCES__EMR_SERVERLESS__CREDENTIALS__ACCESS_KEY_ID": DEFAULT_KEY.id,
        "SOURCES__EMR_SERVERLESS__CREDENTIALS__ACCESS_KEY_SECRET": DEFAULT_KEY.secret,
    }


def assert_whole(database: Path, emulator: Emulator) -> None:
    assert_equal(actual_tables(database), expected_tables(emulator, REGIONS))
    assert_no_doubles(database)


def test_dlt_init_lists_the_source(tmp_path: Path, clone: Path) -> None:
    listed = run(DLT, "--non-interactive", "init", "--list-sources", "--location", clone, folder=tmp_path)
    assert "emr_serverless: Job-run history of Alibaba Cloud EMR Serverless Spark" in listed.stdout


def test_the_project_is_created_where_only_dlt_is_installed(tmp_path: Path, clone: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(NOTHING_BUT_DLT)
    folder = tmp_path / "bare"
    folder.mkdir()
    bare = {"PYTHONPATH": str(tmp_path)}
    run(sys.executable, "-c", "import httpx", folder=folder, environment=bare, code=1)
    run(DLT, "--non-interactive", "init", "emr_serverless", "duckdb", "--location", clone, folder=folder, environment=bare)
    assert "region_ids" in (folder / ".dlt/config.toml").read_text()
    assert (folder / "emr_serverless/resources/job_runs.py").exists()


def test_the_created_project_loads_completely(project: Path, emulator: Emulator) -> None:
    assert {path.name for path in project.iterdir()} >= {"emr_serverless", PIPELINE, "requirements.txt", ".dlt"}
    assert (project / "requirements.txt").read_text().startswith("dlt[duckdb]")
    for path in (ROOT / "sources/emr_serverless").rglob("*.py"):
        assert (project / path.relative_to(ROOT / "sources")).read_bytes() == path.read_bytes()
    of_the_copy = ("-c", ONLY_THE_COPY, PIPELINE)
    for arguments in (of_the_copy, (*of_the_copy, "2020-01-01", "2020-02-01"), (PIPELINE,)):
        said = run(sys.executable, *arguments, folder=project, environment=settings(emulator))
        assert "runs loaded" in said.stdout
        assert "Incomplete" not in said.stdout
        assert_whole(project / DATABASE, emulator)


def test_a_kill_in_the_created_project_is_recovered(project: Path, emulator: Emulator) -> None:
    """A project has all workarounds for dlt that the command has; test_crash.py kills the command at each step."""
    first = run(
        sys.executable, "-c", KILLED_WITH_THE_PACKAGE_NOTED, folder=project, code=-signal.SIGKILL, environment=settings(emulator)
    )
    assert "Error" not in first.stderr
    run(sys.executable, PIPELINE, folder=project, environment=settings(emulator))
    assert_whole(project / DATABASE, emulator)
    runs = "SELECT workspace_id, job_run_id FROM emr_raw.job_runs"
    before = set(query(project / DATABASE, runs))
    run(sys.executable, "-c", KILLED_IN_A_MERGE, folder=project, code=-signal.SIGKILL, environment=settings(emulator))
    assert set(query(project / DATABASE, runs)) == before
    run(sys.executable, PIPELINE, folder=project, environment=settings(emulator))
    assert_whole(project / DATABASE, emulator)
