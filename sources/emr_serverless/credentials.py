"""Where access keys come from: dlt's configuration, else the vendor's own default chain.

The chain (environment, OIDC for RRSA, CLI profile, INI file, ECS role, credentials URI) is the vendor's library
`alibabacloud-credentials`. It is asked at every request, because STS tokens expire in the middle of a backfill.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dlt.common.configuration.specs import CredentialsConfiguration, configspec
from dlt.common.typing import TSecretStrValue

from .errors import CheckCredentialsError


@dataclass(frozen=True)
class AccessKey:
    """One access key; its secret parts never show in a repr.

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


def configured_access_key(configuration: AccessKeyConfiguration) -> AccessKeyProvider:
    """Return a provider of the key that dlt resolved."""
    key = AccessKey(configuration.access_key_id, configuration.access_key_secret, configuration.security_token or None)
    return lambda: key


def default_chain() -> AccessKeyProvider:
    """Return a provider that asks the vendor's default chain at each call; safe to share between threads.

    Raises:
        CheckCredentialsError: from the provider, when no link of the chain has a key.
    """
    client: Any = None
    making = threading.Lock()

    def provide() -> AccessKey:
        nonlocal client
        try:
            with making:  # one client, because each starts a thread of its own
                client = client or _credentials_client()
            credential = client.get_credential()
        except Exception as error:  # noqa: BLE001  # the chain raises its own, Tea's and requests' exceptions alike
            # Only the class is told: the chain's own texts quote what it tried, which may hold a profile's contents.
            raise CheckCredentialsError(f"No Alibaba Cloud access key was found ({type(error).__name__})") from None
        if not credential.access_key_id or not credential.access_key_secret:
            raise CheckCredentialsError("The Alibaba Cloud credentials are empty")
        return AccessKey(credential.access_key_id, credential.access_key_secret, credential.security_token or None)

    return provide


def _credentials_client() -> Any:
    vendors = logging.getLogger("credentials")
    handlers = vendors.handlers[:]
    # Imported at the first call, because the library reads the environment when it is imported. It puts handlers of its own on
    # its logger, for the tracebacks of links without a key; and its scheduler warns when this process was too busy for it.
    from alibabacloud_credentials.client import Client  # noqa: PLC0415

    vendors.handlers = handlers
    for logger in (vendors, logging.getLogger("apscheduler.scheduler"), logging.getLogger("apscheduler.executors.default")):
        logger.addFilter(_is_not_the_vendors)
    return Client()


def _is_not_the_vendors(record: logging.LogRecord) -> bool:
    # By origin and not by logger: these names may be those of others in the same process too.
    return "alibabacloud_credentials" not in record.pathname and "EcsRamRoleCredentialsProvider" not in record.getMessage()
