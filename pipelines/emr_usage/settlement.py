"""The setting `settlement_adjustment`."""

from __future__ import annotations

from typing import Final

from emr_serverless import CheckSettingsError

from .command_settings import given_setting

_VALUES: Final = {"true": True, "false": False}


def is_settlement_adjusted() -> bool:
    """Return whether runs and owners get their part of what an hour settles at above or below its runs; true by default.

    Raises:
        CheckSettingsError: the setting is neither true nor false, or a key of the section `emr_usage` is misspelt.
    """
    given = given_setting("settlement_adjustment") or "true"
    if given.lower() not in _VALUES:
        raise CheckSettingsError(
            f"settlement_adjustment is {given!r}, which is neither true nor false", advice="Give true or false."
        )
    return _VALUES[given.lower()]
