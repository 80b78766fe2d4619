"""The models as a package in a user's dbt project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import yaml

from emr_usage.build import PROJECT
from mart_fixtures import MartDatabase, job_run, tag, utc

DBT = Path(sys.executable).with_name("dbt")


def write_project(folder: Path, database: Path) -> None:
    """Write a project as the package's README tells it."""
    files = {
        "dbt_project.yml": {
            "name": "company",
            "version": "1.0.0",
            "profile": "company",
            "models": {"emr_usage": {"+schema": "emr_marts"}},
            "vars": {"emr_usage": {"billing_time_zone": "UTC", "raw_is_append_only": True}},
        },
        "packages.yml": {"packages": [{"local": str(PROJECT)}]},
        "profiles.yml": {
            "company": {"target": "dev", "outputs": {"dev": {"type": "duckdb", "path": str(database), "schema": "company"}}}
        },
        "models/spend.sql": "select sum(cu_hours) as cu_hours from {{ ref('chargeback_daily') }}",
    }
    (folder / "models").mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(content if isinstance(content, str) else yaml.safe_dump(content))


def test_a_project_builds_from_append_only_tables(tmp_path: Path) -> None:
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    began, ended = utc("2026-11-18 06:00"), utc("2026-11-18 08:30")
    run, tagged = job_run("run", began, ended, 5), job_run("tagged", began, ended, 2)
    earlier = {"observed_at": utc("2026-11-18 07:00")}
    open_run = run | earlier | {"state": "Running", "end_time": None, "cu_hours": 3}
    mart_db.write(
        # The last load was killed, and wrote its rows again.
        job_runs=[open_run, run, run, tagged | earlier, tagged],
        job_run_tags=[
            # Lost its tag, and lost one of two.
            tag(open_run, "team", "old"),
            tag(run, "", None) | {"_deleted": True},
            tag(tagged | earlier, "team", "old"),
            tag(tagged | earlier, "stage", "old", 1),
            tag(tagged, "team", "new"),
            tag(tagged, "team", "new"),
        ],
    )
    project = tmp_path / "company"
    write_project(project, tmp_path / "emr.duckdb")
    for command in ("deps", "build"):
        done = subprocess.run(
            [DBT, "--no-send-anonymous-usage-stats", command, "--profiles-dir", "."],
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
    with duckdb.connect(str(tmp_path / "emr.duckdb")) as connection:
        assert connection.execute("SELECT cu_hours FROM company.spend").fetchall() == [(7,)]
        assert connection.execute("SELECT count(*) FROM company_emr_marts.job_run_hours").fetchall() == [(6,)]
        tags = connection.execute("SELECT job_run_id, tag_key, tag_value FROM company_emr_marts.stg_job_run_tags").fetchall()
        assert tags == [("tagged", "team", "new")]
