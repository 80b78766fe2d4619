"""Error messages for dlt's own configuration. Values that may be secret are not quoted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dlt.common.configuration.exceptions import (
    ConfigFieldMissingException,
    ConfigurationException,
    ConfigValueCannotBeCoercedException,
    InvalidNativeValue,
    ValueNotSecretException,
)
from dlt.common.configuration.providers.toml import TomlProviderReadException
from dlt.common.destination.exceptions import SqlClientNotAvailable, UnknownDestinationModule
from dlt.common.exceptions import MissingDependencyException

from emr_serverless import shown

from .errors import Failure
from .exit_codes import USAGE

_KIND_OF_HINT: Final[Mapping[Any, str]] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a JSON object",
    list: "a JSON list",
}


def dlt_failure(cause: BaseException, target: str) -> Failure | None:
    """Return the message for an exception of dlt's configuration, or None for any other."""
    if isinstance(cause, SqlClientNotAvailable):
        sentence = (
            f"emr-usage cannot use the destination {target}: it cannot be read with SQL. Use duckdb, postgres or filesystem."
        )
        return Failure(sentence, USAGE, "NoSql")
    if isinstance(cause, ConfigFieldMissingException):
        missing = ", ".join(sorted(cause.traces))
        advice = "Give --region, or set it" if "region_ids" in cause.traces else "Set it"
        sentence = (
            f"A setting is missing: {missing}. {advice} in .dlt/config.toml (secrets in .dlt/secrets.toml) or the environment."
        )
        return Failure(sentence, USAGE, "MissingSetting")
    if isinstance(cause, MissingDependencyException):
        packages = ", ".join(cause.dependencies)
        sentence = f"The destination {target} needs packages that are not installed: {packages}. Install them beside emr-usage."
        return Failure(sentence, USAGE, "MissingDependency")
    if isinstance(cause, UnknownDestinationModule):
        return Failure(
            f"dlt has no destination {target}. Use --destination duckdb, postgres or filesystem.", USAGE, "NoSuchDestination"
        )
    if isinstance(cause, ConfigurationException):
        return Failure(_sentence_of_dlt_setting(cause), USAGE, type(cause).__name__)
    return None


def _sentence_of_dlt_setting(cause: ConfigurationException) -> str:
    """Return a message that names the setting; its value is shown only where it is a number or a flag, and thus not a secret."""
    if isinstance(cause, ConfigValueCannotBeCoercedException):
        value = f" = {shown(cause.field_value)}" if cause.hint in {int, float, bool} else ""
        kind = _KIND_OF_HINT.get(cause.hint, "of another form")
        return (
            f"The dlt setting {cause.field_name}{value} is invalid: it must be {kind}. Correct it in .dlt/config.toml,"
            " .dlt/secrets.toml or the environment."
        )
    if isinstance(cause, ValueNotSecretException):
        return f"The setting {cause.key} is a secret, but is set in {cause.provider_name}. Move it to .dlt/secrets.toml."
    if isinstance(cause, InvalidNativeValue):
        key = ".".join(cause.embedded_sections) or "credentials"
        return f"The dlt setting {key} cannot be read. Correct it in .dlt/secrets.toml or the environment."
    if isinstance(cause, TomlProviderReadException):
        # Its text may quote the file.
        line = getattr(cause.__context__, "line", None)
        return f"{' or '.join(cause.full_paths)} is not TOML{f' in line {line}' if line else ''}. Correct the file."
    return f"A dlt setting is invalid ({type(cause).__name__}). Check .dlt/config.toml and .dlt/secrets.toml."
