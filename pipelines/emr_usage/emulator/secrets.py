"""Secrets in every form and place that users leave them in, so that tests can search for each of them in the output.

None of these is or was real.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .run import Run

_PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEPlantedPemFirstLine\nQ0VPlantedPemSecondLine\n-----END RSA PRIVATE KEY-----\n"
_SIGNED_QUERY = (
    "Expires=1893456000&OSSAccessKeyId=LTAI5tPlantedInALogLink1&Signature=PlantedLogSignature%3D"
    "&security-token=STS.PlantedInALogLink1"
)
OPEN_SECRETS = ("LTAI5tPlantedInALogLink1", "PlantedLogSignature", "STS.PlantedInALogLink1", "PlantedWebUiToken")


@dataclass(frozen=True)
class PlacedSecret:
    """A secret that a user put where it does not belong.

    Attributes:
        place: Where it goes; a name in `PLACES`.
        content: What goes there.
        secrets: The parts of it that must be masked.
    """

    place: str
    content: Any
    secrets: tuple[str, ...]


def _item(key: str, value: str) -> dict[str, str]:
    return {"configFileName": "spark-defaults.conf", "configItemKey": key, "configItemValue": value}


PLACED_SECRETS: tuple[PlacedSecret, ...] = (
    PlacedSecret("item", _item("spark.hadoop.fs.oss.accessKeyId", "LTAI5tPlantedInAnItem01"), ("LTAI5tPlantedInAnItem01",)),
    PlacedSecret("item", _item("spark.hadoop.fs.oss.accessKeySecret", "PlantedOssSecret"), ("PlantedOssSecret",)),
    PlacedSecret("item", _item("fs.oss.securityToken", "STS.PlantedInAnItem01"), ("STS.PlantedInAnItem01",)),
    PlacedSecret("item", _item("javax.jdo.option.ConnectionPassword", "PlantedMetastorePw"), ("PlantedMetastorePw",)),
    PlacedSecret(
        "item",
        _item("hive.metastore.db.url", "jdbc:mysql://rm-bp1.mysql:3306/hive?user=hive&password=PlantedHiveUrlPw&ssl=true"),
        ("PlantedHiveUrlPw",),
    ),
    PlacedSecret("item", _item("spark.ssl.keyPassphrase", "PlantedPassphrase"), ("PlantedPassphrase",)),
    PlacedSecret("item", _item("spark.kafka.client.private_key", _PEM), ("MIIEPlantedPemFirstLine", "Q0VPlantedPemSecondLine")),
    PlacedSecret("item", _item("spark.app.gcp.credential", "PlantedCredential"), ("PlantedCredential",)),
    PlacedSecret("conf", "spark.hadoop.odps.access.id=LTAI5tPlantedInAConf001", ("LTAI5tPlantedInAConf001",)),
    PlacedSecret("conf", "spark.hadoop.odps.access.key=PlantedOdpsKey", ("PlantedOdpsKey",)),
    PlacedSecret(
        "conf",
        "spark.mongodb.read.connection.uri=mongodb://reader:PlantedMongoPw@dds-bp1.mongodb:3717/admin",
        ("PlantedMongoPw",),
    ),
    PlacedSecret("conf", "spark.redis.url=redis://:PlantedRedisPw@r-bp1.redis:6379/0", ("PlantedRedisPw",)),
    PlacedSecret("argument", ["--user", "etl", "--password", "PlantedNextArgument"], ("PlantedNextArgument",)),
    PlacedSecret("argument", ["--password=PlantedSameArgument"], ("PlantedSameArgument",)),
    PlacedSecret("argument", ["jdbc:sqlserver://db:1433;user=sa;password=PlantedJdbcPw;encrypt=true"], ("PlantedJdbcPw",)),
    PlacedSecret("argument", ["https://svc:PlantedUriPw@internal.example.com/export"], ("PlantedUriPw",)),
    PlacedSecret(
        "argument", [_PEM.replace("Planted", "PlantedArg")], ("MIIEPlantedArgPemFirstLine", "Q0VPlantedArgPemSecondLine")
    ),
    PlacedSecret("argument", ["LTAI5tPlantedBareInArg01"], ("LTAI5tPlantedBareInArg01",)),
    PlacedSecret("argument", ["STS.PlantedBareInArg01"], ("STS.PlantedBareInArg01",)),
    PlacedSecret(
        "argument",
        ["https://b.oss-cn-hangzhou.aliyuncs.com/x.csv?Expires=1893456000&OSSAccessKeyId=TMP.x&Signature=PlantedArgSignature"],
        ("PlantedArgSignature",),
    ),
    PlacedSecret(
        "argument",
        ["-e", "CREATE TABLE t USING jdbc OPTIONS (url 'jdbc:mysql://h/d?user=u&password=PlantedSqlUrlPw', dbtable 't')"],
        ("PlantedSqlUrlPw",),
    ),
    PlacedSecret(
        "argument",
        ["-e", "CREATE TABLE s WITH ('connector'='jdbc', 'username'='u', 'password'='PlantedSqlOptionPw')"],
        ("PlantedSqlOptionPw",),
    ),
    PlacedSecret("tag", {"key": "db_password", "value": "PlantedTagPw"}, ("PlantedTagPw",)),
    PlacedSecret("tag", {"key": "source", "value": "postgresql://app:PlantedTagUriPw@pg:5432/app"}, ("PlantedTagUriPw",)),
    PlacedSecret("tag", {"key": "who", "value": "LTAI5tPlantedInATag0001"}, ("LTAI5tPlantedInATag0001",)),
    PlacedSecret("name", "sync_crm --password=PlantedNamePw", ("PlantedNamePw",)),
    PlacedSecret("name", "导入 mysql://root:PlantedNameUriPw@10.0.0.8:3306/会员", ("PlantedNameUriPw",)),
    PlacedSecret(
        "failure",
        "java.sql.SQLException: Access denied, url=jdbc:mysql://rm-bp1:3306/crm?user=etl&password=PlantedFailurePw",
        ("PlantedFailurePw",),
    ),
    PlacedSecret(
        "failure",
        "com.aliyun.oss.OSSException: InvalidAccessKeyId, AccessKeyId: LTAI5tPlantedFailure01, token STS.PlantedFailure01",
        ("LTAI5tPlantedFailure01", "STS.PlantedFailure01"),
    ),
    PlacedSecret(
        "unknown",
        {"diagnosis": {"endpoint": "https://probe:PlantedUnknownPw@diag.example.com", "accessKeySecret": "PlantedUnknownKey"}},
        ("PlantedUnknownPw", "PlantedUnknownKey"),
    ),
    PlacedSecret("unknown", {"connectionToken": "PlantedUnknownToken"}, ("PlantedUnknownToken",)),
)

SECRETS: tuple[str, ...] = (*OPEN_SECRETS, *(secret for placed in PLACED_SECRETS for secret in placed.secrets))
"""Every secret that the scenario places, without its surroundings."""


def open_fields(region_id: str, workspace_id: str, job_run_id: str) -> dict[str, Any]:
    """What a run shows until it ends: a web UI with a token, and log links that are signed URLs.

    Args:
        region_id: Where it runs.
        workspace_id: Its workspace.
        job_run_id: Its id.
    """
    ui = f"https://emr-spark-ui-{region_id}.data.aliyun.com/workspace/{workspace_id}/{job_run_id}?token=PlantedWebUiToken"
    logs = f"https://emr-spark-logs.oss-{region_id}.aliyuncs.com/{workspace_id}/{job_run_id}/driver"
    return {"webUI": ui, "log": _log(logs, f"?{_SIGNED_QUERY}")}


def final_fields(region_id: str, workspace_id: str, job_run_id: str) -> dict[str, Any]:
    """What a run shows once it has ended: log paths without a signature.

    Args:
        region_id: Where it ran.
        workspace_id: Its workspace.
        job_run_id: Its id.
    """
    ui = f"https://emr-spark-ui-{region_id}.data.aliyun.com/history/{workspace_id}/{job_run_id}"
    return {"webUI": ui, "log": _log(f"oss://emr-spark-{workspace_id}/logs/{job_run_id}/driver", "")}


def place_secret(placed: PlacedSecret, run: Run) -> None:
    """Add a secret to a run, without changing what other runs share."""
    PLACES[placed.place](run, placed.content)


def _log(path: str, query: str) -> dict[str, str]:
    names = {"driverStartup": "startup", "driverStdError": "stderr", "driverStdOut": "stdout", "driverSyslog": "syslog"}
    return {name: f"{path}/{file}.log{query}" for name, file in names.items()}


def _place_item(run: Run, item: dict[str, str]) -> None:
    overrides = run.fields.get("configurationOverrides") or {}
    run.fields["configurationOverrides"] = {"configurations": [*(overrides.get("configurations") or []), item]}


def _place_driver(run: Run, name: str, change: Callable[[Any], Any]) -> None:
    submit = (run.fields.get("jobDriver") or {}).get("sparkSubmit") or {}
    run.fields["jobDriver"] = {"sparkSubmit": submit | {name: change(submit.get(name))}}


def _place_conf(run: Run, pair: str) -> None:
    _place_driver(run, "sparkSubmitParameters", lambda text: f"{text or ''} --conf {pair}".strip())


def _place_argument(run: Run, arguments: list[str]) -> None:
    _place_driver(run, "entryPointArguments", lambda present: [*(present or []), *arguments])


def _place_tag(run: Run, tag: dict[str, str]) -> None:
    run.fields["tags"] = [*(run.fields.get("tags") or []), tag]
    run.hidden -= {"tags"}


def _place_name(run: Run, name: str) -> None:
    run.fields["name"] = name


def _place_failure(run: Run, message: str) -> None:
    run.final_state = "Failed"
    run.final_fields = run.final_fields | {"stateChangeReason": {"code": "ERR-100000", "message": message}}
    run.hidden -= {"stateChangeReason"}


def _place_unknown(run: Run, fields: dict[str, Any]) -> None:
    run.fields.update(fields)


PLACES: Mapping[str, Callable[[Run, Any], None]] = {
    "item": _place_item,
    "conf": _place_conf,
    "argument": _place_argument,
    "tag": _place_tag,
    "name": _place_name,
    "failure": _place_failure,
    "unknown": _place_unknown,
}
