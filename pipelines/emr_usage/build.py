"""Builds the marts from the raw tables: runs the dbt project in `transform`, in this process."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from emr_serverless import CheckSettingsError

from .billing_time_zone import checked_time_zone
from .builds import BuildRecord, current_build, record_build
from .destinations import adapter_of
from .errors import BuildError, DataTestFailedError
from .lock import exclusive
from .missing_figures import settle_days
from .pipeline import RAW_DATASET, open_pipeline
from .run_dbt import run_dbt
from .settlement import is_settlement_adjusted
from .target import Target

PROJECT: Final = Path(__file__).with_name("transform")
MARTS_DATASET: Final = "emr_marts"
# Raw tables, and runs and tags, as they are now; dbt names the datasets.
STAGING_DATASET: Final = f"{MARTS_DATASET}_staging"
INTERMEDIATE_DATASET: Final = f"{MARTS_DATASET}_intermediate"
_ABORTED: Final = re.compile("transaction is aborted", re.IGNORECASE)


@dataclass(frozen=True)
class BuildResult:
    """The result of a build.

    Attributes:
        models: tables and views built.
        checks: data tests that passed.
        record: its row of `emr_marts.builds`.
        model_seconds, check_seconds: time for models and for data tests; not compared.
    """

    models: int
    checks: int
    record: BuildRecord = field(compare=False)
    model_seconds: float = field(compare=False)
    check_seconds: float = field(compare=False)


def build(
    target: Target, *, full_refresh: bool = False, billing_time_zone: str | None = None, change_time_zone: bool = False
) -> BuildResult:
    """Build the marts, where runs, rates, owners or settings changed since the last build, and test them.

    A build is one transaction: readers see the previous build until the data tests of this one have passed.

    Args:
        target: where the raw tables are; the marts go beside them.
        full_refresh: recompute every run.
        billing_time_zone: time zone of billing days and months; None for the setting.
        change_time_zone: allow a time zone other than that of the last build.

    Raises:
        BuildError: a model failed; DataTestFailedError: a data test did.
        CheckSettingsError: the destination, the time zone or `settlement_adjustment` cannot be used.
        BusyError: a load or another build is running.
    """
    zone = checked_time_zone(billing_time_zone)
    pipeline = open_pipeline(target)
    variables: dict[str, object] = {"billing_time_zone": zone, "raw_dataset": RAW_DATASET, "compute_all": full_refresh}
    variables["settle_days"] = ceil(settle_days(pipeline))
    variables["settlement_adjustment"] = is_settlement_adjusted()
    with (
        exclusive(pipeline, target.wait),
        closing(adapter_of(pipeline).open_build()) as transaction,
        TemporaryDirectory() as folder,
    ):
        before = current_build(transaction.ask, MARTS_DATASET)
        if before and before.billing_time_zone != zone and not change_time_zone:
            raise CheckSettingsError(
                f"The billing time zone of the last build is {before.billing_time_zone}, and that of this one would be {zone}",
                advice="Set billing_time_zone to that of the last build, or give --change-time-zone to recompute all history.",
            )
        # Parallel models need memory each; DuckDB runs each of them in parallel.
        output = transaction.profile | {"schema": MARTS_DATASET, "threads": 1}
        work = Path(folder)
        # JSON is YAML.
        profiles = {"emr_usage": {"target": "marts", "outputs": {"marts": output}}}
        (work / "profiles.yml").write_text(json.dumps(profiles), encoding="utf-8")
        models, checks = _require_success(*run_dbt(transaction, _arguments(work, variables)))
        record = record_build(transaction.ask, MARTS_DATASET, before, zone, len(checks))
        transaction.commit()
    return BuildResult(len(models), len(checks), record, _seconds(models), _seconds(checks))


def _arguments(work: Path, variables: Mapping[str, object]) -> list[str]:
    return [
        *("--quiet", "--log-level", "none", "--log-level-file", "none", "--no-use-colors", "--no-write-json"),
        *("--no-send-anonymous-usage-stats", "--no-version-check", "--no-partial-parse"),
        "build",
        *("--project-dir", str(PROJECT), "--profiles-dir", str(work)),
        *("--target-path", str(work / "target"), "--log-path", str(work / "logs")),
        *("--vars", json.dumps(variables)),
    ]


def _require_success(stopped_by: BaseException | None, results: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return the results of models and of data tests.

    Raises:
        BuildError: a model failed; DataTestFailedError: a data test did.
    """
    if stopped_by is not None:
        raise BuildError(f"The build failed: {_one_line(stopped_by)}.") from stopped_by
    by_status: dict[str, list[Any]] = {}
    for result in results:
        by_status.setdefault(str(result.status), []).append(result)
    if failed := by_status.get("error", []) + by_status.get("runtime error", []):
        text = [f"{result.node.name}: {_one_line(result.message)}" for result in failed]
        # After the first failure the database refuses all further statements of the transaction.
        causes = [line for line in text if not _ABORTED.search(line)] or text
        raise BuildError(f"The build failed: {'; '.join(causes)}.")
    if broken := by_status.get("fail", []):
        lines = "; ".join(f"{_description(result.node)} ({result.failures:,} rows)" for result in broken)
        raise DataTestFailedError(f"A data test failed: {lines}.")
    return by_status.get("success", []), by_status.get("pass", [])


def _seconds(results: Sequence[Any]) -> float:
    return sum(float(result.execution_time) for result in results)


def _description(check: Any) -> str:
    return str(check.description or check.name).strip().rstrip(".")


def _one_line(message: object) -> str:
    return " ".join(str(message).split())
