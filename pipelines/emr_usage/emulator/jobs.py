"""The company's jobs: the recurring things of which each run is one execution."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import people

MIB_PER_GIB = 1024


@dataclass(frozen=True)
class Job:
    """Something that runs again and again, alike each time.

    Attributes:
        team: Who runs it, whatever its tags say.
        fields: The API fields its runs share; treat as read-only.
        hidden: Fields its runs never show.
        vcores: Cores of driver and executors together.
        memory_mib: MiB of driver and executors together.
        typical_ms: How long it usually takes.
        failure_rate: How often it fails.
        timeout_ms: When it is stopped, if it has a timeout.
    """

    team: str
    fields: dict[str, Any]
    hidden: frozenset[str]
    vcores: int
    memory_mib: int
    typical_ms: int
    failure_rate: float
    timeout_ms: int | None


def recurring_jobs(chance: random.Random, count: int, queue_names: tuple[str, ...]) -> list[Job]:
    """The jobs of a nightly DAG, spread over the teams.

    Args:
        chance: Where randomness comes from.
        count: How many.
        queue_names: The queues they use; the first is the usual one.
    """
    jobs = []
    for number in range(count):
        team = chance.choices(people.TEAMS, [team.share for team in people.TEAMS])[0]
        subject = chance.choice(team.subjects)
        name = f"{chance.choice(people.LAYERS)}_{subject}_{chance.choice(people.CADENCES)}_{number:03d}"
        queue_name = chance.choice((queue_names[0], *queue_names))
        tags = job_tags(chance, team, environment="production", workflow=True)
        jobs.append(make_job(chance, team, name, queue_name, tags, creator=people.SERVICE_ACCOUNT))
    return jobs


def ad_hoc_job(chance: random.Random, queue_name: str) -> Job:
    """A job that a user runs once: small, short, carelessly named.

    Args:
        chance: Where randomness comes from.
        queue_name: The queue it uses.
    """
    team = chance.choice(people.TEAMS)
    name = chance.choice(people.AD_HOC_NAMES).format(subject=chance.choice(team.subjects))
    tags = job_tags(chance, team, environment="dev", workflow=False) if happens(chance, 0.5) else []
    return make_job(
        chance,
        team,
        name,
        queue_name,
        tags,
        creator=chance.choice(team.people),
        executors=people.FEW_EXECUTORS,
        code_types=people.AD_HOC_CODE_TYPES,
    )


def job_tags(chance: random.Random, team: people.Team, *, environment: str, workflow: bool) -> list[dict[str, str | None]] | None:
    """Tags as people write them: some are missing, some misspelt, some differ in case only.

    Args:
        chance: Where randomness comes from.
        team: Whose tags.
        environment: The `environment` tag that schedulers add.
        workflow: Whether a scheduler adds its own tags.
    """
    if happens(chance, 0.04):
        return None
    if happens(chance, 0.04):
        return []
    tags: list[dict[str, str | None]] = []
    if happens(chance, 0.92):
        tags.append({"key": chance.choice(people.TEAM_KEYS), "value": chance.choice(team.spellings)})
    if workflow:
        tags += [{"key": "environment", "value": environment}, {"key": "workflow", "value": "true"}]
    if happens(chance, 0.25):
        tags.append({"key": "项目", "value": chance.choice(("双十一", "年终结算", "反欺诈"))})
    if happens(chance, 0.02):
        tags.append({"key": "urgent", "value": ""})
    if happens(chance, 0.02):
        tags.append({"key": "reviewed", "value": None})
    if happens(chance, 0.02) and tags:
        tags.append({"key": tags[0]["key"], "value": "legacy"})
    return tags


def name_workflow(job: Job, name: str) -> None:
    """Have a scheduler that names its workflows mark a job's runs.

    Args:
        job: A job whose runs carry the mark of some workflow; others stay as they are.
        name: The workflow's name.
    """
    tags = job.fields["tags"]
    if tags and any(tag["key"] == "workflow" for tag in tags):
        job.fields["tags"] = [*tags, {"key": "workflow_name", "value": name}]


def make_job(
    chance: random.Random,
    team: people.Team,
    name: str,
    queue_name: str,
    tags: list[dict[str, str | None]] | None,
    *,
    creator: str,
    executors: Sequence[int] = people.EXECUTORS,
    code_types: Sequence[str] = people.CODE_TYPES,
) -> Job:
    """A job with a size, a driver and a usual duration of its own.

    Args:
        chance: Where randomness comes from.
        team: Whose it is.
        name: Its name.
        queue_name: Its queue.
        tags: Its runs' tags.
        creator: Who submits it.
        executors: How many executors it may have.
        code_types: What it may be written in.
    """
    cores, gib, _ = chance.choices(people.SHAPES, [shape[2] for shape in people.SHAPES])[0]
    executor_count = chance.choice(executors)
    code_type = chance.choice(code_types)
    release = chance.choice(tuple(people.RELEASES))
    typical_ms = int(min(6 * 3_600_000, max(8_000, chance.lognormvariate(12.3, 1.4))))
    timeout_ms = max(600_000, typical_ms * 4 // 60_000 * 60_000) if happens(chance, 0.3) else None
    fields = {
        "name": name,
        "creator": creator,
        "codeType": code_type,
        "tags": tags,
        "priority": chance.choice(("5", "5", "5", "1", "9")),
        "resourceQueueId": queue_name,
        "releaseVersion": release,
        "displayReleaseVersion": people.RELEASES[release],
        "fusion": "Native" in release,
        "executionTimeoutSeconds": timeout_ms and timeout_ms // 1000,
        "environmentId": None,
        "jobDriver": {"sparkSubmit": _spark_submit(chance, team, name, code_type, (cores, gib, executor_count))},
        "configurationOverrides": _overrides(chance),
    }
    return Job(
        team=team.name,
        fields=fields,
        hidden=_hidden(chance),
        vcores=cores * (executor_count + 1),
        memory_mib=gib * MIB_PER_GIB * (executor_count + 1),
        typical_ms=typical_ms,
        failure_rate=chance.choice((0.0, 0.005, 0.01, 0.02, 0.15)),
        timeout_ms=timeout_ms,
    )


def _spark_submit(
    chance: random.Random, team: people.Team, name: str, code_type: str, shape: tuple[int, int, int]
) -> dict[str, Any]:
    cores, gib, executors = shape
    confs = (
        f"spark.driver.cores={cores}",
        f"spark.driver.memory={gib}g",
        f"spark.executor.cores={cores}",
        f"spark.executor.memory={gib}g",
        f"spark.executor.instances={executors}",
    )
    parameters = " ".join(f"--conf {conf}" for conf in confs)
    sql = chance.choice(people.AD_HOC_SQL).format(subject=chance.choice(team.subjects))
    match code_type:
        case "SQL":
            main = "--class org.apache.spark.sql.hive.thriftserver.SparkSQLCLIDriver"
            return {
                "entryPoint": None,
                "entryPointArguments": ["-e", sql],
                "sparkSubmitParameters": f"{main} {parameters}",
            }
        case "JAR":
            return {
                "entryPoint": f"oss://acme-jobs/{team.name}/{name}.jar",
                "entryPointArguments": ["--dt", "${bizdate}", "--env", "prod"],
                "sparkSubmitParameters": f"--class com.acme.{name.partition('_')[0]}.Main {parameters}",
            }
        case _:
            return {
                "entryPoint": f"oss://acme-jobs/{team.name}/{name}.py",
                "entryPointArguments": ["--dt=${bizdate}", "--城市=杭州"],
                "sparkSubmitParameters": parameters,
            }


def _overrides(chance: random.Random) -> dict[str, Any] | None:
    if happens(chance, 0.3):
        return None
    item = {
        "configFileName": "spark-defaults.conf",
        "configItemKey": "spark.sql.shuffle.partitions",
        "configItemValue": str(chance.choice((200, 400, 1000))),
    }
    catalog = {"configFileName": "common.conf", "configItemKey": "hive.metastore.type", "configItemValue": "DLF"}
    return {"configurations": [item, catalog][: chance.choice((1, 2))]}


def _hidden(chance: random.Random) -> frozenset[str]:
    if happens(chance, 0.03):
        return frozenset({"tags"})
    if happens(chance, 0.03):
        return frozenset({"priority", "displayReleaseVersion"})
    if happens(chance, 0.02):
        return frozenset({"executionTimeoutSeconds", "fusion", "stateChangeReason"})
    return frozenset()


def happens(chance: random.Random, rate: float) -> bool:
    """Whether something of this rate happens this time."""
    return chance.random() < rate
