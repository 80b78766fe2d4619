"""The directions of the house: who may import whom, who speaks HTTP, who knows Arrow, who reads the clock, who prints."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from paper import MARTS

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "sources" / "emr_serverless"
APPLICATION = ROOT / "pipelines" / "emr_usage"
SCRIPT = ROOT / "sources" / "emr_serverless_pipeline.py"

# Inside the source each module imports only what stands before it.
ORDER = (
    "settings",
    "backtracking",
    "errors",
    "credentials",
    "signing",
    "flow",
    "windows",
    "hidden_defaults",
    "tables",
    "literals",
    "secret_names",
    "secret_values",
    "secret_tokens",
    "secret_addresses",
    "commands",
    "markup",
    "secret_patterns",
    "named_secrets",
    "redaction",
    "spark_settings",
    "columns",
    "strict",
    "shapes",
    "answers",
    "refusals",
    "client",
    "validation",
    "configuration",
    "conversion",
    "sweep",
    "census",
    "workspace",
    "masking",
    "unknown_fields",
    "package",
    "terms",
    "destination",
    "memory",
    "absence",
    "account",
    "load",
    "guards",
    "__init__",
)
# These are pure and may know the settings and one another only.
PURE = (
    *("windows", "hidden_defaults", "tables", "literals", "flow"),
    *ORDER[ORDER.index("secret_names") : ORDER.index("redaction") + 1],
)
SPEAK_HTTP = {"client", "signing"}
KNOW_ARROW = {
    "tables",
    "columns",
    "shapes",
    "answers",
    "conversion",
    "masking",
    "package",
    "unknown_fields",
    "account",
    "load",
    "__init__",
}
HTTP = {"httpx", "requests", "urllib3", "aiohttp", "http", "socket"}
WALL_CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns", "time.localtime"}
COMMANDS = APPLICATION / "cli"
READ_THE_CLOCK = {SCRIPT, COMMANDS / "terminal.py", *(ROOT / "pipelines" / "dags").rglob("*.py")}


def modules(*roots: Path) -> list[Path]:
    return sorted(path for root in roots for path in (root.rglob("*.py") if root.is_dir() else [root]))


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def package_of(path: Path) -> list[str]:
    """Return the package that a file's relative imports start from."""
    root = next(parent for parent in path.parents if parent.name in {"sources", "pipelines"})
    return [*path.relative_to(root).parent.parts]


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of everything a file imports, wherever in it."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = package_of(path)
            base = package[: len(package) - node.level + 1] if node.level else []
            whole = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{whole}.{alias.name}" for alias in node.names)


def top_names(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def own_imports(path: Path) -> set[str]:
    """Return the source's modules that one of them imports."""
    own = {name.split(".")[1] for name in imports(path) if name.startswith("emr_serverless.")}
    return {name if name in ORDER else "__init__" for name in own}


def calls(path: Path) -> set[str]:
    """Return the dotted names that a file mentions, such as `datetime.now`, by their last two parts."""
    found = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Attribute):
            owner = node.value
            if isinstance(owner, ast.Name):
                found.add(f"{owner.id}.{node.attr}")
            elif isinstance(owner, ast.Attribute):
                found.add(f"{owner.attr}.{node.attr}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found.add(node.func.id)
    return found


def test_every_module_of_the_source_has_its_place() -> None:
    assert {path.stem for path in SOURCE.glob("*.py")} == set(ORDER)


def test_a_module_imports_only_what_stands_before_it() -> None:
    for position, name in enumerate(ORDER):
        allowed = set(ORDER[:position])
        if name in PURE:
            allowed &= {"settings", *PURE}
        assert own_imports(SOURCE / f"{name}.py") - allowed == set(), name


def test_the_source_imports_itself_relatively_and_nothing_else_of_ours() -> None:
    for path in modules(SOURCE):
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.ImportFrom) and not node.level:
                assert node.module is not None
                assert node.module.split(".")[0] not in {"emr_serverless", "emr_usage", "sources", "pipelines"}, path
            if isinstance(node, ast.ImportFrom):
                assert node.level <= 1, path
        assert "emr_usage" not in top_names(path), path


def test_only_client_and_signing_know_http() -> None:
    assert {path.stem for path in modules(SOURCE) if top_names(path) & HTTP} == SPEAK_HTTP


def test_only_the_makers_of_tables_know_arrow() -> None:
    assert {path.stem for path in modules(SOURCE) if "pyarrow" in top_names(path)} <= KNOW_ARROW


