"""What can go wrong, named by what to do next.

    EmrServerlessError
    ├── CheckSettingsError       a setting cannot be used: correct it
    ├── CheckCredentialsError    no access key, or one the API does not accept
    ├── GrantPermissionError     the key is good but lacks a right: grant the RAM action
    ├── FindWorkspaceError       the workspace does not exist there, or is not visible
    ├── MissingWorkspaceError    one that earlier loads read, or every one, is not listed: restore the membership
    ├── SetClockError            this machine's clock is more than fifteen minutes off
    ├── ReachEndpointError       nothing has ever answered at the endpoint
    ├── TryLaterError            throttled, overloaded or broken for longer than we wait
    ├── RestartWindowError       a page token is no longer good: read the window again
    ├── ReportToVendorError      the API broke its own contract (token loop, empty page with a token)
    └── FixRequestError          the API refuses the request for another reason

Every error carries the API's code, the HTTP status, the request id (what the vendor's support asks for first) and one
sentence of advice. No message holds a secret: what the API said is scrubbed before it gets here.
"""

from __future__ import annotations

from ..resources.declaration import RAM_PREFIX


class EmrServerlessError(Exception):
    """Any failure of the source.

    Attributes:
        sentence: what happened, one sentence.
        advice: what to do, one sentence.
        code: the API's error code, or None where no API answered.
        status: the HTTP status, or None.
        request_id: the API's id of the failed request, or None.
    """

    default_advice = "Run again with --verbose and report what it prints."

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
    """A setting cannot be used as it is."""

    default_advice = "Correct the setting in .dlt/config.toml, the environment or the command line."


class CheckCredentialsError(EmrServerlessError):
    """There is no access key, or the API does not accept it."""

    default_advice = (
        "Set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or sources.emr_serverless.credentials "
        "in .dlt/secrets.toml, to a key that is active."
    )


class GrantPermissionError(EmrServerlessError):
    """The access key lacks a right."""

    @classmethod
    def default_for(cls, operation: str) -> str:
        """Return the advice that names the RAM action of an operation."""
        return (
            f"Grant the RAM action {RAM_PREFIX}:{operation} on resource * to this user or role, "
            "and add it to the workspace's members."
        )


class FindWorkspaceError(EmrServerlessError):
    """The workspace is not there, or not visible to this key."""

    default_advice = "Check the workspace id and its region; `emr-usage status` names those that have loaded."


class MissingWorkspaceError(EmrServerlessError):
    """A workspace that earlier loads read is not listed any more, or none is listed at all."""

    default_advice = "Check the region, and that the key's user or role is a member of the workspace."


class SetClockError(EmrServerlessError):
    """The machine's clock is outside the window in which the API accepts signatures."""

    default_advice = "Set this machine's clock (for example with NTP) and run again."


class ReachEndpointError(EmrServerlessError):
    """No request has been answered at all."""

    default_advice = "Check the region, the --endpoint, the network and any proxy; inside a VPC use the -vpc endpoint."


class TryLaterError(EmrServerlessError):
    """The API was throttled, overloaded or broken for longer than we wait."""

    default_advice = "What is loaded stays; run the same command again later and it goes on from there."


class RestartWindowError(EmrServerlessError):
    """The API refused a page token that it gave out: it has expired."""

    default_advice = "The window is read again; nothing to do."


class ReportToVendorError(EmrServerlessError):
    """The API broke its own contract."""

    default_advice = "Run again; if it stays, report the request id to Alibaba Cloud."


class FixRequestError(EmrServerlessError):
    """The API refuses the request and no other class fits."""

    default_advice = "Check the settings named in the message; run with --verbose for the request."
