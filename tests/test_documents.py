"""Names in the documentation exist, and its printed output is up to date."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import click
import pytest
import yaml

from emr_serverless.arrow.schema import RAW_TABLES
from emr_serverless.resources import RESOURCES
from emr_usage.builds import BuildRecord
from emr_usage.cli import main
from emr_usage.command_settings import SETTINGS, environment_name
from emr_usage.marts_reference import BUILDS, marts_reference
from emr_usage.monitoring.metrics import FAMILIES
from emr_usage.questions import questions_of
from emr_usage.reference import table_reference
from mart_fixtures import MARTS

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("sources/**/*.md")]
    if path.name != "CHANGELOG.md"
)
COMMANDS = [
    each
    for command in main.commands.values()
    for each in (command, *(command.commands.values() if isinstance(command, click.Group) else ()))
]
OPTIONS = {option for command in COMMANDS for param in command.params for option in param.opts}
SPARK_JOB = (ROOT / "pipelines/spark/build_marts.py").read_text()
SPARK_OPTIONS = re.findall(r'add_argument\(\s*"(--[a-z-]+)"', SPARK_JOB)
# Options and targets of other programs that the documents name.
FOREIGN_OPTIONS = {
    *("--location", "--version", "--help"),
    *("--system", "--home-dir", "--shell", "--now", "--rm", "--env-file", "--from-env-file"),
    *(*SPARK_OPTIONS, "--conf", "--force", "--runs"),
}


def test_the_table_reference_matches_the_schemas() -> None:
    assert (ROOT / "docs/tables.md").read_text() == table_reference(), "run make docs"


def test_the_mart_reference_matches_the_models() -> None:
    text = (ROOT / "docs/marts.md").read_text()
    assert text == marts_reference((ROOT / "docs/questions.md").read_text()), "run make docs"
    assert re.findall(r"^## `(\w+)`", text, re.MULTILINE) == sorted([*MARTS, "builds"])
    assert list(BUILDS) == [field.name for field in fields(BuildRecord)]


def test_every_question_is_linked_from_the_table_it_reads() -> None:
    text = (ROOT / "docs/marts.md").read_text()
    for question in questions_of((ROOT / "docs/questions.md").read_text()):
        if "emr_marts." in question.sql:
            assert f"[{question.heading}](questions.md#" in text, question.heading


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documented_commands_options_and_make_targets_exist(path: Path) -> None:
    text = path.read_text()
    for command in re.findall(r"emr-usage ([a-z][\w-]+)", text):
        assert command in main.commands, command
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) - FOREIGN_OPTIONS:
        assert option in OPTIONS, option
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for target in re.findall(r"`make ([a-z]+)", text):
        assert target in targets, target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_have_existing_targets(path: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()):
        assert link.startswith("http") or (path.parent / link).exists(), link


def test_the_readme_lists_every_table_and_command() -> None:
    text = (ROOT / "README.md").read_text()
    for name in [*RAW_TABLES, *(f"emr-usage {command}" for command in main.commands)]:
        assert name in text, name


def test_the_policy_in_the_readme_grants_exactly_the_required_actions() -> None:
    (policy,) = re.findall(r"```json\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (statement,) = json.loads(policy)["Statement"]
    assert sorted(statement["Action"]) == sorted(resource.ram_action for resource in RESOURCES)


def test_the_monitoring_documentation_lists_every_metric_and_setting() -> None:
    text = (ROOT / "docs/monitoring.md").read_text()
    listed = re.findall(r"^\| `(emr_usage_\w+)` \| (\w+) \| (.*?) ?\| (.*) \|$", text, re.MULTILINE)
    of_code = [(family.sample_name, "counter" if family.is_counter else "gauge", family.help) for family in FAMILIES]
    assert [(name, kind, meaning) for name, kind, _, meaning in listed] == of_code
    assert set(re.findall(r"emr_usage_\w+", text)) == {name for name, _, _ in of_code}
    settings = re.findall(r"^\| `(\w+)` \| `(EMR_USAGE__\w+)` \|", text, re.MULTILINE)
    assert settings == [
        (name, environment_name(name))
        for name in SETTINGS
        if name not in {"billing_time_zone", "settlement_adjustment", "billing_account_id"}
    ]
    (rules,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert all(rule["expr"] for rule in yaml.safe_load(rules)["groups"][0]["rules"])


def test_every_command_begins_its_help_with_an_example() -> None:
    for name, command in main.commands.items():
        help_text = command.get_help(click.Context(command, info_name=f"emr-usage {name}"))
        assert re.search(rf"Examples:\s+emr-usage {name}", help_text), name


def test_the_spark_documentation_lists_every_argument_of_the_job() -> None:
    text = (ROOT / "docs/spark.md").read_text()
    assert re.findall(r"^\| `(--[a-z-]+)` \|", text, re.MULTILINE) == SPARK_OPTIONS
    lock = (ROOT / "tests/spark/requirements-4.0.in").read_text().replace("[session]", "").split()
    assert all(f"`{requirement}`" in text for requirement in lock if not requirement.startswith("pyspark"))
