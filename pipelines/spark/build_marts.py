"""Builds the marts on Spark: a job for EMR Serverless Spark that reads the raw tables as Parquet files and runs the dbt project.

Each build has schemas of its own. When all its data tests have passed, the views of the published schema are replaced to show it;
until then, and if the build fails or is killed, they show the previous build. Of this project, it needs the models only.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZipFile

import yaml
from dbt.cli.main import dbtRunner
from pyspark.sql import SparkSession

SETTINGS = {
    # Times are UTC in the files.
    "spark.sql.session.timeZone": "UTC",
    # An overflow of money is an error, not null.
    "spark.sql.ansi.enabled": "true",
    # Spark's default, INT96, has no time zone.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # Spark 3.5 resolves one level of nested calls in each of 100 iterations, and the letters of int_tag_forms need more.
    "spark.sql.analyzer.maxIterations": "1000",
}
NFC_FUNCTION = "emr_usage_nfc"
# Tables that are not loaded from the API, but written as a whole.
INPUTS = ("rates", "owners", "list_prices")
PARTS = ("", "_raw", "_staging", "_intermediate")
# As in DuckDB, and the schema of the build instead of the version of emr-usage.
BUILDS = (
    "build_number BIGINT, built_at TIMESTAMP, billing_time_zone STRING, horizon TIMESTAMP, rates BIGINT, owners BIGINT,"
    " list_prices BIGINT, inputs_version STRING, job_runs BIGINT, checks BIGINT, schema_name STRING"
)


class BuildFailedError(Exception):
    """The build failed; its message is one sentence."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Build and publish the marts; exit with 1 and a message if that fails."""
    options = _options(arguments)
    spark = SparkSession.builder.appName("emr-usage marts").enableHiveSupport().config(map=SETTINGS).getOrCreate()
    try:
        build(spark, options.wheel, options.raw, options.marts, options.schema, options.billing_time_zone)
    except BuildFailedError as failure:
        sys.exit(str(failure))
    finally:
        spark.stop()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Build the marts from the Parquet files of the raw tables.")
    parser.add_argument("--wheel", required=True, type=_location, help="wheel of emr-usage, whose models are built")
    parser.add_argument(
        "--raw", required=True, type=_location, help="folder of the raw tables, such as oss://bucket/lake/emr_raw"
    )
    parser.add_argument("--marts", required=True, type=_location, help="folder to write to, such as oss://bucket/lake/emr_marts")
    parser.add_argument("--schema", default="emr_marts", type=_name, help="schema that shows the last build (%(default)s)")
    parser.add_argument("--billing-time-zone", default="Asia/Shanghai", type=_zone, help="of billing days (%(default)s)")
    return parser.parse_args(arguments)


def _location(text: str) -> str:
    if not re.fullmatch(r"[^'\\]+", text):
        raise argparse.ArgumentTypeError("a path without quotes and backslashes is needed")
    return text.rstrip("/")


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", text):
        raise argparse.ArgumentTypeError("a name of lower-case letters, digits and underscores is needed")
    return text


def _zone(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_+/-]+", text):
        raise argparse.ArgumentTypeError("a time zone such as Asia/Shanghai is needed")
    return text


def build(spark: SparkSession, wheel: str, raw: str, marts: str, schema: str, billing_time_zone: str) -> None:
    """Build the marts, test them, and publish them.

    Args:
        spark: the session.
        wheel: the wheel of emr-usage.
        raw: folder with a folder of Parquet files for each raw table.
        marts: folder for the tables of builds.
        schema: the schema to publish in.
        billing_time_zone: time zone of billing days and months.

    Raises:
        BuildFailedError: the wheel or the raw tables are not there, a model failed, or a data test did; what was published stays.
    """
    with TemporaryDirectory() as folder:
        project = _unpack(spark, wheel, folder)
        tables = [name for name in _raw_tables(project) if _exists(spark, f"{raw}/{name}")]
        if "job_runs" not in tables:
            raise BuildFailedError(f"There are no job runs in {raw}: load into it first, or correct --raw.")
        built = _create_schemas(spark, raw, marts, schema, tables)
        spark.udf.register(NFC_FUNCTION, _nfc)
        variables = {
            "billing_time_zone": billing_time_zone,
            "raw_dataset": f"{built}_raw",
            "raw_is_append_only": True,
            "nfc_function": NFC_FUNCTION,
        }
        checks = _run_dbt(project, Path(folder), built, variables)
    _publish(spark, schema, built, billing_time_zone, checks)
    _drop_older(spark, schema)


