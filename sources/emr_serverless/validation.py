"""What each setting of the source may be: one table, by which every value is read, wherever it comes from.

A value is what config.toml, the environment (text), a command-line option or an argument of the source gives. Nothing here knows
dlt; see configuration.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from . import settings
from .api.endpoint import endpoint_of
from .api.errors import CheckSettingsError
from .redaction.backtracking import backtracks_without_bound
from .redaction.redactor import Redactor

SECTION: Final = "sources.emr_serverless"
_SHOWN_CHARACTERS: Final = 80
# A region's id becomes part of a host name, a workspace's id part of a path.
_REGION_ID: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_WORKSPACE_ID: Final = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)


class UnusableError(ValueError):
    """A value cannot be used; the text says why where the kind of the setting alone does not."""


class Kind(Protocol):
    """What values a setting takes; its text completes `It must be`."""

    def read(self, value: Any) -> Any:
        """Return a value as the source uses it.

        Raises:
            ValueError: it cannot be used.
            CheckSettingsError: the same, with a whole sentence.
        """


@dataclass(frozen=True)
class Number:
    """A number from `low` to `high`, both included, in a unit; `whole` refuses fractions."""

    unit: str
    low: float
    high: float
    whole: bool = False

    def read(self, value: Any) -> float:
        """Return a number; text is read as one, true and false are none."""
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise UnusableError
        number = float(value)
        # Not-a-number is in no range.
        if not self.low <= number <= self.high or (self.whole and not number.is_integer()):
            raise UnusableError
        return int(number) if self.whole else number

    def __str__(self) -> str:
        return f"{'a whole number' if self.whole else 'a number'} of {self.unit} from {self.low:,} to {self.high:,}"


@dataclass(frozen=True)
class Choice:
    """One of some words."""

    values: Sequence[str]

    def read(self, value: Any) -> str:
        """Return the word in lower case."""
        word = str(value).lower()
        if word not in self.values:
            raise UnusableError
        return word

    def __str__(self) -> str:
        return f"one of {', '.join(self.values)}"


@dataclass(frozen=True)
class Secret:
    """A text that no message shows, of a number of characters at least."""

    shortest: int
    hidden: bool = True

    def read(self, value: Any) -> str:
        """Return the text as it is."""
        if not isinstance(value, str) or len(value) < self.shortest:
            raise UnusableError
        return value

    def __str__(self) -> str:
        return f"a text of at least {self.shortest} characters"


@dataclass(frozen=True)
class Texts:
    """A list of distinct texts.

    Attributes:
        example: as JSON.
        check: raises UnusableError for a text that cannot be used.
        needed: refuses the empty list.
        hidden: texts are named by their position, since a user may have written a secret there.
    """

    example: str
    check: Callable[[str], None]
    needed: bool = False
    hidden: bool = False

    def read(self, value: Any) -> tuple[str, ...]:
        """Return the texts; a single text is read as JSON, which is how the environment gives a list."""
        texts = json.loads(value) if isinstance(value, str) else value
        if not isinstance(texts, (list, tuple)) or (self.needed and not texts):
            raise UnusableError
        for position, text in enumerate(texts):
            named = f"item {position + 1}" if self.hidden else shown(text)
            if not isinstance(text, str):
                raise UnusableError(f"item {position + 1} is not a text")
            if not text.strip():
                raise UnusableError(f"item {position + 1} is empty")
            if text in texts[:position]:
                raise UnusableError(f"{named} is there twice")
            try:
                self.check(text)
            except UnusableError as error:
                raise UnusableError(f"{named} {error}") from None
        return tuple(texts)

    def __str__(self) -> str:
        return f"a list such as {self.example}"


@dataclass(frozen=True)
class Endpoint:
    """A host or an address."""

    def read(self, value: Any) -> str:
        """Return the host or address as it is."""
        if not isinstance(value, str):
            raise UnusableError
        if not value:
            raise UnusableError("leave it out for the public endpoint")
        endpoint_of("cn-hangzhou", value)
        return value

    def __str__(self) -> str:
        return "a host or an https address, such as https://emr-serverless-spark-vpc.{region_id}.aliyuncs.com"


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        kind: the values it takes.
        default: what the source uses without it.
        required: it has no default.
        option: of the command, that overrides it.
    """

    kind: Kind
    default: Any = None
    required: bool = False
    option: str | None = None


