"""The billing time zone, from the option or the setting."""

from __future__ import annotations

from zoneinfo import available_timezones

from emr_serverless import CheckSettingsError

from .command_settings import given_setting
from .defaults import DEFAULT_TIME_ZONE


def checked_time_zone(given: str | None = None) -> str:
    """Return the zone from the option, else from the setting, else the default.

    Raises:
        CheckSettingsError: it is not a time zone, or a key of the section `emr_usage` is misspelt.
    """
    setting = given_setting("billing_time_zone")
    zone = given or setting or DEFAULT_TIME_ZONE
    # It is inserted into SQL, and the report uses it too.
    if zone not in available_timezones():
        raise CheckSettingsError(
            f"billing_time_zone is {zone!r}, which is not a time zone", advice="Give a name such as Asia/Shanghai or UTC."
        )
    return zone
