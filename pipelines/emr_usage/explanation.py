"""How the cost of a run was calculated: its hours, their rates, the rule that names its owner, and what was not priced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import dlt

from .build import INTERMEDIATE_DATASET, MARTS_DATASET
from .query import query_rows, reading_marts

_RUN: Final = f"""
SELECT workspace_id, job_run_id, region_id, resource_queue_id, job_run_name, job_key, identity_rule, state, is_final, submit_time,
  end_time, creator, member_name AS creator_name, owner, owner_rule_number, cu_hours, cu_hours_unpriced, currency, estimated_cost,
  pricing_status, run_version
FROM {MARTS_DATASET}.job_run_costs
LEFT JOIN (SELECT workspace_id, user_id AS creator, member_name FROM {MARTS_DATASET}.members) AS members
  USING (workspace_id, creator)
WHERE job_run_id = %s ORDER BY workspace_id
"""  # noqa: S608  # the dataset's name is ours
_DAYS: Final = f"""
SELECT billing_date, min(hour_start) AS first_hour, count(*) AS hours, sum(cu_hours) AS cu_hours,
  currency, price_per_cu_hour, rate_kind, rate_row_number, rate_source, sum(estimated_cost) AS estimated_cost
FROM {MARTS_DATASET}.job_run_hours WHERE workspace_id = %s AND job_run_id = %s
GROUP BY billing_date, currency, price_per_cu_hour, rate_kind, rate_row_number, rate_source ORDER BY billing_date
"""  # noqa: S608
_AMOUNTS: Final = f"""
SELECT currency, cu_hours, estimated_cost FROM {MARTS_DATASET}.job_run_amounts
WHERE workspace_id = %s AND job_run_id = %s AND currency IS NOT NULL ORDER BY currency
"""  # noqa: S608
_RULE: Final = f"""
SELECT tag_key, tag_value, creator, resource_queue_id, workspace_id, job_name, valid_from, valid_to
FROM {MARTS_DATASET}.int_owner_rules WHERE rule_number = %s
"""  # noqa: S608
_TAGS: Final = f"""
SELECT tag_key, tag_value FROM {INTERMEDIATE_DATASET}.int_job_run_tags
WHERE workspace_id = %s AND job_run_id = %s ORDER BY tag_index
"""  # noqa: S608
_OBSERVED_AT: Final = f"""
SELECT observed_at FROM {INTERMEDIATE_DATASET}.int_job_runs WHERE workspace_id = %s AND job_run_id = %s
"""  # noqa: S608
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Explanation:
    """How the figures of a run were calculated.

    Attributes:
        run: its row of job_run_costs.
        amounts: its cost in each currency of its rates.
        days: its hours by billing date and rate; an unpriced day has no rate.
        rule: the columns of the owner rule that have a value; None where no rule matched.
        tags: its tags, as last read.
        is_read_again: whether the run was read again after the build, so that its tags may have changed.
        build: the build of everything but the tags, as its row of builds.
    """

    run: dict[str, Any]
    amounts: list[dict[str, Any]]
    days: list[dict[str, Any]]
    rule: dict[str, Any] | None
    tags: list[dict[str, Any]]
    is_read_again: bool
    build: dict[str, Any]


def explain_run(pipeline: dlt.Pipeline, job_run_id: str) -> list[Explanation]:
    """Return the explanation of a run's cost, one for each workspace that has a run with this id.

    Raises:
        BuildError: the marts are not built yet.
    """
    with reading_marts(pipeline) as (client, build):

        def ask(sql: str, *values: object) -> list[dict[str, Any]]:
            return [{name: _in_utc(value) for name, value in row.items()} for row in query_rows(client, sql, *values)]

        explanations = []
        for run in ask(_RUN, job_run_id):
            key = (run["workspace_id"], job_run_id)
            rule = ask(_RULE, run["owner_rule_number"]) if run["owner_rule_number"] else []
            filled = {name: value for name, value in rule[0].items() if value is not None} if rule else None
            # A version begins with the time at which the run was read, in microseconds.
            read_at = int(run.pop("run_version").split("/")[0]) * timedelta(microseconds=1) + _EPOCH
            is_read_again = [row["observed_at"] for row in ask(_OBSERVED_AT, *key)] != [read_at]
            amounts, days, tags = ask(_AMOUNTS, *key), ask(_DAYS, *key), ask(_TAGS, *key)
            explanations.append(Explanation(run, amounts, days, filled, tags, is_read_again, vars(build)))
        return explanations


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def explanation_lines(explanation: Explanation) -> list[str]:
    """Return the lines about a run: what it is, what it used, its cost and its owner."""
    run = explanation.run
    until = f"ended {run['end_time']}" if run["is_final"] else "open"
    used = "no CU-hours" if run["cu_hours"] is None else f"{run['cu_hours']} CU-hours"
    costs = " and ".join(f"{amount['currency']} {amount['estimated_cost']}" for amount in explanation.amounts)
    cost = f", estimated {costs}" if costs else ""
    tags = ", ".join(f"{tag['tag_key']}={tag['tag_value']}" for tag in explanation.tags) or "none"
    build = explanation.build
    return [
        f"{run['job_run_id']} in {run['workspace_id']}: {run['job_run_name']}",
        f"State: {run['state']}, submitted {run['submit_time']}, {until}",
        f"Job: {run['job_key']}, by its {run['identity_rule'].replace('_', ' ')}",
        f"Creator: {_creator(run)}",
        f"Used: {used}{cost} ({run['pricing_status'].replace('_', ' ')})",
        f"Owner: {_owner(explanation)}",
        f"Tags: {tags}{' (read again since the build)' if explanation.is_read_again else ''}",
        f"Build: {build['build_number']} of {_in_utc(build['built_at']):%Y-%m-%d %H:%M} UTC",
    ]


def _creator(run: Mapping[str, Any]) -> str:
    if run["creator"] is None:
        return "not known"
    is_named = run["creator_name"] not in (None, run["creator"])
    return f"{run['creator_name']} ({run['creator']})" if is_named else run["creator"]


def _owner(explanation: Explanation) -> str:
    if explanation.rule is None:
        return "unallocated, because no rule of owners.csv matches"
    matched = {name: value for name, value in explanation.rule.items() if not name.startswith("valid_")}
    reasons = " and ".join(f"{name.replace('_', ' ')} is {value}" for name, value in matched.items()) or "it matches every run"
    dates = "".join(f", {name.replace('valid_', '')} {value}" for name, value in explanation.rule.items() if name not in matched)
    return f"{explanation.run['owner']}, by rule {explanation.run['owner_rule_number']} of owners.csv: {reasons}{dates}"
