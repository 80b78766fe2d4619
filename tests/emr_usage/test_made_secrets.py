"""Generated secrets in every field and format: successful, killed and failed loads leave none of them behind."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from artifacts import KEPT_FILES, artifacts
from cli_harness import CliHarness
from emr_usage.emulator import ApiError, Clock, Emulator, Run, State, Variants
from process_pool import FaultInjection, Finished, ProcessPool
from secret_forms import CHOSEN, FORMS, LETTERS_ONLY, UNQUOTED
from small_account import HOUR_MS, NOW_MS

WORKSPACE, REGION = "w-made", "cn-hangzhou"
MARK = re.compile(r"zq[0-9a-f]{12}")
MIDDLES = st.fixed_dictionaries(
    {form: secrets for form, (secrets, _) in FORMS.items()} | {"chosen": CHOSEN, "unquoted": UNQUOTED, "letters": LETTERS_ONLY}
)
# An example holds hundreds of secrets and takes three loads: smaller ones cost more than reading a large one.
FEW = settings(max_examples=4, phases=[Phase.explicit, Phase.reuse, Phase.generate])
SECRET_ITEMS = (
    "fs.oss.accessKeySecret",
    "odps.access.id",
    "ConnectionPassword",
    "ssl.keyPassphrase",
    "gcp.credential",
    "a.private_key",
)


class Planter:
    """Makes secrets, each of its own, and remembers where they went.

    A secret begins and ends with marks that occur nowhere else and that no encoding changes: a part that is left is found too.

    Attributes:
        places: where each mark was put.
    """

    def __init__(self, middles: dict[str, str]) -> None:
        self._middles = middles
        self.places: dict[str, str] = {}

    def secret(self, kind: str, place: str) -> str:
        """Return another secret whose middle is of a kind."""
        marks = [f"zq{hashlib.blake2b(f'{len(self.places) + end}'.encode(), digest_size=6).hexdigest()}" for end in (0, 1)]
        self.places |= dict.fromkeys(marks, f"{kind}, {place}")
        return f"{marks[0]}{self._middles[kind]}{marks[1]}"

    def text(self, form: str, place: str) -> str:
        """Return a text with another secret in one of `FORMS`."""
        return FORMS[form][1](self.secret(form, place))


def run_with(number: int, fields: dict[str, Any]) -> Run:
    """Return a run, each second of them still open."""
    start_ms = NOW_MS - 5 * HOUR_MS + number
    return Run(
        workspace_id=WORKSPACE,
        job_run_id=f"jr-{number}",
        submit_ms=start_ms,
        start_ms=start_ms,
        end_ms=start_ms + HOUR_MS if number % 2 else None,
        final_state="Failed",
        fields=fields,
    )


def fields_full_of(text: Callable[[str], str]) -> dict[str, Any]:
    """Return a run's fields with another text in every place that has free text."""
    item = {"configFileName": text("file"), "configItemKey": "spark.x", "configItemValue": text("value of an item")}
    return {
        "name": text("name"),
        "webUI": text("web UI"),
        "stateChangeReason": {"code": "1", "message": text("message")},
        "tags": [{"key": "source", "value": text("value of a tag")}, {"key": text("key of a tag"), "value": ""}],
        "log": {name: text(name) for name in ("driverStdOut", "driverStdError", "driverSyslog", "driverStartup")},
        "jobDriver": {
            "sparkSubmit": {
                "entryPoint": text("entry point"),
                "entryPointArguments": ["x", text("argument"), "y"],
                "sparkSubmitParameters": f"{text('parameters')} --conf a=b",
                "newField": text("unknown field of the driver"),
            }
        },
        "configurationOverrides": {"configurations": [item, {"configItemKey": text("key of an item"), "configItemValue": ""}]},
        "diagnosis": text("unknown field"),
        "probes": [{"deep": [text("deep in an unknown field")]}],
    }


def fields_with_secret_names(secret: Callable[[str, str], str]) -> dict[str, Any]:
    """Return a run's fields where the name beside it makes a value secret."""
    letters, signature = secret("letters", "signed URL"), quote(secret("chosen", "signed URL"), safe="")
    signed = f"https://h/x.log?Expires=1&OSSAccessKeyId=LTAI{letters}&Signature={signature}&security-token=STS.{letters}"
    pair = shlex.quote(f"spark.x.password={secret('chosen', 'quoted --conf')}")
    arguments = [
        "--db-password",
        secret("chosen", "next"),
        f"--token={secret('chosen', 'same')}",
        f"pwd={secret('chosen', 'pair')}",
    ]
    items = [{"configItemKey": f"spark.{key}", "configItemValue": secret("chosen", key)} for key in SECRET_ITEMS]
    return {
        "webUI": f"https://h/ui?token={quote(secret('chosen', 'web UI'), safe='')}",
        "log": {"driverStdOut": signed},
        "tags": [{"key": "db_password", "value": secret("chosen", "tag")}],
        "jobDriver": {
            "sparkSubmit": {
                "entryPointArguments": [*arguments, "curl", "-u", f"user:{secret('chosen', 'curl')}"],
                "sparkSubmitParameters": f"--conf {pair} --conf a.secret={secret('unquoted', '--conf')} --conf a=b",
            }
        },
        "configurationOverrides": {"configurations": items},
        "accessKeySecret": secret("chosen", "unknown field"),
        "connectionToken": {"deep": [secret("chosen", "unknown fields")]},
        "settings": [{"key": "my.pwd", "value": secret("chosen", "unknown pair")}],
    }


