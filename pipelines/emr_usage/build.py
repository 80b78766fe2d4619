"""Makes the marts from the raw tables: runs the dbt project beside this file, in this process."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from dbt.adapters.factory import reset_adapters
from dbt.artifacts.schemas.results import NodeStatus
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration
from dlt.destinations.impl.postgres.configuration import PostgresClientConfiguration

from emr_serverless import CheckSettingsError

from .failures import BrokenPromiseError, BuildError
from .load import RAW_DATASET, Target, exclusive, open_pipeline

PROJECT: Final = Path(__file__).with_name("transform")
MARTS_DATASET: Final = "emr_marts"
DEFAULT_TIME_ZONE: Final = "Asia/Shanghai"
# dbt keeps what is named so out of its logs and artifacts.
LOGIN_VARIABLE: Final = "DBT_ENV_SECRET_EMR_USAGE_PASSWORD"
# Like an Olson name; it goes into SQL as it is.
_TIME_ZONE: Final = re.compile(r"[A-Za-z0-9_+/-]+")


@dataclass(frozen=True)
class Built:
    """What a build made.

    Attributes:
        models: tables and views made.
        checks: promises checked, and kept.
    """

    models: int
    checks: int


def build(target: Target, *, full_refresh: bool = False, billing_time_zone: str = DEFAULT_TIME_ZONE) -> Built:
    """Make the marts anew, where runs, rates, owners or settings changed since the last build, and check them.

    Args:
        target: where the raw tables are; the marts go beside them.
        full_refresh: compute every run again.
        billing_time_zone: the zone by which bills cut days and months.

    Raises:
        BuildError: a model failed; BrokenPromiseError: a check did.
        CheckSettingsError: the destination or the time zone cannot be used.
        BusyError: a load or another build is under way.
    """
    if not _TIME_ZONE.fullmatch(billing_time_zone):
        raise CheckSettingsError(f"{billing_time_zone!r} is no time zone", advice="Give a name such as Asia/Shanghai or UTC.")
    pipeline = open_pipeline(target)
    profile, password = _profile(pipeline.destination_client().config)
    variables = {"billing_time_zone": billing_time_zone, "raw_dataset": RAW_DATASET}
    with exclusive(pipeline), TemporaryDirectory() as folder, _environment({LOGIN_VARIABLE: password}):
        work = Path(folder)
        whole = {"emr_usage": {"target": "marts", "outputs": {"marts": profile}}}
        # JSON is YAML.
        (work / "profiles.yml").write_text(json.dumps(whole), encoding="utf-8")
        try:
            result = dbtRunner().invoke(_arguments(work, variables, full_refresh=full_refresh))
        finally:
            # dbt keeps its connections for a next call in the same process, and with them the DuckDB file.
            reset_adapters()
    return _outcome(result)


def _arguments(work: Path, variables: Mapping[str, str], *, full_refresh: bool) -> list[str]:
    return [
        *("--quiet", "--log-level", "none", "--log-level-file", "none", "--no-use-colors", "--no-write-json"),
        *("--no-send-anonymous-usage-stats", "--no-version-check", "--no-partial-parse"),
        "build",
        *("--project-dir", str(PROJECT), "--profiles-dir", str(work)),
        *("--target-path", str(work / "target"), "--log-path", str(work / "logs")),
        *("--vars", json.dumps(variables)),
        *(["--full-refresh"] if full_refresh else []),
    ]


def _profile(configuration: Any) -> tuple[dict[str, Any], str]:
    """Return dbt's settings for the destination that dlt loaded into, and the password, which stands in no file."""
    # Models side by side add up their memory; DuckDB is parallel inside each.
    common = {"schema": MARTS_DATASET, "threads": 1}
    if isinstance(configuration, DuckDbClientConfiguration):
        return {"type": "duckdb", "path": configuration.credentials.database, "settings": {"TimeZone": "UTC"}, **common}, ""
    if isinstance(configuration, PostgresClientConfiguration):
        known = configuration.credentials
        place = {"host": known.host, "port": known.port, "user": known.username, "dbname": known.database}
        query = dict(known.query or {})
        # A host given as a parameter is the folder of a socket, and comes before the address's own.
        place |= {name: query[name] for name in ("host", "sslmode", "sslrootcert") if query.get(name)}
        secret = f"{{{{ env_var('{LOGIN_VARIABLE}') }}}}"
        return {"type": "postgres", **place, "password": secret, **common}, known.password or ""
    raise CheckSettingsError(
        f"emr-usage build cannot use the destination {configuration.destination_type}",
        advice="It builds in duckdb and postgres; elsewhere take the models as a dbt package: see transform/README.md.",
    )


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _outcome(result: dbtRunnerResult) -> Built:
    """Return what was made, or say in words what went wrong."""
    if result.exception is not None:
        raise BuildError(f"The models could not be run: {result.exception}") from result.exception
    results = list(getattr(result.result, "results", []))
    failed = [node for node in results if node.status in {NodeStatus.Error, NodeStatus.RuntimeErr}]
    if failed:
        told = "; ".join(f"{node.node.name}: {' '.join(str(node.message).split())}" for node in failed)
        raise BuildError(f"The models could not be made: {told}")
    broken = [node for node in results if node.status == NodeStatus.Fail]
    if broken:
        told = "; ".join(f"{_promise(node.node)} ({node.failures:,} rows do not)" for node in broken)
        raise BrokenPromiseError(f"The marts are made, but a check found them wrong: {told}")
    checks = sum(node.status == NodeStatus.Pass for node in results)
    return Built(models=sum(node.status == NodeStatus.Success for node in results), checks=checks)


def _promise(check: Any) -> str:
    return str(check.description or check.name).strip().rstrip(".")
