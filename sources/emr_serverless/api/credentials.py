"""Access keys, from dlt's configuration, else from the vendor's default credential chain.

The chain (environment, OIDC for RRSA, CLI profile, INI file, ECS role, credentials URI) is the vendor's library
`alibabacloud-credentials`. It is used at every request, because STS tokens expire in the middle of a backfill. A key that the
API refuses is read once more from its origin, where it may have been replaced.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any, Final

from dlt.common.configuration.specs import CredentialsConfiguration, configspec
from dlt.common.runtime.run_context import active as active_run_context
from dlt.common.typing import TSecretStrValue

from .errors import CheckCredentialsError

ACCESS_KEY_FIELDS: Final = ("access_key_id", "access_key_secret", "security_token")
# The sections in which dlt looks for them, the most specific first.
CREDENTIALS_SECTIONS: Final = (("sources", "emr_serverless", "credentials"), ("sources", "credentials"), ("credentials",))


@dataclass(frozen=True)
class AccessKey:
    """One access key; its repr shows no secret parts.

    Attributes:
        access_key_id: the public part.
        access_key_secret: the signing secret.
        security_token: the STS token of temporary keys, else None.
    """

    access_key_id: str
    access_key_secret: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)


AccessKeyProvider = Callable[[], AccessKey]


@configspec
class AccessKeyConfiguration(CredentialsConfiguration):
    """`sources.emr_serverless.credentials` in dlt's secrets or environment."""

    access_key_id: TSecretStrValue = None  # type: ignore[assignment]  # dlt reads None as: required, and a secret
    access_key_secret: TSecretStrValue = None  # type: ignore[assignment]  # as above
    security_token: TSecretStrValue | None = None


class AccessKeys:
    """A provider of access keys that can read them again from their origin; safe to share between threads.

    Args:
        connect: returns a provider with an empty cache; called at first use and by each `renew`.
    """

    def __init__(self, connect: Callable[[], AccessKeyProvider]) -> None:
        self._connect = connect
        self._provide: AccessKeyProvider | None = None
        self._lock = threading.Lock()
        self.generation = 0

    def __call__(self) -> AccessKey:
        """Return the current access key.

        Raises:
            CheckCredentialsError: there is none.
        """
        with self._lock:  # only one provider, because each of the vendor's starts a thread
            self._provide = self._provide or self._connect()
            provide = self._provide
        return provide()

    def renew(self, refused: int) -> None:
        """Drop the cached key, unless another thread has done so since.

        Args:
            refused: the `generation` in which the refused request was signed.
        """
        with self._lock:
            if refused == self.generation:
                self.generation += 1
                self._provide = None


def configured_access_key(configuration: AccessKeyConfiguration) -> AccessKeys:
    """Return a provider of the key that dlt resolved; after a refusal, of the key that the configuration has by then."""
    given = AccessKey(configuration.access_key_id, configuration.access_key_secret, configuration.security_token or None)
    keys = chain([given], repeat(None))

    def connect() -> AccessKeyProvider:
        key = next(keys) or _configured_now() or given
        return lambda: key

    return AccessKeys(connect)


def _configured_now() -> AccessKey | None:
    """Return the key that the environment and dlt's files have now; None where it was given in code or by a vault."""
    # New providers: those of the running pipeline read the files at its start, and also have the values set in code.
    for provider in active_run_context().initial_providers():
        for sections in CREDENTIALS_SECTIONS:
            values = [provider.get_value(name, str, "", *sections)[0] for name in ACCESS_KEY_FIELDS]
            if values[0] and values[1]:
                return AccessKey(values[0], values[1], values[2] or None)
    return None


def default_chain() -> AccessKeys:
    """Return a provider that uses the vendor's default credential chain at each call.

    Raises:
        CheckCredentialsError: by the provider, where the chain finds no key.
    """

    def connect() -> AccessKeyProvider:
        client: Any = None
        making = threading.Lock()

        def provide() -> AccessKey:
            nonlocal client
            try:
                with making:
                    client = client or _credentials_client()
                credential = client.get_credential()
            except Exception as error:  # noqa: BLE001  # the chain raises its own, Tea's and requests' exceptions alike
                # Only the class is shown: the chain's messages may quote the contents of a profile.
                raise CheckCredentialsError(f"No Alibaba Cloud access key was found ({type(error).__name__})") from None
            if not credential.access_key_id or not credential.access_key_secret:
                raise CheckCredentialsError("The Alibaba Cloud credentials are empty")
            return AccessKey(credential.access_key_id, credential.access_key_secret, credential.security_token or None)

        return provide

    return AccessKeys(connect)


def _credentials_client() -> Any:
    vendors = logging.getLogger("credentials")
    handlers = vendors.handlers[:]
    # Imported at the first call, because the library reads the environment when it is imported. It adds handlers to
    # its logger, for the tracebacks of links without a key; and its scheduler warns when this process was too busy for it.
    from alibabacloud_credentials.client import Client  # noqa: PLC0415

    vendors.handlers = handlers
    for logger in (vendors, logging.getLogger("apscheduler.scheduler"), logging.getLogger("apscheduler.executors.default")):
        logger.addFilter(_is_not_the_vendors)
    return Client()


def _is_not_the_vendors(record: logging.LogRecord) -> bool:
    # By origin and not by logger: other libraries in the process may use the same logger names.
    return "alibabacloud_credentials" not in record.pathname and "EcsRamRoleCredentialsProvider" not in record.getMessage()
