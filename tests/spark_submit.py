"""Spark in the environments that `make spark` creates, with a temporary metastore."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
JOB = ROOT / "pipelines" / "spark" / "build_marts.py"
READER = ROOT / "tests" / "spark" / "read_marts.py"
VERSIONS = ("3.5", "4.0")
PATIENCE_SECONDS = 600
OPTIONS = {
    "spark.driver.bindAddress": "127.0.0.1",
    # Compiling for speed takes longer than these small tables.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.driver.host": "127.0.0.1",
    "spark.log.level": "ERROR",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
}


def environment_of(version: str) -> Path:
    """Return the programs of the environment with a version of Spark."""
    return ROOT / f".venv-spark-{version}" / "bin"


@dataclass
class Spark:
    """Runs PySpark scripts, one at a time.

    Attributes:
        version: of Spark.
        folder: the working directory, which the metastore is in.
    """

    version: str
    folder: Path

    def submit(self, script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a script to its end."""
        bin_folder = environment_of(self.version)
        options = [word for name, value in OPTIONS.items() for word in ("--conf", f"{name}={value}")]
        return subprocess.run(
            [bin_folder / "spark-submit", "--master", "local[2]", "--driver-memory", "2g", *options, script, *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "PYSPARK_PYTHON": str(bin_folder / "python")},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