def _create_schemas(spark: SparkSession, raw: str, marts: str, schema: str, tables: Sequence[str]) -> str:
    """Create the schemas of a build, with a table for the files of each raw table; return the build's name."""
    ((now,),) = spark.sql("SELECT date_format(current_timestamp(), 'yyyyMMddHHmmss')").collect()
    built = f"{schema}_build_{now}"
    for name in (schema, *(f"{built}{part}" for part in PARTS)):
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {name} LOCATION '{marts}/{name}'")
    # Commits are listed before files: all files of a commit are there before it.
    loads = spark.createDataFrame([(load_id,) for load_id in _committed_loads(spark, raw)], "load_id string")
    loads.coalesce(1).write.saveAsTable(f"{built}_raw.committed_loads", format="parquet")
    for table in tables:
        # A column that was added later is missing in older files. Folders named column=value would be partitions, and a new table
        # has none.
        options = f"path '{raw}/{table}', mergeSchema 'true', recursiveFileLookup 'true', pathGlobFilter '*.parquet'"
        files = table if table in INPUTS else f"{table}_files"
        spark.sql(f"CREATE TABLE {built}_raw.{files} USING parquet OPTIONS ({options})")
        if table not in INPUTS:
            rows = f"SELECT * FROM {built}_raw.{files} WHERE _dlt_load_id IN (SELECT load_id FROM {built}_raw.committed_loads)"  # noqa: S608  # names of ours
            spark.sql(f"CREATE VIEW {built}_raw.{table} AS {rows}")
    return built


def _unpack(spark: SparkSession, wheel: str, folder: str) -> Path:
    """Copy the wheel, which may be on OSS, and return the folder of its dbt project."""
    if not _exists(spark, wheel):
        raise BuildFailedError(f"There is no file {wheel}: upload the wheel of emr-usage, or correct --wheel.")
    source, copy = _path(spark, wheel), Path(folder, "emr_usage.whl")
    source.getFileSystem(_hadoop(spark)).copyToLocalFile(source, _path(spark, f"file://{copy}"))
    with ZipFile(copy) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith("emr_usage/transform/")])
    return Path(folder, "emr_usage", "transform")


def _raw_tables(project: Path) -> list[str]:
    declared = yaml.safe_load((project / "models" / "sources.yml").read_text(encoding="utf-8"))
    return [table["name"] for table in declared["sources"][0]["tables"]]


def _exists(spark: SparkSession, path: str) -> bool:
    found = _path(spark, path)
    return bool(found.getFileSystem(_hadoop(spark)).exists(found))


# PySpark has no functions for file systems.
def _path(spark: SparkSession, path: str) -> Any:
    context: Any = spark.sparkContext
    return context._jvm.org.apache.hadoop.fs.Path(path)  # noqa: SLF001


def _hadoop(spark: SparkSession) -> Any:
    context: Any = spark.sparkContext
    return context._jsc.hadoopConfiguration()  # noqa: SLF001


def _committed_loads(spark: SparkSession, raw: str) -> list[str]:
    """Return the load packages that dlt has noted as complete: a load that is running or was killed is not read."""
    if not _exists(spark, f"{raw}/_dlt_loads"):
        return []
    folder = _path(spark, f"{raw}/_dlt_loads")
    names = [str(status.getPath().getName()) for status in folder.getFileSystem(_hadoop(spark)).listStatus(folder)]
    return [name.removesuffix(".jsonl").rpartition("__")[2] for name in names if name.endswith(".jsonl")]


