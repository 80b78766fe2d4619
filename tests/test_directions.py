"""Dependency rules: allowed imports, and which modules may use HTTP, Arrow, the clock and the console."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from emr_usage.cli import main
from mart_fixtures import MARTS

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "sources" / "emr_serverless"
APPLICATION = ROOT / "pipelines" / "emr_usage"
SCRIPT = ROOT / "sources" / "emr_serverless_pipeline.py"

# Inside the source each folder imports only what stands before it: `settings` is below all, `__init__` above all.
FOLDERS = (
    *("settings", "resources", "arrow", "redaction", "api", "validation", "configuration", "sync"),
    *("comments", "postgres_packages", "dlt_workarounds", "extraction", "__init__"),
)
# These look at texts and nothing else.
PURE_REDACTION = {
    *("tokens", "names", "values", "token_formats", "addresses", "shell", "markup"),
    *("patterns", "named", "redactor", "backtracking", "spark_settings", "arguments", "json_values", "user_patterns"),
}
SPEAK_HTTP = {"api/client", "api/exchange", "api/processes"}
KNOW_ARROW = {
    "redaction/arrow",
    "sync/audit",
    "sync/batch",
    "sync/load",
    "sync/scheduler",
    "sync/snapshots",
    "sync/unknown_fields",
    "extraction",
    "__init__",
}
KNOW_DLT = {
    "comments",
    "__init__",
    "extraction",
    "configuration",
    "api/credentials",
    "sync/destination",
    "dlt_workarounds",
    "postgres_packages",
    "sync/checkpoint",
}
HTTP = {"httpx", "requests", "urllib3", "aiohttp", "http", "socket"}
WALL_CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns", "time.localtime"}
COMMANDS = APPLICATION / "cli"
READ_THE_CLOCK = {SOURCE / "__init__.py", COMMANDS / "terminal.py", *(ROOT / "pipelines" / "dags").rglob("*.py")}


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


def module_of(path: Path) -> str:
    """Return a module of the source by its place in it, such as `api/client`."""
    return path.relative_to(SOURCE).with_suffix("").as_posix()


def folder_of(path: Path) -> str:
    """Return the folder of one of the source's modules, or the module itself where it is in none."""
    return module_of(path).split("/")[0]


def own_imports(path: Path) -> set[str]:
    """Return what one of the source's modules imports of the source, such as `api.client.Client`."""
    return {name.removeprefix("emr_serverless.") for name in imports(path) if name.startswith("emr_serverless.")}


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


def test_every_folder_of_the_source_has_a_layer() -> None:
    assert {folder_of(path) for path in modules(SOURCE)} == set(FOLDERS)


def test_packages_import_only_packages_of_lower_layers() -> None:
    for path in modules(SOURCE):
        allowed = {*FOLDERS[: FOLDERS.index(folder_of(path)) + 1]}
        assert {name.split(".")[0] for name in own_imports(path)} <= allowed, path


def test_imports_have_no_cycles() -> None:
    names = {module_of(path).replace("/", "."): path for path in modules(SOURCE)}
    imported = {
        name: {other for other in names for used in own_imports(path) if used == other or used.startswith(f"{other}.")}
        for name, path in names.items()
    }
    while free := {name for name, others in imported.items() if not others & imported.keys()}:
        for name in free:
            del imported[name]
    assert imported == {}


def test_declarations_import_nothing_else() -> None:
    for path in modules(SOURCE / "resources"):
        assert {name.split(".")[0] for name in own_imports(path)} <= {"resources"}, path
        assert top_names(path) <= {"emr_serverless", *sys.stdlib_module_names}, path


def test_redaction_modules_import_no_other_package_of_the_source() -> None:
    assert {path.stem for path in modules(SOURCE / "redaction")} == PURE_REDACTION | {"__init__", "arrow", "strict"}
    for name in PURE_REDACTION:
        assert {used.split(".")[0] for used in own_imports(SOURCE / f"redaction/{name}.py")} <= {"redaction"}, name


def test_the_source_uses_relative_imports_and_no_other_project_package() -> None:
    for path in modules(SOURCE):
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.ImportFrom) and not node.level:
                assert node.module is not None
                assert node.module.split(".")[0] not in {"emr_serverless", "emr_usage", "sources", "pipelines"}, path
            if isinstance(node, ast.ImportFrom):
                assert node.level <= len(path.relative_to(SOURCE).parts), path
        assert "emr_usage" not in top_names(path), path


def test_only_the_client_and_its_exchange_use_the_network() -> None:
    assert {module_of(path) for path in modules(SOURCE) if top_names(path) & HTTP} == SPEAK_HTTP


def test_only_modules_that_build_tables_import_arrow() -> None:
    knowing = {path for path in modules(SOURCE) if "pyarrow" in top_names(path)}
    assert {module_of(path) for path in knowing if folder_of(path) != "arrow"} <= KNOW_ARROW


def test_only_the_entry_points_and_workarounds_of_the_source_import_dlt() -> None:
    users = {module_of(path): {name for name in imports(path) if name.split(".")[0] == "dlt"} for path in modules(SOURCE)}
    assert {name for name, used in users.items() if used} == KNOW_DLT
    # The specification of an access key and its places are dlt's; its decorators are not for it.
    assert all(
        name.startswith(("dlt.common.configuration.specs.", "dlt.common.runtime.", "dlt.common.typing."))
        for name in users["api/credentials"]
    )
    assert not {"dlt.source", "dlt.resource", "dlt.transformer"} & calls(SOURCE / "api/credentials.py")


