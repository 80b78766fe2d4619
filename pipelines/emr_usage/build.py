"""Makes the marts from the raw tables: runs the dbt project beside this file, in this process."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from zoneinfo import available_timezones

from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration
from dlt.destinations.impl.postgres.configuration import PostgresClientConfiguration

from emr_serverless import CheckSettingsError

from .defaults import DEFAULT_TIME_ZONE
from .failures import BrokenPromiseError, BuildError
from .load import RAW_DATASET, Target, open_pipeline
from .lock import exclusive

PROJECT: Final = Path(__file__).with_name("transform")
MARTS_DATASET: Final = "emr_marts"
# dbt keeps what is named so out of its logs and artifacts.
LOGIN_VARIABLE: Final = "DBT_ENV_SECRET_EMR_USAGE_PASSWORD"


@dataclass(frozen=True)
class Built:
    """What a build made.

    Attributes:
        models: tables and views made.
        checks: promises checked, and kept.
        model_seconds, check_seconds: what making and checking them took; two builds that made the same are equal.
    """

    models: int
    checks: int
    model_seconds: float = field(compare=False)
    check_seconds: float = field(compare=False)


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
    # It goes into SQL as it is, and the report cuts days by it too.
    if billing_time_zone not in available_timezones():
        raise CheckSettingsError(f"{billing_time_zone!r} is no time zone", advice="Give a name such as Asia/Shanghai or UTC.")
    pipeline = open_pipeline(target)
    profile, password = _profile(pipeline.destination_client().config)
    variables = {"billing_time_zone": billing_time_zone, "raw_dataset": RAW_DATASET}
    with exclusive(pipeline, target.wait), TemporaryDirectory() as folder, _environment({LOGIN_VARIABLE: password}):
        work = Path(folder)
        whole = {"emr_usage": {"target": "marts", "outputs": {"marts": profile}}}
        # JSON is YAML.
        (work / "profiles.yml").write_text(json.dumps(whole), encoding="utf-8")
        return _outcome(*_run_dbt(_arguments(work, variables, full_refresh=full_refresh)))


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


def _run_dbt(arguments: list[str]) -> tuple[BaseException | None, Sequence[Any]]:
    """Run dbt in this process; returns what stopped it, and the results of its nodes."""
    # dbt takes a second to import, which other commands need not wait for.
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager  # noqa: PLC0415
    from dbt.adapters.factory import FACTORY  # noqa: PLC0415
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    try:
        done = dbtRunner().invoke(arguments)
    finally:
        # dbt keeps its connections for a next call in the same process, and with them the DuckDB file.
        FACTORY.reset_adapters()
        DuckDBConnectionManager.close_all_connections()
    return done.exception, getattr(done.result, "results", [])


def _profile(configuration: Any) -> tuple[dict[str, Any], str]:
    """Return dbt's settings for the destination that dlt loaded into, and the password, which stands in no file."""
    # Models side by side add up their memory; DuckDB is parallel inside each.
    common = {"schema": MARTS_DATASET, "threads": 1}
    if isinstance(configuration, DuckDbClientConfiguration):
        return {"type": "duckdb", "path": configuration.credentials.database, "settings": {"TimeZone": "UTC"}, **common}, ""
    if isinstance(configuration, PostgresClientConfiguration):
        if find_spec("dbt.adapters.postgres") is None:
            raise CheckSettingsError("dbt cannot use PostgreSQL yet", advice="Install it: pip install 'emr-usage[postgres]'.")
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


def _outcome(stopped_by: BaseException | None, results: Sequence[Any]) -> Built:
    """Return what was made, or say in words what went wrong."""
    if stopped_by is not None:
        raise BuildError(f"The marts could not be made: {_one_line(stopped_by)}.") from stopped_by
    by_status: dict[str, list[Any]] = {}
    for result in results:
        by_status.setdefault(str(result.status), []).append(result)
    if failed := by_status.get("error", []) + by_status.get("runtime error", []):
        told = "; ".join(f"{result.node.name}: {_one_line(result.message)}" for result in failed)
        raise BuildError(f"The marts could not be made: {told}.")
    if broken := by_status.get("fail", []):
        told = "; ".join(f"{_promise(result.node)} ({result.failures:,} rows against it)" for result in broken)
        skipped = len(by_status.get("skipped", []))
        rest = f" {skipped} models and checks that rest on it were left as they were." if skipped else ""
        raise BrokenPromiseError(f"A promise is broken: {told}.{rest}")
    models, checks = by_status.get("success", []), by_status.get("pass", [])
    return Built(len(models), len(checks), _seconds(models), _seconds(checks))


def _seconds(results: Sequence[Any]) -> float:
    return sum(float(result.execution_time) for result in results)


def _promise(check: Any) -> str:
    return str(check.description or check.name).strip().rstrip(".")


def _one_line(message: object) -> str:
    return " ".join(str(message).split())
