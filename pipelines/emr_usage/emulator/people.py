"""The generated company: its teams, users, workspaces and machines. Data only."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Team:
    """A team that pays for runs.

    Attributes:
        name: Its name.
        spellings: How people write it in tags; the right one is there several times.
        subjects: What its tables are about.
        people: UIDs of its members; they are text of 18 digits.
        share: Its part of the company's recurring jobs.
    """

    name: str
    spellings: tuple[str, ...]
    subjects: tuple[str, ...]
    people: tuple[str, ...]
    share: int


TEAMS: tuple[Team, ...] = (
    Team(
        "data-platform",
        ("data-platform",) * 7 + ("Data-Platform", "data_platform", "data-platfrom"),
        ("orders", "order_items", "users", "sessions", "payments", "refunds", "inventory", "logistics"),
        ("202077646755123991", "202077646755123992", "202077646755123993"),
        9,
    ),
    Team(
        "growth",
        ("growth",) * 7 + ("Growth", "growht", "GROWTH"),
        ("dau", "retention", "funnel", "campaign", "coupon", "push", "attribution"),
        ("202077646755124101", "202077646755124102"),
        6,
    ),
    Team(
        "risk",
        ("risk",) * 6 + ("Risk", "risk "),
        ("device_graph", "blacklist", "transactions", "chargeback", "rules"),
        ("202077646755125201", "202077646755125202"),
        4,
    ),
    Team(
        "风控",
        ("风控",) * 5 + ("風控",),
        ("反欺诈_特征", "授信_评分", "逾期_预测"),
        ("202077646755125203", "202077646755125204"),
        2,
    ),
    Team(
        "ml-platform",
        ("ml-platform",) * 6 + ("ML-Platform", "mlplatform"),
        ("user_embedding", "item_embedding", "ctr_features", "samples", "用户画像"),
        ("202077646755126301", "202077646755126302"),
        4,
    ),
    Team(
        "finance",
        ("finance",) * 5 + ("Finance", "fiance"),
        ("ledger", "settlement", "invoices", "tax"),
        ("202077646755127401",),
        2,
    ),
)
TEAM_KEYS = ("team",) * 17 + ("Team", "TEAM", "teams")
SERVICE_ACCOUNT = "150978934701990001"
LAYERS = ("ods", "dwd", "dws", "ads")
CADENCES = ("di", "df", "1d", "日更")

# releaseVersion -> displayReleaseVersion; the last one is bare, as some servers write it.
RELEASES: Mapping[str, str] = {
    "esr-2.8.0 (Spark 3.3.1, Scala 2.12, Java Runtime)": "esr-2.8.0 (Spark 3.3.1, Scala 2.12)",
    "esr-3.1.0 (Spark 3.4.3, Scala 2.12, Native Runtime)": "esr-3.1.0 (Spark 3.4.3, Scala 2.12)",
    "esr-4.2.0 (Spark 3.5.2, Scala 2.12, Native Runtime)": "esr-4.2.0 (Spark 3.5.2, Scala 2.12)",
    "esr-3.3.1": "esr-3.3.1",
}
BAD_RELEASE = "esr-4.3.0 (Spark 3.5.2, Scala 2.12, Native Runtime)"

# Cores and GiB of one executor, and how common it is: below 2 GiB a core, below 3, below 4, and 4 or more.
SHAPES: tuple[tuple[int, int, int], ...] = ((4, 6, 2), (4, 10, 2), (4, 14, 3), (4, 16, 8), (2, 8, 3), (8, 64, 1))
EXECUTORS = (1, 2, 2, 4, 4, 4, 8, 8, 16, 30)
FEW_EXECUTORS = (1, 1, 2)
CODE_TYPES = ("SQL",) * 6 + ("PYTHON",) * 3 + ("JAR",) * 2
AD_HOC_CODE_TYPES = (*CODE_TYPES, "NOTEBOOK", "NOTEBOOK")

WORKSPACE_NAMES = ("data-platform-prod", "数据研发测试", "ml-platform", "finance-close", "growth-sandbox", "archive")
WORKSPACE_TAGS: tuple[list[dict[str, str]], ...] = (
    [{"tagKey": "env", "tagValue": "production"}, {"tagKey": "成本中心", "tagValue": "CC-1001"}],
    [{"tagKey": "env", "tagValue": "dev"}],
    [],
)

AD_HOC_NAMES = (
    "adhoc_query",
    "临时查询",
    "Untitled",
    "check_{subject}",
    "backfill {subject} 补数",
    "notebook_{subject}",
)
AD_HOC_SQL = (
    "SELECT dt, count(*) FROM dwd.{subject} GROUP BY dt ORDER BY dt DESC LIMIT 100",
    "SELECT * FROM ads.{subject} WHERE dt = '20240301' AND 城市 = '杭州' LIMIT 1000",
    "INSERT OVERWRITE TABLE tmp.{subject}_check SELECT user_id, sum(amount) FROM dws.{subject} GROUP BY user_id",
)
FAILURES: tuple[tuple[str, str], ...] = (
    ("ERR-100000", "org.apache.spark.SparkException: Job aborted due to stage failure: ExecutorLostFailure (exit code 137)"),
    ("ERR-100000", "org.apache.spark.sql.AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] The table or view cannot be found"),
    ("ERR-100000", "java.io.FileNotFoundException: oss://warehouse/dwd/orders/dt=20240301: 文件不存在"),
    ("ERR-100007", "connection refused"),
)
BAD_DEPLOY_FAILURE = ("ERR-100000", "java.lang.NoSuchMethodError: com.acme.growth.Events.parse(Ljava/lang/String;)V")
TIMEOUT_FAILURE = ("ERR-100011", "The job run exceeded executionTimeoutSeconds and was stopped.")
