"""Builds the marts from the raw tables: runs the dbt project in `transform`, in this process."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import dlt

from emr_serverless import CheckSettingsError

from .billing_time_zone import checked_time_zone
from .builds import Ask, BuildRecord, current_build, record_build
from .destinations import adapter_of
from .destinations.build_transaction import BuildTransaction
from .errors import BuildError, DataTestFailedError
from .lock import NO_WAIT, Wait, exclusive, wait_for
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


# Is given what runs a statement, and the last build; changes what the models read, in the transaction of the build.
Prepare = Callable[[Ask, BuildRecord | None], None]


@dataclass(frozen=True)
class OpenBuild:
    """A build whose data tests passed and that is not committed.

    Attributes:
        transaction: sees its marts.
        before: the last build.
        models, checks: dbt's results.
    """

    transaction: BuildTransaction
    before: BuildRecord | None
    models: list[Any]
    checks: list[Any]


def build(
    target: Target,
    *,
    full_refresh: bool = False,
    billing_time_zone: str | None = None,
    change_time_zone: bool = False,
    prepare: Prepare | None = None,
) -> BuildResult:
    """Build the marts, where runs, rates, owners or settings changed since the last build, and test them.

    A build is one transaction: readers see the previous build until the data tests of this one have passed.

    Args:
        target: where the raw tables are; the marts go beside them.
        full_refresh: recompute every run.
        billing_time_zone: time zone of billing days and months; None for the setting.
        change_time_zone: allow a time zone other than that of the last build.
        prepare: called first, in the same transaction.

    Raises:
        BuildError: a model failed; DataTestFailedError: a data test did.
        CheckSettingsError: the destination, the time zone or `settlement_adjustment` cannot be used.
        BusyError: a load or another build is running.
    """
    zone = checked_time_zone(billing_time_zone)
    pipeline = open_pipeline(target)
    with (
        exclusive(pipeline, target.wait),
        open_build(pipeline, zone, full_refresh=full_refresh, change_time_zone=change_time_zone, prepare=prepare) as made,
    ):
        record = record_build(made.transaction.ask, MARTS_DATASET, made.before, zone, len(made.checks))
        made.transaction.commit()
    return BuildResult(len(made.models), len(made.checks), record, _seconds(made.models), _seconds(made.checks))


@contextmanager
def open_build(
    pipeline: dlt.Pipeline,
    zone: str,
    *,
    full_refresh: bool = False,
    change_time_zone: bool = False,
    prepare: Prepare | None = None,
    wait: Wait = NO_WAIT,
) -> Iterator[OpenBuild]:
    """Yield a tested build; at the end, what is not committed is rolled back.

    Args:
        pipeline: of the destination, which is locked.
        zone: time zone of billing days and months.
        full_refresh: as of `build`.
        change_time_zone: as of `build`.
        prepare: as of `build`.
        wait: for another build.

    Raises:
        BuildError, CheckSettingsError, BusyError: as of `build`.
    """
    variables: dict[str, object] = {"billing_time_zone": zone, "raw_dataset": RAW_DATASET, "compute_all": full_refresh}
    variables["settle_days"] = ceil(settle_days(pipeline))
    variables["settlement_adjustment"] = is_settlement_adjusted()
    with closing(wait_for(adapter_of(pipeline).open_build, wait)) as transaction, TemporaryDirectory() as folder:
        before = current_build(transaction.ask, MARTS_DATASET)
        if before and before.billing_time_zone != zone and not change_time_zone:
            raise CheckSettingsError(
                f"The billing time zone of the last build is {before.billing_time_zone}, and that of this one would be {zone}",
                advice="Set billing_time_zone to that of the last build, or give --change-time-zone to recompute all history.",
            )
        if prepare is not None:
            prepare(transaction.ask, before)
        # Parallel models need memory each; DuckDB runs each of them in parallel.
        output = transaction.profile | {"schema": MARTS_DATASET, "threads": 1}
        work = Path(folder)
        # JSON is YAML.
        profiles = {"emr_usage": {"target": "marts", "outputs": {"marts": output}}}
        (work / "profiles.yml").write_text(json.dumps(profiles), encoding="utf-8")
        models, checks = _require_success(*run_dbt(transaction, _arguments(work, variables)))
        yield OpenBuild(transaction, before, models, checks)


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
