"""The settings of the section `emr_usage`: where they are given, and the refusal of misspelt keys.

Some are secrets, so values are read from dlt's providers themselves: `dlt.config` records what it returns in the trace that dlt
keeps in the working files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from dlt.common.configuration.container import Container
from dlt.common.configuration.providers import CONFIG_TOML, ConfigTomlProvider, SecretsTomlProvider
from dlt.common.configuration.specs import PluggableRunContext

from emr_serverless import CheckSettingsError

SECTION: Final = "emr_usage"
SETTINGS: Final = (
    *("billing_time_zone", "settlement_adjustment", "billing_account_id"),
    *("notify_url", "notify_format", "notify_secret", "ping_url"),
)
SECRETS: Final = frozenset({"notify_url", "notify_secret", "ping_url"})
_PREFIX: Final = f"{SECTION.upper()}__"


def given_setting(name: str) -> str | None:
    """Return the value of a setting as text, or None where it is not given.

    Raises:
        CheckSettingsError: a key of the section is misspelt, or a secret is in `config.toml`.
    """
    _refuse_misplaced_keys()
    for provider in Container()[PluggableRunContext].providers.providers:
        value, _ = provider.get_value(name, str, "", SECTION)
        if value is not None:
            return str(value)
    return None


def environment_name(name: str) -> str:
    """Return the environment variable of a setting."""
    return f"{_PREFIX}{name.upper()}"


def _refuse_misplaced_keys() -> None:
    for place, key, written in _given_keys():
        if key in SETTINGS:
            if place == CONFIG_TOML and key in SECRETS:
                raise CheckSettingsError(f"{written} in {place} is a secret", advice="Move it to .dlt/secrets.toml.")
            continue
        # dlt's own settings may be in the section too: it has the name of the pipeline.
        if near := get_close_matches(key.lower(), SETTINGS, n=1):
            meant = environment_name(near[0]) if place == "the environment" else f"{SECTION}.{near[0]}"
            raise CheckSettingsError(f"{written} in {place} is not a setting", advice=f"Did you mean {meant}?")


def _given_keys() -> Iterator[tuple[str, str, str]]:
    """Yield where a key is given, the key, and how it is written there."""
    for name in sorted(os.environ):
        if name.upper().startswith(_PREFIX):
            # dlt reads capitals only: anything else is misspelt.
            key = name.removeprefix(_PREFIX)
            yield "the environment", key.lower() if key == key.upper() else key.upper(), name
    for provider in Container()[PluggableRunContext].providers.providers:
        if isinstance(provider, (ConfigTomlProvider, SecretsTomlProvider)):
            section, _ = provider.get_value(SECTION, dict, "")
            for key in section if isinstance(section, Mapping) else ():
                yield provider.name, key, f"{SECTION}.{key}"
