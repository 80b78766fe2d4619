"""The wheel contains every file of the packages, including those that are not Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]
PACKAGES = (ROOT / "sources/emr_serverless", ROOT / "pipelines/emr_usage")


def test_the_wheel_contains_every_file_of_the_packages(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)], cwd=ROOT, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    expected = {
        str(path.relative_to(package.parent))
        for package in PACKAGES
        for path in package.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and "cache" not in str(path.relative_to(package))
    }
    assert {"emr_usage/transform/dbt_project.yml", "emr_usage/report/queries/totals.sql"} <= expected
    assert {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name} == expected
