"""Copies tables of the published schema into Parquet files. Arguments: a folder, then table names."""

from __future__ import annotations

import sys

from pyspark.sql import SparkSession

folder, *names = sys.argv[1:]
spark = SparkSession.builder.enableHiveSupport().getOrCreate()
spark.conf.set("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
for name in names:
    spark.table(f"emr_marts.{name}").coalesce(1).write.parquet(f"{folder}/{name}", mode="overwrite")
spark.stop()
