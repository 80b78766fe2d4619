"""The steps in CONTRIBUTING: a column is one line, a list operation is one file and its name in `RESOURCES`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pytest

ROOT = Path(__file__).parents[2]
RUN = {
    "jobRunId": "jr-1",
    "workspaceId": "w-1",
    "state": "Success",
    "submitTime": 1_790_000_000_000,
    "endTime": 1_790_000_001_000,
}
ANSWERS: dict[str, dict[str, Any]] = {
    "/api/v1/workspaces": {"workspaces": [{"workspaceId": "w-1"}]},
    "/api/v1/workspaces/w-1/jobRuns": {"jobRuns": [RUN | {"attempt": 3}]},
    "/api/v1/workspaces/w-1/queues": {"queues": []},
    "/api/v1/auth/w-1/members": {"members": []},
    "/api/v1/workspaces/w-1/sessionClusters": {
        "sessionClusters": [{"sessionClusterId": "sc-1", "kind": "SQL", "gmtCreate": 1_790_000_000_000, "connectionToken": "t-1"}]
    },
}
NEW_COLUMN = '        Field("attempt", "attempt", "bigint", "Number of the attempt."),\n'
NEW_LIST = '''"""ListSessionClusters: the session clusters of a workspace."""

from .declaration import Field, Resource, Snapshot, Token

SESSION_CLUSTERS = Resource(
    table="session_clusters",
    description="One row for each session cluster that was ever listed.",
    operation="ListSessionClusters",
    path="/api/v1/workspaces/{workspace_id}/sessionClusters",
    rows="sessionClusters",
    paging=Token(page_rows=100),
    strategy=Snapshot(),
    parent="workspace",
    key=("workspace_id", "session_cluster_id"),
    left_out={"connectionToken": "Lets its holder in."},
    fields=(
        Field("session_cluster_id", "sessionClusterId", "text", "The session cluster.", mask="plain"),
        Field("kind", "kind", "text", "SQL, NOTEBOOK, or another."),
        Field("gmt_create", "gmtCreate", "timestamp", "When it was made, UTC."),
    ),
)
'''
LOAD = """
import sys
import dlt
from emr_serverless import emr_serverless
key = {"access_key_id": "id", "access_key_secret": "secret"}
source = emr_serverless(region_ids=["cn-hangzhou"], endpoint=sys.argv[1], credentials=key, initial_days=1000)
destination = dlt.destinations.duckdb("emr.duckdb")
dlt.pipeline("copy", destination=destination, dataset_name="emr_raw", pipelines_dir="pipelines").run(source)
"""


class Api(BaseHTTPRequestHandler):
    """Answers every list with one page, and refuses what it does not know."""

    def do_GET(self) -> None:  # the name that http.server asks for
        answer = ANSWERS.get(urlsplit(self.path).path)
        rows = next(iter(answer.values())) if answer else []
        body = json.dumps((answer or {}) | {"totalCount": len(rows)}).encode()
        self.send_response(200 if answer else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Api) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def resources(tmp_path: Path) -> Path:
    """Return the declarations of a copy of the source."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(ROOT / "sources/emr_serverless", tmp_path / "emr_serverless", ignore=ignored)) / "resources"


def load(folder: Path, endpoint: str) -> duckdb.DuckDBPyConnection:
    """Load with the copy, and return its database."""
    variables = os.environ | {"PYTHONPATH": str(folder), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, endpoint],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return duckdb.connect(str(folder / "emr.duckdb"), read_only=True)


def test_adding_a_column_takes_one_line(resources: Path, tmp_path: Path, endpoint: str) -> None:
    declared = resources / "job_runs.py"
    before = declared.read_text()
    anchor = '        Field("name", "name"'
    assert before.count(anchor) == 1
    declared.write_text(before.replace(anchor, NEW_COLUMN + anchor))
    with load(tmp_path, endpoint) as database:
        assert database.sql("SELECT attempt, extra FROM emr_raw.job_runs").fetchall() == [(3, None)]


def test_adding_a_list_operation_takes_one_file_and_one_line(resources: Path, tmp_path: Path, endpoint: str) -> None:
    (resources / "session_clusters.py").write_text(NEW_LIST)
    listed = resources / "__init__.py"
    text = listed.read_text().replace("from .workspaces", "from .session_clusters import SESSION_CLUSTERS\nfrom .workspaces")
    listed.write_text(text.replace("MEMBERS)", "MEMBERS, SESSION_CLUSTERS)"))
    with load(tmp_path, endpoint) as database:
        rows = "SELECT workspace_id, session_cluster_id, kind, epoch_ms(gmt_create), gone_at, extra FROM emr_raw.session_clusters"
        assert database.sql(rows).fetchall() == [("w-1", "sc-1", "SQL", 1_790_000_000_000, None, None)]
        assert database.sql("SELECT count(*) FROM emr_raw.session_clusters_history").fetchall() == [(0,)]
        audit = "SELECT status, rows_distinct FROM emr_raw.extraction_windows WHERE resource = 'session_clusters'"
        assert database.sql(audit).fetchall() == [("complete", 1)]
        # The field that the first test declares is not known here.
        assert database.sql("SELECT path FROM emr_raw.unknown_fields").fetchall() == [("attempt",)]
