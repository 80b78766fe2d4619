"""The zone by which days and months are cut, as the option or the setting gives it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from zoneinfo import available_timezones

import dlt
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers import ConfigTomlProvider, SecretsTomlProvider
from dlt.common.configuration.specs import PluggableRunContext

from emr_serverless import CheckSettingsError

from .defaults import DEFAULT_TIME_ZONE, TIME_ZONE_SETTING

_SECTION, _, _NAME = TIME_ZONE_SETTING.partition(".")
_PREFIX = f"{_SECTION.upper()}__"


def checked_time_zone(given: str | None = None) -> str:
    """Return the zone of the option, else of the setting, else the default.

    Raises:
        CheckSettingsError: it is not a time zone, or a key of the settings is the setting's, misspelt.
    """
    _refuse_misspelt_keys()
    zone = given or dlt.config.get(TIME_ZONE_SETTING, str) or DEFAULT_TIME_ZONE
    # It goes into SQL as it is, and the report cuts days by it too.
    if zone not in available_timezones():
        raise CheckSettingsError(
            f"billing_time_zone is {zone!r}, which is not a time zone", advice="Give a name such as Asia/Shanghai or UTC."
        )
    return zone


def _refuse_misspelt_keys() -> None:
    for place, key, written, meant in _given_keys():
        # dlt's own settings may stand in the section too: it bears the name of the pipeline.
        if key != _NAME and get_close_matches(key.lower(), [_NAME]):
            raise CheckSettingsError(f"{written} in {place} is not a setting", advice=f"Did you mean {meant}?")


def _given_keys() -> Iterator[tuple[str, str, str, str]]:
    """Yield where a key is given, the key, how it is written there, and how the setting would be."""
    for name in sorted(os.environ):
        if name.upper().startswith(_PREFIX):
            # dlt reads capitals only: anything else is misspelt, as it stands.
            key = name.removeprefix(_PREFIX)
            yield "the environment", key.lower() if key == key.upper() else key.upper(), name, f"{_PREFIX}{_NAME.upper()}"
    for provider in Container()[PluggableRunContext].providers.providers:
        if isinstance(provider, (ConfigTomlProvider, SecretsTomlProvider)):
            section, _ = provider.get_value(_SECTION, dict, "")
            for key in section if isinstance(section, Mapping) else ():
                yield provider.name, key, f"{_SECTION}.{key}", TIME_ZONE_SETTING
