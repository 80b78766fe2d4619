"""The filters of ListJobRuns: from query parameters to a value, and from a value to a verdict on a run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from .errors import ApiError
from .run import Run
from .variants import Variants

DAY_MS = 86_400_000
Pairs = tuple[tuple[str, str | None], ...]
CONF_PAIR = re.compile(r"""(?:^|\s)(?:--conf|-c)\s+("[^"]*"|'[^']*'|\S+)""")


@dataclass(frozen=True)
class TimeRange:
    """A range of epoch milliseconds; None leaves a side open."""

    low_ms: int | None
    high_ms: int | None

    def has(self, moment_ms: int, variants: Variants) -> bool:
        """Whether the moment is in the range, as `variants.bounds` reads its ends."""
        low_ms = moment_ms if self.low_ms is None else self.low_ms
        high_ms = moment_ms if self.high_ms is None else self.high_ms
        if not low_ms <= moment_ms <= high_ms:
            return False
        above = variants.bounds != "exclusive" or moment_ms != self.low_ms
        below = variants.bounds == "inclusive" or moment_ms != self.high_ms
        return above and below


@dataclass(frozen=True)
class JobRunFilter:
    """Everything a ListJobRuns request asks for; an attribute that is None or empty asks for nothing."""

    name: str | None = None
    creator: str | None = None
    job_run_id: str | None = None
    deployment_id: str | None = None
    queue_name: str | None = None
    is_workflow: bool | None = None
    min_duration_ms: int | None = None
    started: TimeRange | None = None
    ended: TimeRange | None = None
    states: frozenset[str] = frozenset()
    tags: Pairs = ()
    application_configs: Pairs = ()
    runtime_configs: Pairs = ()

    def matches(self, run: Run, now_ms: int, variants: Variants) -> bool:
        """Whether a submitted run is in the answer as of `now_ms`."""
        return (
            (not self.states or run.state_at(now_ms) in self.states)
            and (self.job_run_id is None or run.job_run_id == self.job_run_id)
            and self._matches_times(run, now_ms, variants)
            and self._matches_fields(run, variants)
            and self._passes_defaults(run, now_ms, variants)
            and (not self.tags or _has_all(self.tags, _tag_pairs(run)))
            and (not self.application_configs or _has_all(self.application_configs, application_config_pairs(run)))
            and (not self.runtime_configs or _has_all(self.runtime_configs, runtime_config_pairs(run)))
        )

    def _matches_times(self, run: Run, now_ms: int, variants: Variants) -> bool:
        if self.started is not None:
            moment_ms = run.submit_ms if variants.start_filter == "submit" else run.start_ms
            if moment_ms is None or moment_ms > now_ms or not self.started.has(moment_ms, variants):
                return False
        if self.ended is not None and not (
            run.end_ms is not None and run.end_ms <= now_ms and self.ended.has(run.end_ms, variants)
        ):
            return False
        return self.min_duration_ms is None or run.duration_ms(now_ms) >= self.min_duration_ms

    def _matches_fields(self, run: Run, variants: Variants) -> bool:
        name = run.fields.get("name") or ""
        return (
            (self.name is None or (self.name == name if variants.name_match == "exact" else self.name in name))
            and (self.creator is None or run.fields.get("creator") == self.creator)
            and (self.queue_name is None or run.fields.get("resourceQueueId") == self.queue_name)
            and (self.deployment_id is None or run.deployment_id == self.deployment_id)
            and (self.is_workflow is None or run.is_workflow == self.is_workflow)
        )

    def _passes_defaults(self, run: Run, now_ms: int, variants: Variants) -> bool:
        """Whether a run passes the defaults that the API applies for absent filters."""
        workflows_only_if_asked = self.is_workflow is None and variants.absent_is_workflow == "false"
        cancelled_only_if_asked = not self.states and variants.absent_states == "not_cancelled"
        start_days = variants.absent_start_days if self.started is None else None
        end_days = variants.absent_end_days if self.ended is None and run.ended_by(now_ms) else None
        return (
            not (workflows_only_if_asked and run.is_workflow)
            and not (cancelled_only_if_asked and run.state_at(now_ms) == "Cancelled")
            and (start_days is None or run.submit_ms >= now_ms - start_days * DAY_MS)
            and (end_days is None or (run.end_ms or 0) >= now_ms - end_days * DAY_MS)
            and (self.min_duration_ms is not None or run.duration_ms(now_ms) >= variants.absent_min_duration_ms)
        )


