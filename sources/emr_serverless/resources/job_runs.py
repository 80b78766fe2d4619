"""ListJobRuns: the runs of a workspace's jobs."""

from __future__ import annotations

from typing import Final

from .declaration import Child, Field, Observations, Resource, Token, Windowed

# States without an end. A run without an end time is open in any state.
OPEN_STATES: Final = ("Submitted", "Pending", "Running", "Cancelling")
# Every documented state.
ALL_STATES: Final = (*OPEN_STATES, "Success", "Failed", "Cancelled", "CancelFailed")

JOB_RUNS: Final = Resource(
    table="job_runs",
    description="One row for each job run: its latest known version. Nothing is ever deleted.",
    operation="ListJobRuns",
    path="/api/v1/workspaces/{workspace_id}/jobRuns",
    rows="jobRuns",
    paging=Token(page_rows=100),
    strategy=Windowed(
        start_filter="startTime",
        end_filter="endTime",
        state_filter="states",
        id_filter="jobRunId",
        start_field="submitTime",
        end_field="endTime",
        state_field="state",
        open_states=OPEN_STATES,
        figures_field="cuHours",
    ),
    parent="workspace",
    key=("workspace_id", "job_run_id"),
    repeats=("workspaceId",),
    fields=(
        Field("job_run_id", "jobRunId", "text", "The job run.", mask="plain"),
        Field("name", "name", "text", "Name of the run, as submitted."),
        Field(
            "state",
            "state",
            "text",
            "Submitted, Pending, Running, Success, Failed, Cancelling, Cancelled, CancelFailed, or one not known yet.",
        ),
        Field("state_change_code", "stateChangeReason.code", "text", "Code of the last change of state."),
        Field(
            "state_change_message",
            "stateChangeReason.message",
            "text",
            "Reason of the last change of state; of a failed run the failure.",
            mask="message",
        ),
        Field("submit_time", "submitTime", "timestamp", "When the run was submitted, UTC."),
        Field("end_time", "endTime", "timestamp", "When the run ended, UTC; null while it has not."),
        Field("code_type", "codeType", "text", "SQL, JAR, PYTHON, or another."),
        Field("web_ui", "webUI", "text", "Address of the Spark UI, credentials masked.", mask="address"),
        Field("execution_timeout_seconds", "executionTimeoutSeconds", "bigint", "Timeout of the run, seconds."),
        Field("creator", "creator", "text", "UID of the submitting user."),
        Field("release_version", "releaseVersion", "text", "Engine version."),
        Field("display_release_version", "displayReleaseVersion", "text", "Engine version as the console shows it."),
        Field("fusion", "fusion", "bool", "Whether the Fusion engine is on."),
        Field("vcore_seconds", "vcoreSeconds", "bigint", "CPU used, core-seconds."),
        Field("mb_seconds", "mbSeconds", "bigint", "Memory used, MiB-seconds."),
        Field(
            "cu_hours", "cuHours", "decimal", "The API's estimate of CU-hours, its CPU-to-memory discount included; not the bill."
        ),
        Field("resource_queue_id", "resourceQueueId", "text", "Name of the queue."),
        Field("priority", "priority", "text", "Priority, as the API sends it."),
        Field(
            "entry_point",
            "jobDriver.sparkSubmit.entryPoint",
            "text",
            "jobDriver.sparkSubmit.entryPoint, credentials masked.",
            mask="entry_point",
        ),
        Field(
            "spark_submit_parameters",
            "jobDriver.sparkSubmit.sparkSubmitParameters",
            "text",
            "jobDriver.sparkSubmit.sparkSubmitParameters, secrets masked.",
            mask="spark_submit_parameters",
        ),
        Field(
            "arguments_digest",
            None,
            "text",
            "SHA-256 of the entry point and the masked arguments: identifies reruns of the same job.",
            mask="plain",
        ),
    ),
    children=(
        Child(
            "job_run_tags",
            "One row for each tag of a run, replaced as a whole when the run is read again.",
            "tags",
            index=Field("tag_index", None, "bigint", "Position in the API's list, from 0."),
            fields=(
                Field("tag_key", "key", "text", "Key, as submitted."),
                Field("tag_value", "value", "text", "Value, secrets masked.", mask="tag", named_by="tag_key"),
            ),
        ),
        Child(
            "job_run_logs",
            "One row for each run that has logs, replaced when the run is read again.",
            "log",
            fields=(
                Field(
                    "driver_std_out",
                    "driverStdOut",
                    "text",
                    "Place of the driver's standard output: HTTPS while the run runs, OSS afterwards.",
                    mask="address",
                ),
                Field("driver_std_error", "driverStdError", "text", "Place of the driver's standard error.", mask="address"),
                Field("driver_syslog", "driverSyslog", "text", "Place of the driver's system log.", mask="address"),
                Field("driver_startup", "driverStartup", "text", "Place of the driver's start-up log.", mask="address"),
            ),
        ),
        Child(
            "job_run_configurations",
            "One row for each configuration item of a run, replaced as a whole when the run is read again.",
            "configurationOverrides.configurations",
            index=Field("configuration_index", None, "bigint", "Position in the API's list, from 0."),
            fields=(
                Field("config_file_name", "configFileName", "text", "Configuration file, such as spark-defaults.conf."),
                Field("config_item_key", "configItemKey", "text", "Key."),
                Field(
                    "config_item_value",
                    "configItemValue",
                    "text",
                    "Value, secrets masked.",
                    mask="setting",
                    named_by="config_item_key",
                ),
            ),
        ),
        Child(
            "job_run_arguments",
            "One row for each entry-point argument of a run, replaced as a whole when the run is read again.",
            "jobDriver.sparkSubmit.entryPointArguments",
            index=Field("argument_index", None, "bigint", "Position in the argument list, from 0."),
            fields=(Field("argument", "", "text", "Argument, secrets masked; a null is empty.", mask="arguments", default=""),),
        ),
    ),
    observations=Observations(
        "job_run_observations",
        "One row for each observation of an open run, one when a run that was open is first seen final, and one without a state"
        " for each load (three at most) in which the API does not answer for it. Rows are only ever added: the history of a"
        " running job's figures cannot be fetched later.",
        ("state", "vcore_seconds", "mb_seconds", "cu_hours"),
    ),
)