def _check_region_id(text: str) -> None:
    if not _REGION_ID.fullmatch(text):
        raise UnusableError("is not a region id, which has lower-case letters, digits and hyphens")


def _check_workspace_id(text: str) -> None:
    if not _WORKSPACE_ID.fullmatch(text):
        raise UnusableError("is not a workspace id, which has letters, digits and hyphens")


def _check_pattern(text: str) -> None:
    try:
        pattern = re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise UnusableError(f"is not a regular expression ({error.msg} at position {error.pos})") from None
    if pattern.search(""):
        raise UnusableError("matches the empty text and would mask everything")
    if backtracks_without_bound(pattern):
        raise UnusableError("takes too long on some texts: avoid repetitions inside or beside repetitions, such as (a+)+ or .*.*")


SETTINGS: Final[Mapping[str, Setting]] = {
    "region_ids": Setting(Texts('["cn-hangzhou"]', _check_region_id, needed=True), required=True, option="--region"),
    "workspace_ids": Setting(Texts('["w-1234abcd"]', _check_workspace_id), (), option="--workspace"),
    "endpoint": Setting(Endpoint(), option="--endpoint"),
    "initial_days": Setting(Number("days", 0.01, 3_650), settings.INITIAL_DAYS, option="--initial-days"),
    "lookback_hours": Setting(Number("hours", 0, 8_760), settings.LOOKBACK_HOURS),
    "settle_days": Setting(Number("days", 0, 90), settings.SETTLE_DAYS),
    "window_rows": Setting(Number("rows", 1, 1_000_000, whole=True), settings.WINDOW_ROWS),
    "package_rows": Setting(Number("rows", 1, 10_000_000, whole=True), settings.PACKAGE_ROWS),
    "max_connections": Setting(
        Number("requests in flight", 1, 256, whole=True), settings.MAX_CONNECTIONS, option="--max-connections"
    ),
    "requests_per_second": Setting(Number("requests per second", 0.01, 10_000)),
    "request_timeout_seconds": Setting(Number("seconds", 0.1, 300), settings.REQUEST_TIMEOUT_SECONDS),
    "redact": Setting(Choice(settings.REDACT_MODES), settings.REDACT),
    "redact_patterns": Setting(Texts('["acme-[0-9a-f]{8}"]', _check_pattern, hidden=True), ()),
    "redact_key": Setting(Secret(settings.SHORTEST_REDACT_KEY)),
}


def read_setting(name: str, value: Any) -> Any:
    """Return a setting's value as the source uses it; None stays None where the setting may be left out.

    Args:
        name: a key of `SETTINGS`.
        value: as given, of any type.

    Raises:
        CheckSettingsError: it cannot be used; the sentence has the setting, the value and what is allowed.
    """
    setting = SETTINGS[name]
    if value is None and not setting.required and setting.default is None:
        return None
    reason = ""
    try:
        return setting.kind.read(value)
    except UnusableError as error:
        reason = f": {error}" if str(error) else ""
    except (ValueError, OverflowError, RecursionError):
        pass
    file = ".dlt/secrets.toml" if isinstance(setting.kind, Secret) else ".dlt/config.toml"
    places = [file, environment_name(name), *([setting.option] if setting.option else ())]
    is_hidden = isinstance(setting.kind, (Texts, Secret)) and setting.kind.hidden
    given = "" if is_hidden else f" = {shown(value)}"
    raise CheckSettingsError(
        f"The setting {name}{given} cannot be used{reason}. It must be {setting.kind}",
        advice=f"Correct it in {', '.join(places[:-1])} or {places[-1]}.",
    ) from None


def environment_name(*path: str) -> str:
    """Return the environment variable of a setting."""
    return "__".join((*SECTION.split("."), *path)).upper()


def shown(value: Any) -> str:
    """Return a value as a message may show it: on one line, short, without secrets."""
    text = Redactor().text(repr(list(value) if isinstance(value, tuple) else value))
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