def _nfc(text: str | None) -> str | None:
    return None if text is None else unicodedata.normalize("NFC", text)


def _run_dbt(project: Path, work: Path, schema: str, variables: dict[str, object]) -> int:
    """Run the models and their data tests in the session; return how many tests passed."""
    output = {"type": "spark", "method": "session", "host": "none", "schema": schema, "threads": 1}
    profiles = {"emr_usage": {"target": "marts", "outputs": {"marts": output}}}
    # JSON is YAML.
    (work / "profiles.yml").write_text(json.dumps(profiles), encoding="utf-8")
    done = dbtRunner().invoke(
        [
            *("--quiet", "--log-level", "none", "--log-level-file", "none", "--no-use-colors", "--no-write-json"),
            *("--no-send-anonymous-usage-stats", "--no-version-check", "--no-partial-parse"),
            "build",
            *("--project-dir", str(project), "--profiles-dir", str(work)),
            *("--target-path", str(work / "target"), "--log-path", str(work / "logs")),
            *("--vars", json.dumps(variables)),
        ]
    )
    results: Any = getattr(done.result, "results", [])
    failed = [result for result in results if str(result.status) in {"error", "runtime error", "fail"}]
    if failed or not done.success:
        causes = [f"{result.node.name}: {_one_line(result.message)}" for result in failed] or [_one_line(done.exception)]
        raise BuildFailedError(f"The build failed, and its tables are in {schema} until the next one: {'; '.join(causes)}.")
    return sum(str(result.status) == "pass" for result in results)


def _one_line(message: object) -> str:
    """Return a message without Java's stack trace."""
    lines = [line.strip() for line in str(message).splitlines()]
    return " ".join(line for line in lines if line and not line.startswith("at "))


def _publish(spark: SparkSession, schema: str, built: str, billing_time_zone: str, checks: int) -> None:
    """Make the views of the published schema show a build, and add its row to the table of builds."""
    for row in spark.sql(f"SHOW TABLES IN {built}").collect():
        if not row.isTemporary:
            view, table = f"{schema}.{row.tableName}", f"{built}.{row.tableName}"
            spark.sql(f"CREATE OR REPLACE VIEW {view} AS SELECT * FROM {table}")  # noqa: S608  # names of ours
    spark.sql(f"CREATE TABLE IF NOT EXISTS {schema}.builds ({BUILDS}) USING parquet")
    spark.sql(f"""
        INSERT INTO {schema}.builds
        SELECT
          (SELECT coalesce(max(build_number), 0) + 1 FROM {schema}.builds), current_timestamp(), '{billing_time_zone}',
          (SELECT max(certified_until) FROM {built}.certified_ranges WHERE axis = 'start'),
          (SELECT count(*) FROM {built}.stg_rates), (SELECT count(*) FROM {built}.int_owner_rules),
          (SELECT count(*) FROM {built}.stg_list_prices), (SELECT charging_version FROM {built}.int_input_versions),
          (SELECT count(*) FROM {built}.job_run_costs), {checks}, '{built}'
    """)  # noqa: S608  # names of ours


def _drop_older(spark: SparkSession, schema: str) -> None:
    """Drop builds that failed, and published ones but the last two: a query may still read the previous one."""
    kept = {row.schema_name for row in spark.table(f"{schema}.builds").orderBy("build_number", ascending=False).take(2)}
    for (name,) in spark.sql("SHOW SCHEMAS").collect():
        build_name = re.fullmatch(rf"({schema}_build_[0-9]{{14}})({'|'.join(PARTS)})", name)
        if build_name and build_name[1] not in kept:
            spark.sql(f"DROP SCHEMA {name} CASCADE")


if __name__ == "__main__":
    main()
