"""The models in a dbt project of the user's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import yaml

from emr_usage.build import PROJECT
from mart_fixtures import MartDatabase, job_run, utc

DBT = Path(sys.executable).with_name("dbt")


def write_project(folder: Path, database: Path) -> None:
    """Write a project as the package's README tells it."""
    files = {
        "dbt_project.yml": {
            "name": "company",
            "version": "1.0.0",
            "profile": "company",
            "models": {"emr_usage": {"+schema": "emr_marts"}},
            "vars": {"emr_usage": {"billing_time_zone": "UTC"}},
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


def test_a_project_takes_the_models_as_a_package(tmp_path: Path) -> None:
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    mart_db.write(job_runs=[job_run("run", utc("2026-11-18 06:00"), utc("2026-11-18 08:30"), 5)])
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
        assert connection.execute("SELECT cu_hours FROM company.spend").fetchall() == [(5,)]
        assert connection.execute("SELECT count(*) FROM company_emr_marts.job_run_hours").fetchall() == [(3,)]
