"""The account that pays, from the option or the setting `billing_account_id`."""

from __future__ import annotations

import re
from typing import Final

from emr_serverless import CheckSettingsError

from .command_settings import environment_name, given_setting

# UIDs have sixteen digits today. Nothing else is taken, so that a secret given by mistake is not written into a file.
_ACCOUNT: Final = re.compile(r"[0-9]{8,20}")


def checked_billing_account(given: str | None = None) -> str:
    """Return the UID of the account from the option, else from the setting.

    Raises:
        CheckSettingsError: it is given nowhere, or cannot be an identifier.
    """
    account = (given or given_setting("billing_account_id") or "").strip()
    if not account:
        raise CheckSettingsError(
            "The account that pays is not known, and FOCUS needs its identifier",
            advice=f"Give its UID with --billing-account, or set billing_account_id in [emr_usage] or"
            f" {environment_name('billing_account_id')}.",
        )
    if not _ACCOUNT.fullmatch(account):
        raise CheckSettingsError(
            "billing_account_id is not the UID of an account, which has digits only",
            advice="Give the UID that the console shows, such as 1234567890123456.",
        )
    return account
