"""The errors of the source, named by what to do.

    EmrServerlessError
    ├── CheckSettingsError       a setting is invalid: correct it
    ├── CheckCredentialsError    no access key, or one the API does not accept
    ├── GrantPermissionError     the key lacks a permission: grant the RAM action
    ├── FindWorkspaceError       the workspace does not exist there, or is not visible
    ├── MissingWorkspaceError    a workspace of earlier loads, or every workspace, is not listed: restore the membership
    ├── SetClockError            this machine's clock is more than fifteen minutes off
    ├── ReachEndpointError       the endpoint has not answered any request
    ├── TryLaterError            the API was throttled, overloaded or failing for too long
    ├── RestartWindowError       a page token has expired: read the window again
    ├── ReportToVendorError      the API violated its contract (token loop, empty page with a token)
    └── FixRequestError          the API refuses the request for another reason

Every error has the API's code, the HTTP status, the request id (which the vendor's support needs) and one sentence of
advice. No message contains a secret: the API's messages are masked first.
"""

from __future__ import annotations

from ..resources.declaration import RAM_PREFIX


class EmrServerlessError(Exception):
    """Any failure of the source.

    Attributes:
        sentence: what happened, one sentence.
        advice: what to do, one sentence.
        code: the API's error code, or None where the API did not answer.
        status: the HTTP status, or None.
        request_id: the API's id of the failed request, or None.
    """

    default_advice = "Run again with --verbose and report the output."

    def __init__(
        self,
        sentence: str,
        *,
        advice: str | None = None,
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = advice or self.default_advice
        self.code = code
        self.status = status
        self.request_id = request_id

    def __str__(self) -> str:
        facts = [f"code {self.code}" if self.code else "", f"HTTP {self.status}" if self.status else ""]
        facts.append(f"request id {self.request_id}" if self.request_id else "")
        known = ", ".join(fact for fact in facts if fact)
        return f"{self.sentence}{f' ({known})' if known else ''}. {self.advice}"


class CheckSettingsError(EmrServerlessError):
    """A setting is invalid."""

    default_advice = "Correct the setting in .dlt/config.toml, the environment or the command line."


class CheckCredentialsError(EmrServerlessError):
    """There is no access key, or the API does not accept it."""

    default_advice = (
        "Set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or sources.emr_serverless.credentials "
        "in .dlt/secrets.toml, to a key that is active."
    )


class GrantPermissionError(EmrServerlessError):
    """The access key lacks a permission."""

    @classmethod
    def default_for(cls, operation: str) -> str:
        """Return the advice that names the RAM action of an operation."""
        return (
            f"Grant the RAM action {RAM_PREFIX}:{operation} on resource * to this user or role, "
            "and add it to the workspace's members."
        )


class FindWorkspaceError(EmrServerlessError):
    """The workspace does not exist, or is not visible to this key."""

    default_advice = "Check the workspace id and its region; `emr-usage status` lists the workspaces that were loaded."


class MissingWorkspaceError(EmrServerlessError):
    """A workspace of earlier loads is no longer listed, or no workspace is listed at all."""

    default_advice = "Check the region, and that the key's user or role is a member of the workspace."


class SetClockError(EmrServerlessError):
    """The machine's clock differs too much for the API to accept its signatures."""

    default_advice = "Set this machine's clock (for example with NTP) and run again."


class ReachEndpointError(EmrServerlessError):
    """No request has been answered at all."""

    default_advice = "Check the region, the --endpoint, the network and any proxy; inside a VPC use the -vpc endpoint."


class TryLaterError(EmrServerlessError):
    """The API was throttled, overloaded or failing for too long."""

    default_advice = "Loaded rows remain. Run the same command again later to resume."


class RestartWindowError(EmrServerlessError):
    """The API refused one of its page tokens: it has expired."""

    default_advice = "No action is needed: the window is read again."


class ReportToVendorError(EmrServerlessError):
    """The API violated its contract."""

    default_advice = "Run again. If the error persists, report the request id to Alibaba Cloud."


class FixRequestError(EmrServerlessError):
    """The API refuses the request and no other class fits."""

    default_advice = "Check the settings named in the message; run with --verbose for the request."
