"""Spark's own settings whose values hold no secret, each with the form that its values have: what strict redaction lets land.

From Spark's configuration reference (spark.apache.org/docs/latest/configuration.html, sql-performance-tuning, running-on-yarn).
A key is on the list only where its value is a number, a size, a time, a boolean, one of a few words or a class of Spark's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_COUNT: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,9})?")
_SIZE: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,9})?\s?(?:[bkmgtpBKMGTP](?:i?[bB])?)?")
_TIME: Final = re.compile(r"-?[0-9]{1,18}\s?(?:us|ms|s|m|min|h|d)?")
_BOOLEAN: Final = re.compile(r"(?i:true|false)")
_SPARK_CLASS: Final = re.compile(r"org\.apache\.(?:spark|hadoop)(?:\.[a-z0-9]{1,32}){1,8}\.[A-Z][A-Za-z0-9$]{1,80}")
_ANY_CLASS: Final = re.compile(r"(?:[a-z_][a-z0-9_]{0,40}\.){1,12}[A-Z][A-Za-z0-9_$]{0,120}")


def _words(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?i:{'|'.join(map(re.escape, words.split()))})")


_LISTED: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (
        _COUNT,
        """
        spark.executor.instances spark.executor.cores spark.driver.cores spark.task.cpus spark.cores.max
        spark.default.parallelism spark.sql.shuffle.partitions spark.dynamicAllocation.minExecutors
        spark.dynamicAllocation.maxExecutors spark.dynamicAllocation.initialExecutors
        spark.dynamicAllocation.executorAllocationRatio spark.memory.fraction spark.memory.storageFraction
        spark.executor.memoryOverheadFactor spark.driver.memoryOverheadFactor spark.task.maxFailures
        spark.stage.maxConsecutiveAttempts spark.yarn.maxAppAttempts spark.speculation.multiplier
        spark.speculation.quantile spark.shuffle.io.maxRetries spark.shuffle.io.numConnectionsPerPeer
        spark.reducer.maxReqsInFlight spark.ui.retainedJobs spark.ui.retainedStages spark.ui.retainedTasks
        spark.locality.wait.node spark.sql.adaptive.coalescePartitions.minPartitionNum
        spark.sql.adaptive.coalescePartitions.initialPartitionNum spark.sql.adaptive.skewJoin.skewedPartitionFactor
        spark.sql.files.minPartitionNum spark.sql.files.maxPartitionNum
        spark.sql.sources.parallelPartitionDiscovery.threshold spark.sql.sources.bucketing.maxBuckets
        spark.sql.hive.metastorePartitionPruningFallbackOnException spark.streaming.kafka.maxRatePerPartition
        spark.streaming.receiver.maxRate spark.sql.streaming.minBatchesToRetain spark.executor.resource.gpu.amount
        spark.task.resource.gpu.amount spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version
        spark.sql.codegen.maxFields spark.sql.autoBroadcastJoinThreshold.ratio
        spark.sql.join.preferSortMergeJoin.threshold
        """,
    ),
    (
        _SIZE,
        """
        spark.driver.memory spark.driver.memoryOverhead spark.driver.maxResultSize spark.executor.memory
        spark.executor.memoryOverhead spark.executor.pyspark.memory spark.memory.offHeap.size
        spark.sql.autoBroadcastJoinThreshold spark.sql.files.maxPartitionBytes spark.sql.files.openCostInBytes
        spark.sql.adaptive.advisoryPartitionSizeInBytes spark.sql.adaptive.autoBroadcastJoinThreshold
        spark.sql.adaptive.coalescePartitions.minPartitionSize spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes
        spark.sql.adaptive.maxShuffledHashJoinLocalMapThreshold spark.kryoserializer.buffer
        spark.kryoserializer.buffer.max spark.reducer.maxSizeInFlight spark.shuffle.file.buffer
        spark.shuffle.unsafe.file.output.buffer spark.rpc.message.maxSize spark.broadcast.blockSize
        spark.io.compression.zstd.bufferSize spark.sql.inMemoryColumnarStorage.batchSize
        spark.sql.parquet.columnarReaderBatchSize spark.sql.orc.columnarReaderBatchSize
        spark.sql.execution.arrow.maxRecordsPerBatch
        """,
    ),
    (
        _TIME,
        """
        spark.network.timeout spark.executor.heartbeatInterval spark.locality.wait spark.speculation.interval
        spark.rpc.askTimeout spark.rpc.lookupTimeout spark.sql.broadcastTimeout spark.shuffle.io.retryWait
        spark.shuffle.io.connectionTimeout spark.dynamicAllocation.executorIdleTimeout
        spark.dynamicAllocation.cachedExecutorIdleTimeout spark.dynamicAllocation.schedulerBacklogTimeout
        spark.dynamicAllocation.sustainedSchedulerBacklogTimeout spark.dynamicAllocation.shuffleTracking.timeout
        spark.scheduler.maxRegisteredResourcesWaitingTime spark.task.reaper.killTimeout spark.excludeOnFailure.timeout
        spark.storage.blockManagerHeartbeatTimeoutMs spark.sql.streaming.pollingDelay
        """,
    ),
    (
        _BOOLEAN,
        """
        spark.dynamicAllocation.enabled spark.dynamicAllocation.shuffleTracking.enabled spark.shuffle.service.enabled
        spark.speculation spark.memory.offHeap.enabled spark.eventLog.enabled spark.eventLog.compress
        spark.eventLog.rolling.enabled spark.ui.enabled spark.ui.showConsoleProgress spark.rdd.compress
        spark.shuffle.compress spark.shuffle.spill.compress spark.broadcast.compress spark.sql.adaptive.enabled
        spark.sql.adaptive.coalescePartitions.enabled spark.sql.adaptive.coalescePartitions.parallelismFirst
        spark.sql.adaptive.skewJoin.enabled spark.sql.adaptive.localShuffleReader.enabled spark.sql.cbo.enabled
        spark.sql.cbo.joinReorder.enabled spark.sql.statistics.histogram.enabled spark.sql.sources.bucketing.enabled
        spark.sql.ansi.enabled spark.sql.caseSensitive spark.sql.crossJoin.enabled spark.sql.hive.convertMetastoreParquet
        spark.sql.hive.convertMetastoreOrc spark.sql.parquet.mergeSchema spark.sql.parquet.filterPushdown
        spark.sql.parquet.enableVectorizedReader spark.sql.parquet.writeLegacyFormat spark.sql.orc.filterPushdown
        spark.sql.orc.enableVectorizedReader spark.sql.execution.arrow.pyspark.enabled spark.sql.codegen.wholeStage
        spark.sql.files.ignoreMissingFiles spark.sql.files.ignoreCorruptFiles spark.sql.inMemoryColumnarStorage.compressed
        spark.sql.optimizer.dynamicPartitionPruning.enabled spark.sql.join.preferSortMergeJoin
        spark.sql.legacy.allowHashOnMapType spark.kryo.registrationRequired spark.task.reaper.enabled
        spark.excludeOnFailure.enabled spark.network.crypto.enabled spark.authenticate spark.acls.enable
        spark.io.encryption.enabled spark.ssl.enabled spark.decommission.enabled spark.storage.decommission.enabled
        spark.executor.processTreeMetrics.enabled spark.hadoop.hive.exec.dynamic.partition hive.exec.dynamic.partition
        spark.emr.serverless.fusion.enabled
        """,
    ),
    (_words("org.apache.spark.serializer.KryoSerializer org.apache.spark.serializer.JavaSerializer"), "spark.serializer"),
    (_words("STATIC DYNAMIC"), "spark.sql.sources.partitionOverwriteMode"),
    (_words("strict nonstrict"), "hive.exec.dynamic.partition.mode spark.hadoop.hive.exec.dynamic.partition.mode"),
    (
        _words("none uncompressed snappy gzip lzo brotli lz4 zstd zlib lzf"),
        """spark.sql.parquet.compression.codec spark.sql.orc.compression.codec spark.io.compression.codec
        spark.shuffle.mapStatus.compression.codec""",
    ),
    (_words("LEGACY CORRECTED EXCEPTION"), "spark.sql.legacy.timeParserPolicy spark.sql.parquet.datetimeRebaseModeInWrite"),
    (_words("ANSI LEGACY STRICT"), "spark.sql.storeAssignmentPolicy"),
    (_words("FIFO FAIR"), "spark.scheduler.mode"),
    (_words("client cluster"), "spark.submit.deployMode --deploy-mode"),
    (_words("in-memory hive"), "spark.sql.catalogImplementation"),
    (_words("parquet orc csv json text delta iceberg paimon hudi"), "spark.sql.sources.default"),
    (_words("UTC GMT Asia/Shanghai GMT+8 GMT+08:00 +08:00"), "spark.sql.session.timeZone"),
    (_words("HMS DLF USER_RDS"), "hive.metastore.type spark.hadoop.hive.metastore.type"),
    (_SPARK_CLASS, "spark.shuffle.manager spark.sql.sources.commitProtocolClass spark.sql.parquet.output.committer.class"),
    # Options of spark-submit.
    (_ANY_CLASS, "--class"),
    (_COUNT, "--num-executors --executor-cores --driver-cores --total-executor-cores"),
    (_SIZE, "--executor-memory --driver-memory"),
)
HARMLESS: Final[Mapping[str, re.Pattern[str]]] = {key: form for form, keys in _LISTED for key in keys.split()}
# The other options of spark-submit: their names say nothing, their values may.
SUBMIT_OPTIONS: Final = frozenset(
    """
    --master --deploy-mode --name --jars --packages --exclude-packages --repositories --py-files --files --archives --conf
    -c --properties-file --driver-java-options --driver-library-path --driver-class-path --proxy-user --queue --principal
    --keytab --supervise --verbose --remote
    """.split()  # noqa: SIM905  # as long as the lists above
) | {key for key in HARMLESS if key.startswith("--")}
# Options without a value.
SUBMIT_FLAGS: Final = frozenset({"--supervise", "--verbose"})
# Words by which failures are told apart, Java's, Spark's and the vendor's own.
MESSAGE_WORDS: Final = re.compile(
    r"\b(?:executionTimeoutSeconds|OutOfMemoryError|StackOverflowError|FileNotFoundException|ClassNotFoundException|NoClassDefFoundError"
    r"|NoSuchMethodError|NullPointerException|IllegalArgumentException|IllegalStateException|UnsupportedOperationException|IOException"
    r"|EOFException|InterruptedException|SocketTimeoutException|ConnectException|UnknownHostException|TimeoutException|SQLException"
    r"|AnalysisException|ParseException|SparkException|SparkOutOfMemoryError|FetchFailedException|MetadataFetchFailedException"
    r"|ExecutorLostFailure|AccessControlException|AccessDeniedException|ArithmeticException|NumberFormatException)\b"
)


def is_harmless(key: str, value: str) -> bool:
    """Tell whether a key is one of Spark's own that hold no secret, and its value of the form that such a value has."""
    form = HARMLESS.get(key)
    return form is not None and form.fullmatch(value) is not None
