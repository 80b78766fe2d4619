"""Secrets as people leave them behind: every form in every place, so that a test can look for each one in what was written.

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
class Plant:
    """One thing that somebody put where it does not belong.

    Attributes:
        place: Where it goes; a name in `PLACES`.
        content: What goes there.
        secrets: The parts of it that nobody may read.
    """

    place: str
    content: Any
    secrets: tuple[str, ...]


def _item(key: str, value: str) -> dict[str, str]:
    return {"configFileName": "spark-defaults.conf", "configItemKey": key, "configItemValue": value}


PLANTS: tuple[Plant, ...] = (
    Plant("item", _item("spark.hadoop.fs.oss.accessKeyId", "LTAI5tPlantedInAnItem01"), ("LTAI5tPlantedInAnItem01",)),
    Plant("item", _item("spark.hadoop.fs.oss.accessKeySecret", "PlantedOssSecret"), ("PlantedOssSecret",)),
    Plant("item", _item("fs.oss.securityToken", "STS.PlantedInAnItem01"), ("STS.PlantedInAnItem01",)),
    Plant("item", _item("javax.jdo.option.ConnectionPassword", "PlantedMetastorePw"), ("PlantedMetastorePw",)),
    Plant(
        "item",
        _item("hive.metastore.db.url", "jdbc:mysql://rm-bp1.mysql:3306/hive?user=hive&password=PlantedHiveUrlPw&ssl=true"),
        ("PlantedHiveUrlPw",),
    ),
    Plant("item", _item("spark.ssl.keyPassphrase", "PlantedPassphrase"), ("PlantedPassphrase",)),
    Plant("item", _item("spark.kafka.client.private_key", _PEM), ("MIIEPlantedPemFirstLine", "Q0VPlantedPemSecondLine")),
    Plant("item", _item("spark.app.gcp.credential", "PlantedCredential"), ("PlantedCredential",)),
    Plant("conf", "spark.hadoop.odps.access.id=LTAI5tPlantedInAConf001", ("LTAI5tPlantedInAConf001",)),
    Plant("conf", "spark.hadoop.odps.access.key=PlantedOdpsKey", ("PlantedOdpsKey",)),
    Plant(
        "conf",
        "spark.mongodb.read.connection.uri=mongodb://reader:PlantedMongoPw@dds-bp1.mongodb:3717/admin",
        ("PlantedMongoPw",),
    ),
    Plant("conf", "spark.redis.url=redis://:PlantedRedisPw@r-bp1.redis:6379/0", ("PlantedRedisPw",)),
    Plant("argument", ["--user", "etl", "--password", "PlantedNextArgument"], ("PlantedNextArgument",)),
    Plant("argument", ["--password=PlantedSameArgument"], ("PlantedSameArgument",)),
    Plant("argument", ["jdbc:sqlserver://db:1433;user=sa;password=PlantedJdbcPw;encrypt=true"], ("PlantedJdbcPw",)),
    Plant("argument", ["https://svc:PlantedUriPw@internal.example.com/export"], ("PlantedUriPw",)),
    Plant("argument", [_PEM.replace("Planted", "PlantedArg")], ("MIIEPlantedArgPemFirstLine", "Q0VPlantedArgPemSecondLine")),
    Plant("argument", ["LTAI5tPlantedBareInArg01"], ("LTAI5tPlantedBareInArg01",)),
    Plant("argument", ["STS.PlantedBareInArg01"], ("STS.PlantedBareInArg01",)),
    Plant(
        "argument",
        ["https://b.oss-cn-hangzhou.aliyuncs.com/x.csv?Expires=1893456000&OSSAccessKeyId=TMP.x&Signature=PlantedArgSignature"],
        ("PlantedArgSignature",),
    ),
    Plant(
        "argument",
        ["-e", "CREATE TABLE t USING jdbc OPTIONS (url 'jdbc:mysql://h/d?user=u&password=PlantedSqlUrlPw', dbtable 't')"],
        ("PlantedSqlUrlPw",),
    ),
    Plant(
        "argument",
        ["-e", "CREATE TABLE s WITH ('connector'='jdbc', 'username'='u', 'password'='PlantedSqlOptionPw')"],
        ("PlantedSqlOptionPw",),
    ),
    Plant("tag", {"key": "db_password", "value": "PlantedTagPw"}, ("PlantedTagPw",)),
    Plant("tag", {"key": "source", "value": "postgresql://app:PlantedTagUriPw@pg:5432/app"}, ("PlantedTagUriPw",)),
    Plant("tag", {"key": "who", "value": "LTAI5tPlantedInATag0001"}, ("LTAI5tPlantedInATag0001",)),
    Plant("name", "sync_crm --password=PlantedNamePw", ("PlantedNamePw",)),
    Plant("name", "导入 mysql://root:PlantedNameUriPw@10.0.0.8:3306/会员", ("PlantedNameUriPw",)),
    Plant(
        "failure",
        "java.sql.SQLException: Access denied, url=jdbc:mysql://rm-bp1:3306/crm?user=etl&password=PlantedFailurePw",
        ("PlantedFailurePw",),
    ),
    Plant(
        "failure",
        "com.aliyun.oss.OSSException: InvalidAccessKeyId, AccessKeyId: LTAI5tPlantedFailure01, token STS.PlantedFailure01",
        ("LTAI5tPlantedFailure01", "STS.PlantedFailure01"),
    ),
    Plant(
        "unknown",
        {"diagnosis": {"endpoint": "https://probe:PlantedUnknownPw@diag.example.com", "accessKeySecret": "PlantedUnknownKey"}},
        ("PlantedUnknownPw", "PlantedUnknownKey"),
    ),
    Plant("unknown", {"connectionToken": "PlantedUnknownToken"}, ("PlantedUnknownToken",)),
)

SECRETS: tuple[str, ...] = (*OPEN_SECRETS, *(secret for plant in PLANTS for secret in plant.secrets))
"""Every secret the scenario plants, without what is around it."""


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


def plant(seed: Plant, run: Run) -> None:
    """Put a plant into a run; nothing that other runs share is changed."""
    PLACES[seed.place](run, seed.content)


def _log(path: str, query: str) -> dict[str, str]:
    names = {"driverStartup": "startup", "driverStdError": "stderr", "driverStdOut": "stdout", "driverSyslog": "syslog"}
    return {name: f"{path}/{file}.log{query}" for name, file in names.items()}


def _plant_item(run: Run, item: dict[str, str]) -> None:
    overrides = run.fields.get("configurationOverrides") or {}
    run.fields["configurationOverrides"] = {"configurations": [*(overrides.get("configurations") or []), item]}


def _plant_driver(run: Run, name: str, change: Callable[[Any], Any]) -> None:
    submit = (run.fields.get("jobDriver") or {}).get("sparkSubmit") or {}
    run.fields["jobDriver"] = {"sparkSubmit": submit | {name: change(submit.get(name))}}


def _plant_conf(run: Run, pair: str) -> None:
    _plant_driver(run, "sparkSubmitParameters", lambda text: f"{text or ''} --conf {pair}".strip())


def _plant_argument(run: Run, arguments: list[str]) -> None:
    _plant_driver(run, "entryPointArguments", lambda present: [*(present or []), *arguments])


def _plant_tag(run: Run, tag: dict[str, str]) -> None:
    run.fields["tags"] = [*(run.fields.get("tags") or []), tag]
    run.hidden -= {"tags"}


def _plant_name(run: Run, name: str) -> None:
    run.fields["name"] = name


def _plant_failure(run: Run, message: str) -> None:
    run.final_state = "Failed"
    run.final_fields = run.final_fields | {"stateChangeReason": {"code": "ERR-100000", "message": message}}
    run.hidden -= {"stateChangeReason"}


def _plant_unknown(run: Run, fields: dict[str, Any]) -> None:
    run.fields.update(fields)


PLACES: Mapping[str, Callable[[Run, Any], None]] = {
    "item": _plant_item,
    "conf": _plant_conf,
    "argument": _plant_argument,
    "tag": _plant_tag,
    "name": _plant_name,
    "failure": _plant_failure,
    "unknown": _plant_unknown,
}
