"""`--version` and `--help` are fast: they import none of the packages that commands need."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from emr_usage.cli import main

# Each takes a tenth of a second or more.
HEAVY = {"altair", "dbt", "dlt", "duckdb", "emr_serverless", "httpx", "pyarrow", "rich", "sqlglot"}
PROGRAM = """
import json, sys
from emr_usage.cli import main
try:
    main(sys.argv[1:], prog_name="emr-usage")
finally:
    print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


@pytest.mark.parametrize("words", [["--version"], ["--help"], *([name, "--help"] for name in main.commands)], ids=" ".join)
def test_help_imports_no_heavy_packages(words: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(("emr-usage, version", "Usage: emr-usage"))
    assert not HEAVY & set(json.loads(done.stderr))
