"""Loads EMR Serverless Spark job-run history."""
