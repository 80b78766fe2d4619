"""The settings of the source as dlt resolves them: values are checked by validation.py, and unknown keys are refused.

dlt takes the values from config.toml, secrets.toml, the environment and the arguments of the source, in its own order. It
ignores unknown keys, so a misspelt setting would silently keep its default.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

from dlt.common.configuration import configspec
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers import ConfigTomlProvider, SecretsTomlProvider
from dlt.common.configuration.specs import BaseConfiguration, PluggableRunContext, known_sections
from dlt.common.configuration.specs.config_section_context import ConfigSectionContext

from .api.credentials import AccessKeyConfiguration
from .api.errors import CheckSettingsError
from .validation import SECTION, SETTINGS, environment_name, read_setting

SOURCE_NAME: Final = SECTION.split(".")[1]
_CREDENTIALS: Final = tuple(AccessKeyConfiguration.get_resolvable_fields())
_KEYS: Final = (*SETTINGS, "credentials", *(f"credentials.{name}" for name in _CREDENTIALS))
# dlt's own settings, which may be given for one source.
_OF_DLT: Final = {known_sections.DATA_WRITER, known_sections.EXTRACT, known_sections.NORMALIZE, known_sections.SCHEMA}
_ENVIRONMENT: Final = "the environment"
_ENVIRONMENT_PREFIX: Final = environment_name("")
# Similarity from which on the name of a section counts as misspelt: emr-serverless does, emr_on_ecs does not.
_SAME_WORD: Final = 0.85
# Also with one underscore for two, or the singular.
_LIKE_OURS: Final = re.compile(r"SOURCES?_+EMR_+SERVERLESS_+(?P<key>\w+)", re.IGNORECASE)


class _CheckedConfiguration(BaseConfiguration):
    """Checks the resolved settings."""

    credentials: AccessKeyConfiguration | None = None

    def on_partial(self) -> None:
        """Refuse misspelt keys before dlt complains that the key is missing."""
        _refuse_unknown_keys()

    def on_resolved(self) -> None:
        """Refuse misspelt keys and invalid values; convert the others."""
        _refuse_unknown_keys()
        _check_access_key(self.credentials)
        for name in SETTINGS:
            setattr(self, name, read_setting(name, getattr(self, name)))


# The fields take any value: dlt would coerce them by its own rules, and not name the one that it cannot.
SourceConfiguration: Final[type[BaseConfiguration]] = configspec(
    type(
        "SourceConfiguration",
        (_CheckedConfiguration,),
        {
            "__module__": __name__,
            "__annotations__": {
                "credentials": AccessKeyConfiguration | None,
                **{
                    name: Any if setting.required or setting.default is not None else Any | None
                    for name, setting in SETTINGS.items()
                },
            },
            "credentials": None,
            **{name: setting.default for name, setting in SETTINGS.items()},
        },
    )
)


def _check_access_key(credentials: AccessKeyConfiguration | None) -> None:
    given = {key.removeprefix("credentials.") for _, key, _ in _given_keys() if key.startswith("credentials.")}
    needed = [name for name in _CREDENTIALS if name != "security_token"]
    if credentials is None:
        missing = [name for name in needed if name not in given] if given else []
    else:
        missing = [name for name in needed if not str(getattr(credentials, name)).strip()]
    if missing:
        raise CheckSettingsError(
            f"The setting {SECTION}.credentials.{missing[0]} is missing or empty",
            advice="Set both the id and the secret of the access key in .dlt/secrets.toml or the environment, or neither.",
        )


def _refuse_unknown_keys() -> None:
    unknown = [(place, key, written) for place, key, written in _given_keys() if not _is_known(key)]
    if not unknown:
        return
    place, key, written = unknown[0]
    near = get_close_matches(key.lower(), _KEYS, n=1)
    if near or not key:
        path = [*SECTION.split("."), *(near[0].split(".") if near else ())]
        meant = "__".join(path).upper() if place == _ENVIRONMENT else ".".join(path)
        advice = f"Did you mean {meant}?"
    else:
        advice = f"The settings are: {', '.join(name for name in _KEYS if '.' not in name)}."
    others = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
    raise CheckSettingsError(f"{written} in {place} is not a setting{others}", advice=advice)


def _is_known(key: str) -> bool:
    first, _, rest = key.partition(".")
    # dlt's long form: sources.<module>.<source>.<key>.
    if first == SOURCE_NAME and rest:
        return _is_known(rest)
    return key in _KEYS or first in _OF_DLT


def _given_keys() -> Iterator[tuple[str, str, str]]:
    """Yield where each key of this source is given, the dotted key, and how it is written there.

    The key is empty for a section with a misspelt name that has settings of this source.
    """
    yield from _keys_of_environment()
    pipeline_name = Container()[ConfigSectionContext].pipeline_name
    for provider in Container()[PluggableRunContext].providers.providers:
        if not isinstance(provider, (ConfigTomlProvider, SecretsTomlProvider)):
            continue
        for pipeline in dict.fromkeys(("", pipeline_name or "")):
            sections, written = provider.get_value(known_sections.SOURCES, dict, pipeline)
            for name, section in sections.items() if isinstance(sections, Mapping) else ():
                if not isinstance(section, Mapping):
                    continue
                if name == SOURCE_NAME:
                    yield from ((provider.name, key, f"{written}.{name}.{key}") for key in _flat(section))
                elif section.keys() & SETTINGS.keys() and get_close_matches(name.lower(), [SOURCE_NAME], cutoff=_SAME_WORD):
                    yield provider.name, "", f"{written}.{name}"


def _keys_of_environment() -> Iterator[tuple[str, str, str]]:
    for name in sorted(os.environ):
        if found := _LIKE_OURS.search(name):
            after = name.partition(_ENVIRONMENT_PREFIX)[2]
            # dlt reads upper case only: any other spelling has no effect.
            is_exact = after and after == after.upper()
            yield _ENVIRONMENT, after.lower().replace("__", ".") if is_exact else found["key"].upper(), name


def _flat(section: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the dotted keys of a table of TOML; one that dlt or a setting takes whole is a key itself."""
    for name, value in section.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping) and key not in SETTINGS and name not in _OF_DLT:
            yield from _flat(value, f"{key}.")
        else:
            yield key
