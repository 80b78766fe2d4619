"""The SQL of the models for databases without installed adapters: their Jinja rendered with stand-ins for dbt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import yaml

from emr_usage.build import PROJECT

STRINGS = {"duckdb": "text", "postgres": "text", "spark": "string", "snowflake": "varchar", "bigquery": "string"}
INTEGERS = {"spark": "bigint", "bigquery": "int64"}


class _Dbt:
    """dbt's own macros, as far as the models use them, in one dialect."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect

    def type_string(self) -> str:
        return STRINGS[self._dialect]

    def type_bigint(self) -> str:
        return INTEGERS.get(self._dialect, "bigint")

    def type_boolean(self) -> str:
        return "bool" if self._dialect == "bigquery" else "boolean"

    def hash(self, value: str) -> str:
        return f"to_hex(md5({value}))" if self._dialect == "bigquery" else f"md5({value})"

    def dateadd(self, part: str, count: str, day: str) -> str:
        return {
            "duckdb": f"{day} + {count} * interval 1 {part}",
            "postgres": f"{day} + ((interval '1 {part}') * ({count}))",
            "bigquery": f"datetime_add(cast({day} as datetime), interval {count} {part})",
            "spark": f"date_add({day}, {count})",
        }.get(self._dialect, f"dateadd({part}, {count}, {day})")

    def listagg(self, measure: str, delimiter: str, order: str) -> str:
        return {
            "snowflake": f"listagg({measure}, {delimiter}) within group ({order})",
            "spark": f"array_join(collect_list({measure}), {delimiter})",
        }.get(self._dialect, f"string_agg({measure}, {delimiter} {order})")


class _Returned(Exception):  # noqa: N818  # dbt's `return` ends a macro; it is no error
    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


class _Adapter:
    def __init__(self, dialect: str, macros: dict[str, Any]) -> None:
        self._dialect = dialect
        self._macros = macros

    def dispatch(self, name: str, _package: str) -> Any:
        special = f"{self._dialect}__{name}"
        return self._macros[special if special in self._macros else f"default__{name}"]

    def get_columns_in_relation(self, _relation: object) -> list[Any]:
        return []


def _caught(macro: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return macro(*arguments, **named)
        except _Returned as returned:
            return returned.value

    return call


def _give_back(value: Any) -> None:
    raise _Returned(value)


def render(path: Path, dialect: str, *, incremental: bool) -> str:
    """Return a model's or a check's SQL in a dialect."""
    macros: dict[str, Any] = {}
    variables = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]["emr_usage"]
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False, extensions=["jinja2.ext.do"])  # noqa: S701  # SQL
    environment.globals |= {
        "adapter": _Adapter(dialect, macros),
        "config": lambda **_: "",
        "dbt": _Dbt(dialect),
        "emr_usage": macros,
        "execute": True,
        "is_incremental": lambda: incremental,
        "load_relation": lambda relation: relation,
        "ref": lambda name: f"emr_marts.{name}",
        "return": _give_back,
        "source": lambda dataset, name: f"{dataset}.{name}",
        "target": SimpleNamespace(type=dialect),
        "this": f"emr_marts.{path.stem}",
        "var": variables.__getitem__,
    }
    for file in sorted(PROJECT.glob("macros/*.sql")):
        text = file.read_text()
        # Tests and materializations are dbt's own tags, and no model calls them.
        if not text.lstrip().startswith("{% test") and "{% materialization" not in text:
            module = environment.from_string(text).module
            macros |= {name: _caught(macro) for name, macro in vars(module).items() if not name.startswith("_")}
    return environment.from_string(path.read_text()).render()