class MadeAccount(State):
    """A workspace with a run for each form, and one for secret names.

    Attributes:
        refusal: with what message its workspaces are refused, if they are.
    """

    def __init__(self, planter: Planter) -> None:
        super().__init__()
        self.refusal = ""
        name, reason = planter.text("bare", "workspace's name"), planter.text("address", "workspace's failure")
        tags = [{"tagKey": "db_password", "tagValue": planter.secret("chosen", "workspace's tag")}]
        self.add_workspace(WORKSPACE, REGION, workspaceName=name, failReason=reason, tags=tags)
        self.add(*(run_with(number, fields_full_of(partial(planter.text, form))) for number, form in enumerate(FORMS)))
        self.add(run_with(len(FORMS), fields_with_secret_names(planter.secret)))

    def workspaces(self) -> list[dict[str, Any]]:
        if self.refusal:
            raise ApiError("InvalidParameter", self.refusal)
        return super().workspaces()


@contextmanager
def desk_before(state: State, process_pool: ProcessPool) -> Iterator[CliHarness]:
    """Yield a command line in a folder of its own: hypothesis tries many examples in one test."""
    with TemporaryDirectory() as folder, Emulator(state, Clock(NOW_MS), variants=Variants(list_details=True)) as emulator:
        yield CliHarness(Path(folder), emulator, {WORKSPACE: REGION}, process_pool, KEPT_FILES)
        assert emulator.failures == []


@FEW
@given(middles=MIDDLES)
def test_failed_killed_and_successful_loads_leave_no_generated_secret(process_pool: ProcessPool, middles: dict[str, str]) -> None:
    planter = Planter(middles)
    with desk_before(MadeAccount(planter), process_pool) as cli:
        for nth in range(3, 10):
            fault = FaultInjection("dlt.destinations.job_client_impl:SqlLoadJob.run", "after", nth)
            killed = cli.load("--verbose", fault=fault)
            assert killed.code < 0
            assert_clean(planter, cli, killed)
            # The merge of a table without rows leaves none.
            if list(cli.folder.rglob("*.wal")):
                break
        else:
            pytest.fail("No kill left a write-ahead log.")
        failed = cli.load(
            "--verbose", fault=FaultInjection("dlt.destinations.impl.duckdb.duck:DuckDbCopyJob.run", action="disk full")
        )
        assert failed.code == 1
        assert "Traceback" in failed.err
        assert_clean(planter, cli, failed)
        done = cli.load("--verbose")
        assert done.code == 0
        assert cli.query("SELECT count(*) FROM emr_raw.job_runs") == [(len(FORMS) + 1,)]
        assert_clean(planter, cli, done)


@FEW
@given(middles=MIDDLES)
def test_error_responses_of_the_api_leave_no_secret(process_pool: ProcessPool, middles: dict[str, str]) -> None:
    planter = Planter(middles)
    state = MadeAccount(planter)
    with desk_before(state, process_pool) as cli:
        state.refusal = "Access denied for " + "\n".join(planter.text(form, "refusal") for form in FORMS)
        refused = cli.load("--verbose")
        assert refused.code == 1
        assert "Access denied for" in refused.err
        assert_clean(planter, cli, refused)


@settings(FEW, max_examples=1)
@given(middles=MIDDLES)
def test_every_generated_secret_is_found_without_redaction(process_pool: ProcessPool, middles: dict[str, str]) -> None:
    """Without redaction the same search finds each of the secrets, in the tables and in the files."""
    planter = Planter(middles)
    with desk_before(MadeAccount(planter), process_pool) as cli:
        done = cli.load("--verbose", SOURCES__EMR_SERVERLESS__REDACT="off")
        assert done.code == 0
        places = artifacts(cli, done)
        assert len(planter.places) > 900
        assert set(planter.places) - marks_in(places["tables"]) == set()
        assert set(planter.places) - marks_in(places["files"]) == set()


def assert_clean(planter: Planter, cli: CliHarness, done: Finished) -> None:
    for place, text in artifacts(cli, done).items():
        found = {planter.places[mark] for mark in marks_in(text) & planter.places.keys()}
        assert found == set(), f"{place} after exit code {done.code}"


def marks_in(text: str) -> set[str]:
    return set(MARK.findall(text))
