"""What each rate and each owner rule matched, with a hint for those that matched nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

import dlt
from dlt.destinations.sql_client import SqlClientBase

from .build import MARTS_DATASET
from .query import query_rows

Row = Mapping[str, Any]

RATES_SQL: Final = f"SELECT * FROM {MARTS_DATASET}.rate_matches ORDER BY rate_row_number"  # noqa: S608  # the dataset's name is ours
RULES_SQL: Final = f"SELECT * FROM {MARTS_DATASET}.owner_rule_matches ORDER BY rule_number, currency"  # noqa: S608
# Comparing a name with this many others takes milliseconds; the most frequent values are the likeliest.
MAX_VALUES: Final = 5_000
_VALUES_SQL: Final = f"""
SELECT field, tag_key, matchable_value FROM (
  SELECT *, row_number() OVER (PARTITION BY field, tag_key ORDER BY job_runs DESC, matchable_value) AS place
  FROM {MARTS_DATASET}.matchable_values
) AS ranked
WHERE place <= {MAX_VALUES}
"""  # noqa: S608
_WORKSPACES_SQL: Final = f"SELECT workspace_id, workspace_name, region_id FROM {MARTS_DATASET}.workspaces"  # noqa: S608
SET_ASIDE_SQL: Final = f"""
SELECT reason, seen_as, count(*) AS figures FROM {MARTS_DATASET}.figures_set_aside GROUP BY reason, seen_as
"""  # noqa: S608
_RATE_FIELDS: Final = ("region_id", "workspace_id", "resource_queue_id")
_RULE_FIELDS: Final = ("tag_key", "tag_value", "creator", "resource_queue_id", "workspace_id", "job_name")
_NEAR: Final = 0.6


@dataclass(frozen=True)
class Match:
    """A line of rates.csv or a rule of owners.csv, and what it matched in all loaded history.

    Attributes:
        number: line of rates.csv, or place among the rules of owners.csv.
        says: its content, in words.
        job_runs: number of runs that it priced, or whose owner it names.
        cu_hours: their CU-hours.
        costs: their estimated cost by currency.
        hint: why it matched nothing, and what was probably intended; empty where it matched.
    """

    number: int
    says: str
    job_runs: int
    cu_hours: Any
    costs: dict[str, Any]
    hint: str


@dataclass(frozen=True)
class Matches:
    """Every rate and rule with what it matched.

    Attributes:
        rates: in the order of rates.csv.
        rules: in the order of owners.csv.
    """

    rates: list[Match]
    rules: list[Match]

    @property
    def facts(self) -> dict[str, list[dict[str, Any]]]:
        """Everything, for programs; amounts are texts, to keep all digits."""

        def facts_of(match: Match) -> dict[str, Any]:
            costs = {currency: str(cost) for currency, cost in match.costs.items()}
            return {**vars(match), "cu_hours": str(match.cu_hours), "costs": costs}

        return {"rates": [facts_of(match) for match in self.rates], "owner_rules": [facts_of(match) for match in self.rules]}

    @property
    def hints(self) -> list[str]:
        """One sentence for each rate and rule that matched nothing."""
        return [
            *(f"rates.csv, row {match.number} prices nothing: {match.hint}" for match in self.rates if match.hint),
            *(f"owners.csv, rule {match.number} matches nothing: {match.hint}" for match in self.rules if match.hint),
        ]


@dataclass
class _Known:
    """Values that job runs have.

    Attributes:
        values: by field, and for tag_value by its key.
        workspaces: ids of workspaces by name.
    """

    values: dict[tuple[str, str | None], list[str]] = field(default_factory=lambda: defaultdict(list))
    workspaces: dict[str, str] = field(default_factory=dict)


def read_matches(pipeline: dlt.Pipeline) -> Matches:
    """Return what each rate and rule matched at the last build."""
    with pipeline.sql_client() as client:
        return find_matches(client, query_rows(client, RATES_SQL), query_rows(client, RULES_SQL))


def find_matches(client: SqlClientBase[Any], rates: Sequence[Row], rules: Sequence[Row]) -> Matches:
    """Return the matches of rates and owner rules, with hints for those that matched nothing."""
    is_any_unmatched = any(not row["job_runs"] for row in rates) or any(not row["rule_job_runs"] for row in rules)
    known = _read_known(client) if is_any_unmatched else _Known()
    return Matches([_rate(row, known) for row in rates], _rules(rules, known))


def read_set_aside(pipeline: dlt.Pipeline) -> list[str]:
    """Return a sentence for each kind of figure that cannot be true and is in no sum."""
    with pipeline.sql_client() as client:
        return set_aside_sentences(query_rows(client, SET_ASIDE_SQL))


def set_aside_sentences(rows: Sequence[Row]) -> list[str]:
    """Return a sentence for each row: a reason, where it was seen and how many figures."""
    sentences = {
        ("negative", "job_run"): "Job runs with negative CU-hours, counted as runs without a figure",
        ("before_1970", "job_run"): "Job runs dated before 1970, counted as runs without a figure",
        ("negative", "observation"): "Observations of open runs with negative CU-hours, left out",
    }
    ordered = sorted(rows, key=lambda row: (row["reason"], row["seen_as"]))
    return [
        f"{sentences[row['reason'], row['seen_as']]}: {row['figures']:,} (see {MARTS_DATASET}.figures_set_aside)."
        for row in ordered
    ]


def _read_known(client: SqlClientBase[Any]) -> _Known:
    known = _Known()
    for row in query_rows(client, _VALUES_SQL):
        known.values[row["field"], row["tag_key"]].append(row["matchable_value"])
    for row in query_rows(client, _WORKSPACES_SQL):
        for name in ("workspace_id", "region_id"):
            if row[name] and row[name] not in known.values[name, None]:
                known.values[name, None].append(row[name])
        if row["workspace_name"]:
            known.workspaces[row["workspace_name"]] = row["workspace_id"]
    return known


def _rate(row: Row, known: _Known) -> Match:
    place = ", ".join(str(row[name]) for name in _RATE_FIELDS if row[name])
    says = f"{place}: {row['currency']} {row['price_per_cu_hour'].normalize():f}{_period(row)}"
    hint = ""
    if not row["job_runs"]:
        otherwise = "no job run used CU-hours there on its dates, or narrower rates price all of them"
        hint = _hint(row, _RATE_FIELDS, known, otherwise)
    return Match(row["rate_row_number"], says, row["job_runs"], row["cu_hours"], {row["currency"]: row["estimated_cost"]}, hint)


def _rules(rows: Sequence[Row], known: _Known) -> list[Match]:
    """Return one match for each rule, of its rows by currency."""
    by_rule: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_rule[row["rule_number"]].append(row)
    matches = []
    for number, same in by_rule.items():
        row = same[0]
        conditions = ", ".join(f"{name} {row[name]}" for name in _RULE_FIELDS if row[name]) or "every run"
        hint = ""
        if not row["rule_job_runs"]:
            otherwise = "no job run matches all its columns on its dates, or earlier rules match them first"
            hint = _hint(row, _RULE_FIELDS, known, otherwise)
        costs = {part["currency"]: part["estimated_cost"] for part in same if part["currency"]}
        used = sum(part["cu_hours"] for part in same)
        says = f"{row['owner']}: {conditions}{_period(row)}"
        matches.append(Match(number, says, row["rule_job_runs"], used, costs, hint))
    return matches


def _period(row: Row) -> str:
    return "".join(f" {word} {row[name]}" for word, name in (("from", "valid_from"), ("to", "valid_to")) if row[name])


def _hint(row: Row, fields: Sequence[str], known: _Known, otherwise: str) -> str:
    """Return which values of a rate or rule no job run has, with similar ones; where all are known, another cause."""
    hints = []
    for name in fields:
        value = row[name]
        # The value of an unknown key is unknown too.
        if not value or (name == "tag_value" and row["tag_key"] not in known.values["tag_key", None]):
            continue
        values = known.values[name, row["tag_key"] if name == "tag_value" else None]
        if not _is_known(name, value, values):
            hints.append(_unknown(name, value, values, known))
    text = "; ".join(hints) or otherwise
    return text if text.endswith("?") else f"{text}."


def _is_known(name: str, value: str, values: Sequence[str]) -> bool:
    if name != "job_name":
        return value in values
    pattern = re.compile(re.escape(value).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)
    return any(pattern.fullmatch(other) for other in values)


def _unknown(name: str, value: str, values: Sequence[str], known: _Known) -> str:
    # repr() shows invisible characters other than an ordinary space.
    what = f"{name} {value!r} is in no job run" if name != "job_name" else f"job_name {value!r} matches no job run"
    if len(values) == MAX_VALUES:
        what = f"{name} {value!r} is not among the {MAX_VALUES:,} most frequent"
    if name == "workspace_id" and value in known.workspaces:
        return f"{what}, it is a workspace's name; write its id, {known.workspaces[value]}"
    near = _near(value, values)
    return f"{what}; did you mean {' or '.join(near)}?" if near else what


def _near(value: str, values: Sequence[str]) -> list[str]:
    """Return up to three similar values; letter case and the stars of a pattern are ignored."""
    by_form: dict[str, str] = {}
    for other in values:
        by_form.setdefault(other.casefold(), other)
    return [by_form[form] for form in get_close_matches(value.strip("*").casefold(), list(by_form), n=3, cutoff=_NEAR)]