def imported_from_us(path: Path) -> set[str]:
    return {name for name in imports(path) if name.split(".")[0] in {"emr_serverless", "emr_usage", "sources", "pipelines"}}


def test_the_emulator_imports_nothing_else_of_the_project() -> None:
    for path in modules(APPLICATION / "emulator"):
        assert {name for name in imported_from_us(path) if not name.startswith("emr_usage.emulator")} == set(), path


def importers_of(package: str) -> set[Path]:
    """Return the files of the application that import a package of ours, itself apart."""
    inside = APPLICATION / package.removeprefix("emr_usage.").replace(".", "/")
    return {
        path
        for path in modules(APPLICATION)
        if inside not in path.parents and any(f"{name}.".startswith(f"{package}.") for name in imports(path))
    }


def test_production_imports_neither_the_demo_nor_the_emulator() -> None:
    assert importers_of("emr_usage.demo") == {COMMANDS / "demo.py"}
    assert importers_of("emr_usage.emulator") == {COMMANDS / "emulator.py", APPLICATION / "demo/__init__.py"}


def test_only_the_destinations_folder_depends_on_the_destination_type() -> None:
    for path in modules(APPLICATION):
        if path.parent != APPLICATION / "destinations":
            assert not {name for name in imports(path) if name.startswith("dlt.destinations.impl.")}, path
            assert not {name for name in calls(path) if name.endswith(".destination_type")}, path
            assert "place_of" not in calls(path) or path == APPLICATION / "target.py", path


def test_every_command_is_defined_in_a_module_of_the_same_name() -> None:
    for name, command in main.commands.items():
        assert command.callback is not None
        assert command.callback.__module__ == f"emr_usage.cli.{name.replace('-', '_')}"


def test_the_application_imports_only_public_names_and_schemas_of_the_source() -> None:
    inner = tuple(f"emr_serverless.{name}." for name in FOLDERS)
    for path in modules(APPLICATION):
        used = {name for name in imports(path) if name.startswith(inner)}
        assert {
            name for name in used if not name.startswith(("emr_serverless.arrow.schema.", "emr_serverless.resources."))
        } == set(), path


def test_the_report_reads_marts_only() -> None:
    ours = set().union(*(imported_from_us(path) for path in modules(APPLICATION / "report")))
    others = {name for name in ours if not name.startswith("emr_usage.report.")}
    assert others <= {
        "emr_usage.build.MARTS_DATASET",
        "emr_usage.currencies.minor_unit",
        "emr_usage.errors.BuildError",
        "emr_usage.errors.FolderError",
        "emr_usage.errors.NO_SPACE",
        "emr_usage.builds.BuildRecord",
        "emr_usage.errors.TooManyRowsError",
        *(f"emr_usage.matches.{name}" for name in ("Matches", "find_matches", "set_aside_sentences")),
        *(f"emr_usage.matches.{name}" for name in ("RATES_SQL", "RULES_SQL", "SET_ASIDE_SQL")),
        "emr_usage.query.query_rows",
        "emr_usage.query.reading_marts",
        "emr_usage.whole_file.write_whole",
    }


def test_report_queries_read_no_other_tables() -> None:
    known = {f"{{marts}}.{name}" for name in MARTS}
    for path in sorted((APPLICATION / "report/queries").glob("*.sql")):
        assert set(re.findall(r"(?:FROM|JOIN)\s+(\S+)", path.read_text())) - {"("} <= known, path


def test_only_entry_points_read_the_wall_clock() -> None:
    readers = {path for path in modules(SOURCE, SCRIPT, ROOT / "pipelines") if calls(path) & WALL_CLOCK}
    # The emulator checks signatures by a clock of its own, as the API does.
    assert {path for path in readers if APPLICATION / "emulator" not in path.parents} == READ_THE_CLOCK
    assert {path.name for path in readers if APPLICATION / "emulator" in path.parents} <= {"gateway.py", "clock.py"}


def test_the_clock_is_not_imported_under_another_name() -> None:
    for path in modules(SOURCE, SCRIPT, ROOT / "pipelines"):
        assert not {"time.time", "time.time_ns", "time.localtime"} & set(imports(path)), path


def test_only_command_modules_print() -> None:
    printing = {"print", "click.echo", "click.secho", "Console", "sys.stdout", "sys.stderr", "pprint"}
    speakers = {path for path in modules(SOURCE, ROOT / "pipelines") if calls(path) & printing}
    assert {path.parent for path in speakers} == {COMMANDS}


def test_imports_do_not_use_repository_folders() -> None:
    for path in modules(ROOT / "sources", ROOT / "pipelines", ROOT / "tests"):
        named = {
            alias for node in ast.walk(parse(path)) if isinstance(node, ast.Import) for alias in (a.name for a in node.names)
        }
        named |= {node.module or "" for node in ast.walk(parse(path)) if isinstance(node, ast.ImportFrom) and not node.level}
        assert not {name for name in named if name.split(".")[0] in {"sources", "pipelines"}}, path


def test_no_module_has_a_generic_name() -> None:
    names = {path.stem for path in modules(ROOT / "sources", ROOT / "pipelines")}
    assert names & {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"} == set()
