"""The gateway in front of the operations: signatures, denials, faults, error bodies, and the record of requests."""

import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

from .clock import Clock
from .errors import ApiError, error_body
from .faults import THROTTLE_CODES, Faults
from .operations import API_VERSION, Account, Call, answer, route
from .paging import RequestCounter
from .replies import Reply, broken_reply, json_reply, raise_fault
from .signature import DEFAULT_KEY, AccessKey, Nonces, SignedRequest, verify_request
from .state import State
from .variants import Variants

# A demonstration runs for weeks; a record is about a kilobyte.
REQUESTS_KEPT = 100_000


@dataclass
class RequestRecord:
    """A request the gateway has seen; `status` stays None while it is unanswered, and where it never is answered."""

    operation: str | None
    workspace_id: str | None
    query: dict[str, str]
    nonce: str | None
    date: str | None
    access_key_id: str | None
    in_flight: int
    path: str
    status: int | None = None
    code: str | None = None
    fault: str | None = None


class Gateway:
    """Answers requests. Every attribute may be assigned while it works; the next request sees the new value."""

    def __init__(
        self,
        state: State,
        clock: Clock,
        *,
        variants: Variants | None = None,
        faults: Faults | None = None,
        access_keys: Sequence[AccessKey] = (DEFAULT_KEY,),
        page_limit: int = 100,
        verify_signatures: bool = True,
    ) -> None:
        self.state = state
        self.clock = clock
        self.variants = variants or Variants()
        self.faults = faults or Faults()
        self.access_keys = access_keys
        self.page_limit = page_limit
        self.verify_signatures = verify_signatures
        self.requests: list[RequestRecord] = []
        self.failures: list[Exception] = []
        self.peak_in_flight = 0
        self._lock = threading.Lock()
        self._in_flight = 0
        self._nonces = Nonces()
        self._counter = RequestCounter()
        self._stopping = threading.Event()

    def reset(self) -> None:
        """Forget the requests, the nonces, the peak, the failures, and every expiring token's age."""
        with self._lock:
            self.requests = []
            self.failures = []
            self.peak_in_flight = self._in_flight
            self._counter = RequestCounter()
        self._nonces.clear()

    def handle(self, request: SignedRequest) -> Reply:
        """Answer one request, with the fault it meets. Never raises: a defect of the emulator is a 500 and in `failures`."""
        query = dict(parse_qsl(request.query_string, keep_blank_values=True))
        call = route(unquote(request.path), query)
        record = self._arrive(request, query, call)
        request_id = str(uuid.uuid4()).upper()
        try:
            reply = self._answer(request, call, record, request_id)
        except ApiError as error:
            reply = self._refuse(error, record, request_id, request.headers.get("host", ""))
        except Exception as error:  # noqa: BLE001 - a thread's exception would be lost, a test looks into `failures`
            self.failures.append(error)
            reply = self._refuse(ApiError("InternalError", repr(error)), record, request_id, "")
        finally:
            with self._lock:
                self._in_flight -= 1
        record.status = reply.status or None
        now = time.time() + self.faults.clock_skew_seconds
        reply.headers = {"Date": formatdate(now, usegmt=True), "x-acs-request-id": request_id, **reply.headers}
        return reply

    def _arrive(self, request: SignedRequest, query: dict[str, str], call: Call | None) -> RequestRecord:
        headers = request.headers
        _, _, credential = headers.get("authorization", "").partition("Credential=")
        with self._lock:
            self._in_flight += 1
            self.peak_in_flight = max(self.peak_in_flight, self._in_flight)
            record = RequestRecord(
                operation=call.operation if call else None,
                workspace_id=call.workspace_id if call else None,
                query=query,
                nonce=headers.get("x-acs-signature-nonce"),
                date=headers.get("x-acs-date"),
                access_key_id=credential.partition(",")[0] or None,
                in_flight=self._in_flight,
                path=request.path,
            )
            self.requests.append(record)
            if len(self.requests) > REQUESTS_KEPT:
                del self.requests[: REQUESTS_KEPT // 2]
        return record

    def _answer(self, request: SignedRequest, call: Call | None, record: RequestRecord, request_id: str) -> Reply:
        faults = self.faults
        record.fault = faults.take(f"{request.path}?{request.query_string}")
        if faults.latency_seconds:
            self._stopping.wait(faults.latency_seconds)
        if self.verify_signatures:
            now_ms = int((time.time() + faults.clock_skew_seconds) * 1000)
            verify_request(request, self.access_keys, self._nonces, now_ms)
        is_beyond_quota = faults.max_in_flight is not None and record.in_flight > faults.max_in_flight
        if is_beyond_quota or not faults.is_within_rate():
            raise ApiError(THROTTLE_CODES[400])
        if record.fault == "hang":
            self._stopping.wait(faults.hang_seconds)
        if (broken := broken_reply(record.fault)) is not None:
            return broken
        raise_fault(record.fault, faults)
        if request.method != "GET" or call is None:
            raise ApiError("InvalidApi.NotFound")
        if self.verify_signatures:
            _check_action(request, call)
        for name in {call.operation, call.workspace_id or ""} & faults.denied.keys():
            status, code = faults.denied[name]
            raise ApiError(code, status=status)
        body = answer(call, self._account(record.fault)) | {"requestId": request_id}
        return json_reply(HTTPStatus.OK, body, record.fault)

    def _account(self, fault: str | None) -> Account:
        return Account(self.state, self.clock.now_ms(), self.variants, self.page_limit, self._counter, fault)

    def _refuse(self, error: ApiError, record: RequestRecord, request_id: str, host: str) -> Reply:
        record.code = error.code
        reply = json_reply(error.status, error_body(error, request_id, host))
        reply.headers |= error.headers
        return reply


def _check_action(request: SignedRequest, call: Call) -> None:
    if request.headers["x-acs-version"] != API_VERSION:
        raise ApiError("InvalidVersion")
    if request.headers["x-acs-action"] != call.operation:
        raise ApiError("InvalidApi.NotFound")
