"""Vendor error codes as data, and the two shapes of an error's body (api.md sections 2.1 and 2.2)."""

from collections.abc import Mapping
from typing import Any

# Code -> HTTP status and message. The statuses are those of the gateway's tables where they name one. The codes marked
# "ours" are for errors whose real code is not documented.
CODES: Mapping[str, tuple[int, str]] = {
    "Forbidden": (403, "You are not authorized to operate on the specified resource."),
    "Forbidden.RAM": (403, "User not authorized to operate on the specified resource, or this API doesn't support RAM."),
    "IncompleteSignature": (400, "The request signature does not conform to Aliyun standards."),
    "InternalError": (500, "The request processing has failed due to some unknown error."),
    "InvalidAccessKeyId.NotFound": (404, "Specified access key is not found."),
    "InvalidApi.NotFound": (404, "Specified api is not found, please check your url and method."),
    "InvalidContentSha256": (400, "The specified x-acs-content-sha256 does not match the body."),  # ours
    "InvalidJobRunId.NotFound": (404, "The specified job run does not exist."),  # ours
    "InvalidParameter": (400, "The specified parameter is not valid."),
    "InvalidSecurityToken.Expired": (400, "Specified SecurityToken is expired."),
    "InvalidSecurityToken.MismatchWithAccessKey": (400, "Specified SecurityToken mismatch with the AccessKey."),
    "InvalidTimeStamp.Expired": (400, "Specified time stamp or date value is expired."),
    "InvalidTimeStamp.Format": (400, "Specified time stamp or date value is not well formatted."),
    "InvalidVersion": (400, "Specified parameter Version is not valid."),
    "InvalidWorkspaceId.NotFound": (404, "The specified workspace does not exist."),  # ours
    "MissingParameter.regionId": (400, "The parameter regionId is missing."),
    "MissingSecurityToken": (400, "SecurityToken is mandatory for this action."),
    "MissingSignatureNonce": (400, "SignatureNonce is mandatory for this action."),  # ours
    "NoPermission": (403, "You do not have the permission for this operation."),
    "ServiceUnavailable": (503, "The request has failed due to a temporary failure of the server."),
    "SignatureDoesNotMatch": (400, "Specified signature does not match our calculation."),
    "SignatureNonceUsed": (400, "Specified signature nonce was used already."),
    "Throttling": (400, "Request was denied due to request throttling."),
    "Throttling.Api": (400, "Request was denied due to api flow control."),
    "Throttling.User": (400, "Request was denied due to user flow control."),
}
UNKNOWN = (400, "")
FORBIDDEN = 403
PRODUCT = "emr-serverless-spark"


class ApiError(Exception):
    """A refusal by the API.

    Args:
        code: The vendor's code; None is the observed quirk of an error without one.
        detail: What is wrong in this request, put after the code's message.
        status: The HTTP status, where it is not the code's own.
        headers: Response headers that only this error has.
        by_service: Whether the service behind the gateway answers it, in its own shape.
    """

    def __init__(
        self,
        code: str | None,
        detail: str = "",
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        by_service: bool = False,
    ) -> None:
        known_status, message = CODES.get(code or "", UNKNOWN)
        self.code = code
        self.status = known_status if status is None else status
        self.message = f"{message} {detail}".strip()
        self.headers = dict(headers or {})
        self.by_service = by_service
        super().__init__(f"{self.status} {code}: {self.message}")


def error_body(error: ApiError, request_id: str, host: str) -> dict[str, Any]:
    """The error's body: the gateway's keys are in Pascal case, the service's in lower camel case.

    Args:
        error: What is refused.
        request_id: The request's id.
        host: The host it was sent to.
    """
    if error.by_service:
        return {"requestId": request_id, "code": error.code, "message": error.message}
    body: dict[str, Any] = {
        "RequestId": request_id,
        "HostId": host,
        "Code": error.code,
        "Message": error.message,
        "Recommend": f"https://api.aliyun.com/troubleshoot?q={error.code}&product={PRODUCT}&requestId={request_id}",
    }
    if error.status == FORBIDDEN and error.code is not None:
        body["AccessDeniedDetail"] = {"PolicyType": "AccountLevelIdentityBasedPolicy", "NoPermissionType": "ImplicitDeny"}
    return body