def test_only_the_sources_front_its_configuration_and_its_guards_know_dlt() -> None:
    users = {path.stem: {name for name in imports(path) if name.split(".")[0] == "dlt"} for path in modules(SOURCE)}
    knowing = {"__init__", "configuration", "credentials", "destination", "guards", "memory"}
    assert {name for name, used in users.items() if used} == knowing
    # The specification of an access key and its places are dlt's; its decorators are not for it.
    assert all(
        name.startswith(("dlt.common.configuration.specs.", "dlt.common.runtime.", "dlt.common.typing."))
        for name in users["credentials"]
    )
    assert not {"dlt.source", "dlt.resource", "dlt.transformer"} & calls(SOURCE / "credentials.py")


def imported_from_us(path: Path) -> set[str]:
    return {name for name in imports(path) if name.split(".")[0] in {"emr_serverless", "emr_usage", "sources", "pipelines"}}


def test_the_emulator_knows_nothing_of_ours() -> None:
    for path in modules(APPLICATION / "emulator"):
        assert {name for name in imported_from_us(path) if not name.startswith("emr_usage.emulator")} == set(), path


def test_the_application_uses_the_front_of_the_source_and_the_schemas() -> None:
    inner = tuple(f"emr_serverless.{name}." for name in ORDER if name != "tables")
    for path in modules(APPLICATION):
        assert {name for name in imports(path) if name.startswith(inner)} == set(), path


def test_the_report_reads_marts_only() -> None:
    ours = set().union(*(imported_from_us(path) for path in modules(APPLICATION / "report")))
    others = {name for name in ours if not name.startswith("emr_usage.report.")}
    assert others <= {
        "emr_usage.build.MARTS_DATASET",
        "emr_usage.currencies.minor_unit",
        "emr_usage.failures.BuildError",
        "emr_usage.failures.FolderError",
        "emr_usage.failures.NO_SPACE",
        "emr_usage.builds.BuildRecord",
        "emr_usage.failures.TooManyRowsError",
        *(f"emr_usage.matches.{name}" for name in ("Matches", "find_matches", "set_aside_sentences")),
        *(f"emr_usage.matches.{name}" for name in ("RATES_SQL", "RULES_SQL", "SET_ASIDE_SQL")),
        "emr_usage.query.query_rows",
        "emr_usage.query.reading_marts",
        "emr_usage.whole_file.write_whole",
    }


def test_a_query_of_the_report_names_no_other_table() -> None:
    known = {f"{{marts}}.{name}" for name in MARTS}
    for path in sorted((APPLICATION / "report/queries").glob("*.sql")):
        assert set(re.findall(r"(?:FROM|JOIN)\s+(\S+)", path.read_text())) - {"("} <= known, path


def test_nobody_reads_the_wall_clock_but_who_talks_to_the_user() -> None:
    readers = {path for path in modules(SOURCE, SCRIPT, ROOT / "pipelines") if calls(path) & WALL_CLOCK}
    # The emulator checks signatures by a clock of its own, as the API does.
    assert {path for path in readers if APPLICATION / "emulator" not in path.parents} == READ_THE_CLOCK
    assert {path.name for path in readers if APPLICATION / "emulator" in path.parents} <= {"gateway.py", "clock.py"}


def test_the_clock_is_not_imported_under_another_name() -> None:
    for path in modules(SOURCE, SCRIPT, ROOT / "pipelines"):
        assert not {"time.time", "time.time_ns", "time.localtime"} & set(imports(path)), path


def test_only_the_command_prints() -> None:
    printing = {"print", "click.echo", "click.secho", "Console", "sys.stdout", "sys.stderr", "pprint"}
    speakers = {path for path in modules(SOURCE, ROOT / "pipelines") if calls(path) & printing}
    assert {path.parent for path in speakers} == {COMMANDS}


def test_nothing_is_imported_by_the_folders_name() -> None:
    for path in modules(ROOT / "sources", ROOT / "pipelines", ROOT / "tests"):
        named = {
            alias for node in ast.walk(parse(path)) if isinstance(node, ast.Import) for alias in (a.name for a in node.names)
        }
        named |= {node.module or "" for node in ast.walk(parse(path)) if isinstance(node, ast.ImportFrom) and not node.level}
        assert not {name for name in named if name.split(".")[0] in {"sources", "pipelines"}}, path


def test_no_module_is_named_after_nothing() -> None:
    names = {path.stem for path in modules(ROOT / "sources", ROOT / "pipelines")}
    assert names & {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"} == set()
