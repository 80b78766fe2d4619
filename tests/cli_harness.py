"""Runs the command as a user does: in a separate folder, with the emulator's key, against the emulator."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from emr_usage.emulator import DEFAULT_KEY, Emulator
from oracle import Database, Table, actual_tables, expected_tables, query
from process_pool import PATIENCE_SECONDS, FaultInjection, Finished, ProcessPool

COMMAND = Path(sys.executable).with_name("emr-usage")
# The small account has a week behind it.
INITIAL_DAYS = 8
# Makes two or three packages of the first load of the small account.
SEVERAL_PACKAGES = {"SOURCES__EMR_SERVERLESS__PACKAGE_ROWS": "40"}


@dataclass
class CliHarness:
    """A folder from which commands are run against one emulator.

    Attributes:
        folder: the working directory; `database` is in it.
        emulator: whom the loads ask.
        regions: region of each workspace that is loaded.
        process_pool: forks the commands; without one each is a process of its own from its beginning.
        environment: variables that differ from the usual ones; an empty value takes one away.
    """

    folder: Path
    emulator: Emulator
    regions: dict[str, str]
    process_pool: ProcessPool | None = None
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        """Where the command keeps its tables unless it is told."""
        return self.folder / "emr.duckdb"

    @property
    def tables(self) -> Database:
        """Where the tables are read from."""
        return self.database

    @property
    def usual_environment(self) -> dict[str, str]:
        """What every command is given: nothing of this machine's own settings and keys."""
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "ALIBABA_CLOUD_ACCESS_KEY_ID": DEFAULT_KEY.id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": DEFAULT_KEY.secret,
            "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
            "SOURCES__EMR_SERVERLESS__INITIAL_DAYS": str(INITIAL_DAYS),
            "PYTHONWARNINGS": "error::ResourceWarning",
            **self.environment,
        }
        return {name: value for name, value in variables.items() if value}

    @property
    def source_options(self) -> list[str]:
        """What a load is told: whom to ask, and until when."""
        regions = [word for region_id in sorted(set(self.regions.values())) for word in ("--region", region_id)]
        return [*regions, "--endpoint", self.emulator.url, "--as-of", self.emulator.clock.now().isoformat()]

    def run(self, *arguments: str, fault: FaultInjection | None = None, **environment: str) -> Finished:
        """Run the command to its end."""
        if self.process_pool:
            self.process_pool.start(list(arguments), self.folder, self.usual_environment | environment, fault)
            done = self.process_pool.wait()
        else:
            with self.start(*arguments, **environment) as process:
                done = self.end(process)
        assert "Traceback" not in done.out + done.err or "--verbose" in arguments, done.err
        return done

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start the installed command; its output is in the pipes of the process."""
        return subprocess.Popen(
            [str(COMMAND), *arguments],
            cwd=self.folder,
            env=self.usual_environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, process: subprocess.Popen[str]) -> Finished:
        """Wait for a command's end."""
        try:
            out, err = process.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"the command hangs\n{out}\n{err}") from None
        return Finished(process.returncode, out, err)

    def load(self, *arguments: str, fault: FaultInjection | None = None, **environment: str) -> Finished:
        """Run `emr-usage load --json` until the emulator's present."""
        return self.run("load", "--json", *self.source_options, *arguments, fault=fault, **environment)

    def load_whole(self, *arguments: str) -> Finished:
        """Load, and see that nothing is missing, doubled or stale afterwards."""
        done = self.load(*arguments)
        assert (done.code, done.complaints) == (0, []), done
        self.assert_whole()
        return done

    def assert_whole(self) -> None:
        """See that every table equals what the emulator answers now, and that no key is there twice."""
        assert_equal(actual_tables(self.tables), expected_tables(self.emulator, self.regions))
        assert_no_doubles(self.tables)

    def query(self, sql: str) -> Table:
        return query(self.tables, sql)


KEYS = {
    "job_runs": "workspace_id, job_run_id",
    "job_run_tags": "workspace_id, job_run_id, tag_index",
    "job_run_logs": "workspace_id, job_run_id",
    "job_run_configurations": "workspace_id, job_run_id, configuration_index",
    "job_run_arguments": "workspace_id, job_run_id, argument_index",
    "job_run_observations": "workspace_id, job_run_id, observed_at",
    "workspaces": "workspace_id",
    "extraction_windows": "load, window_id",
    "unknown_fields": "resource, path",
}


def assert_equal(actual: dict[str, Table], expected: dict[str, Table]) -> None:
    """Compare tables; the message names a few rows, not all."""
    assert actual.keys() == expected.keys()
    for name, rows in expected.items():
        missing = [row for row in rows if row not in actual[name]]
        surplus = [row for row in actual[name] if row not in rows]
        assert not missing, f"{name}: {len(missing)} rows are missing, such as {missing[:2]}; surplus {surplus[:2]}"
        assert not surplus, f"{name}: {len(surplus)} rows should not be there, such as {surplus[:2]}"
        assert actual[name] == rows, f"{name}: rows are doubled"


def tables_of(database: Database) -> list[str]:
    """Return the raw tables that are in the database."""
    rows = query(database, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'emr_raw'")
    return sorted(row[0] for row in rows)


def assert_no_doubles(database: Database) -> None:
    """See that no table holds a key twice."""
    present = tables_of(database)
    for table, key in KEYS.items():
        if table in present:
            doubled = query(database, f"SELECT {key}, count(*) FROM emr_raw.{table} GROUP BY {key} HAVING count(*) > 1")
            assert doubled == [], f"{table} holds keys twice"


def assert_readable(database: Path) -> None:
    """See that the database opens, also for writing, and every table can be read to its end."""
    if not database.exists():
        return
    with duckdb.connect(str(database)) as connection:
        for (table,) in connection.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'emr_raw'").fetchall():
            connection.execute(f"SELECT * FROM emr_raw.{table}").fetchall()
