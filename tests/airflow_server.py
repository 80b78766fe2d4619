"""A complete Airflow in a temporary folder, driven over its API: scheduler, DAG processor, API server, SQLite."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

ROOT = Path(__file__).parents[1]
BIN = ROOT / ".venv-airflow" / "bin"
PATIENCE_SECONDS = 300
FINISHED = ("success", "failed")
Found = TypeVar("Found")


def until(find: Callable[[], Found | None], what: str) -> Found:
    """Return what is found, which is looked for again and again."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if (found := find()) is not None:
            return found
        time.sleep(0.5)
    raise AssertionError(f"{what} did not come in {PATIENCE_SECONDS} s")


class AirflowServer:
    """A running Airflow.

    Args:
        url: where its API server listens.
        home: its folder.
    """

    def __init__(self, url: str, home: Path) -> None:
        self._client = httpx.Client(base_url=url, timeout=30)
        self._home = home

    def close(self) -> None:
        """Close the connections to it."""
        self._client.close()

    def log_in(self) -> None:
        """Wait until it answers, and take a token; all users are administrators."""

        def token() -> str | None:
            try:
                answer = self._client.get("/auth/token")
            except httpx.TransportError:
                return None
            return str(answer.json()["access_token"]) if answer.is_success else None

        self._client.headers["Authorization"] = f"Bearer {until(token, 'the API server')}"
        until(lambda: self._get("/dags")["total_entries"] or None, "the DAG processor")

    def unpause(self, dag_id: str) -> None:
        """Let the scheduler run a DAG."""
        self._client.patch(f"/api/v2/dags/{dag_id}", json={"is_paused": False}).raise_for_status()

    def trigger(self, dag_id: str, **conf: Any) -> str:
        """Start a run and return its id."""
        answer = self._client.post(f"/api/v2/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf})
        return str(answer.raise_for_status().json()["dag_run_id"])

    def fail_run(self, dag_id: str, run_id: str) -> None:
        """End a run, with what it is doing."""
        self._client.patch(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}", json={"state": "failed"}).raise_for_status()

    def run(self, dag_id: str, **conf: Any) -> tuple[str, list[dict[str, Any]]]:
        """Trigger a run; return how it ended, and its task instances."""
        return self.end_of(dag_id, self.trigger(dag_id, **conf))

    def end_of(self, dag_id: str, run_id: str) -> tuple[str, list[dict[str, Any]]]:
        """Wait for the end of a run; return how it ended, and its task instances."""

        def state() -> str | None:
            found = self._get(f"/dags/{dag_id}/dagRuns/{run_id}")["state"]
            return found if found in FINISHED else None

        ended = until(state, f"the end of {run_id}")
        return ended, self.instances(dag_id, run_id)

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Return the runs of a DAG."""
        return list(self._get(f"/dags/{dag_id}/dagRuns")["dag_runs"])

    def instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return the task instances of a run."""
        return list(self._get(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances")["task_instances"])

    def updated_assets(self, run_id: str) -> list[str]:
        """Return the names of the assets that a run has updated, once for each time."""
        events = self._get("/assets/events", limit=1000)["asset_events"]
        return sorted(event["name"] for event in events if event["source_run_id"] == run_id)

    def import_errors(self) -> list[str]:
        """Return why files of DAGs could not be read."""
        return [error["stack_trace"] for error in self._get("/importErrors")["import_errors"]]

    def logs(self) -> str:
        """Return everything that it and its tasks have logged."""
        return "".join(path.read_text(errors="replace") for path in self._home.rglob("*.log"))

    def _get(self, path: str, **query: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.get(f"/api/v2{path}", params=query).raise_for_status().json()
        return answer


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def airflow_server(home: Path, pool_slots: int, environment: Mapping[str, str]) -> Iterator[AirflowServer]:
    """Run Airflow on the project's DAGs, with the pool that they need.

    Args:
        home: an empty folder.
        pool_slots: of the pool `emr_usage`.
        environment: what its tasks see beside the usual.
    """
    url = f"http://127.0.0.1:{(port := free_port())}"
    variables = {
        "HOME": str(home),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "pipelines" / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        **environment,
    }
    with (home / "airflow.log").open("w") as log:
        for command in (["db", "migrate"], ["pools", "set", "emr_usage", str(pool_slots), "requests"]):
            subprocess.run([BIN / "airflow", *command], env=variables, stdout=log, stderr=log, check=True)
        process = subprocess.Popen([BIN / "airflow", "standalone"], env=variables, stdout=log, stderr=log, start_new_session=True)
        server = AirflowServer(url, home)
        try:
            server.log_in()
            yield server
        finally:
            server.close()
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