def parse_filter(query: Mapping[str, str]) -> JobRunFilter:
    """Read the filter from a request's decoded query parameters; names that are no filter are left alone.

    Raises:
        ApiError: `InvalidParameter`, for a value that cannot be read.
    """
    return JobRunFilter(
        name=query.get("name") or None,
        creator=query.get("creator") or None,
        job_run_id=query.get("jobRunId") or None,
        deployment_id=query.get("jobRunDeploymentId") or None,
        queue_name=query.get("resourceQueueId") or None,
        is_workflow=parse_bool(query, "isWorkflow"),
        min_duration_ms=parse_int(query, "minDuration"),
        started=_parse_range(query, "startTime"),
        ended=_parse_range(query, "endTime"),
        states=_parse_states(query),
        tags=parse_pairs(query, "tags"),
        application_configs=parse_pairs(query, "applicationConfigs"),
        runtime_configs=parse_pairs(query, "runtimeConfigs"),
    )


def parse_bool(query: Mapping[str, str], name: str) -> bool | None:
    """A boolean parameter; the vendor's Python SDK writes `True`, others `true`."""
    text = query.get(name, "").lower()
    if text not in {"", "true", "false"}:
        raise ApiError("InvalidParameter", f"{name} must be true or false.")
    return None if text == "" else text == "true"


def parse_int(query: Mapping[str, str], name: str) -> int | None:
    """A whole number that is not negative."""
    text = query.get(name, "")
    if text and not (text.isascii() and text.isdigit()):
        raise ApiError("InvalidParameter", f"{name} must be a whole number.")
    return int(text) if text else None


def parse_pairs(query: Mapping[str, str], name: str) -> Pairs:
    """A JSON array of `{"key":..,"value":..}`; a pair without a value asks for the key alone."""
    items = _parse_json(query, name, list) or []
    if not all(isinstance(item, dict) and isinstance(item.get("key"), str) for item in items):
        raise ApiError("InvalidParameter", f"{name} must be a JSON array of key and value.")
    return tuple((item["key"], item.get("value")) for item in items)


def application_config_pairs(run: Run) -> dict[str, str]:
    """The configuration items of `configurationOverrides`, by key."""
    items = (run.fields.get("configurationOverrides") or {}).get("configurations") or []
    return {item.get("configItemKey"): item.get("configItemValue") for item in items}


def runtime_config_pairs(run: Run) -> dict[str, str]:
    """The `--conf` pairs of `sparkSubmitParameters`, by key."""
    submit = (run.fields.get("jobDriver") or {}).get("sparkSubmit") or {}
    pairs = (found.strip("'\"").partition("=") for found in CONF_PAIR.findall(submit.get("sparkSubmitParameters") or ""))
    return {key: value for key, _, value in pairs}


def _tag_pairs(run: Run) -> dict[str, str]:
    return {tag.get("key"): tag.get("value") for tag in run.fields.get("tags") or []}


def _has_all(wanted: Pairs, pairs: Mapping[str, str]) -> bool:
    return all(key in pairs and (value is None or pairs[key] == value) for key, value in wanted)


def _parse_range(query: Mapping[str, str], name: str) -> TimeRange | None:
    bounds = _parse_json(query, name, dict)
    if bounds is None:
        return None
    low_ms, high_ms = bounds.get("startTime"), bounds.get("endTime")
    if not all(bound is None or type(bound) is int for bound in (low_ms, high_ms)):
        raise ApiError("InvalidParameter", f"{name} must hold epoch milliseconds.")
    return TimeRange(low_ms, high_ms)


def _parse_states(query: Mapping[str, str]) -> frozenset[str]:
    states = _parse_json(query, "states", list) or []
    if not all(isinstance(state, str) for state in states):
        raise ApiError("InvalidParameter", "states must be a JSON array of strings.")
    return frozenset(states)


def _parse_json(query: Mapping[str, str], name: str, kind: type) -> Any:
    text = query.get(name)
    if not text:
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ApiError("InvalidParameter", f"{name} is not JSON.") from error
    if not isinstance(value, kind):
        raise ApiError("InvalidParameter", f"{name} is not a JSON {kind.__name__}.")
    return value
