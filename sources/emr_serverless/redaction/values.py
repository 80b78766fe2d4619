"""Which values are no secret under any name (numbers, class names, references), and which look like one by themselves."""

from __future__ import annotations

import re
from typing import Final

from .names import Rank
from .tokens import MASK

# A password of digits is a password; fewer of them count something.
_FEWEST_DIGITS: Final = {Rank.SECRET: 4, Rank.TOKEN: 7}
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,9})?\Z")
_MEASURE: Final = re.compile(
    r"(?i)[0-9]{1,9}(?:\.[0-9]{1,9})?\s?(?:ms|s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?|[kmgt]i?b?|%)\Z"
)
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9:.]{2,15}(?:Z|[+-][0-9:]{2,6})?)?\Z|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?\Z"
)
_NOTHING: Final = frozenset(
    """
    true false yes no on off y n null none nil undefined nan enabled disabled required optional default redacted masked
    hidden todo tbd n/a empty any
    """.split()  # noqa: SIM905  # a list of them would fill pages
)
# What a message says of a secret.
_SAID: Final = frozenset(
    """
    incorrect invalid wrong expired missing mandatory must not is was has are cannot could can failed failure error denied
    rejected refused unauthorized forbidden connection timeout unknown unable ok okay success successful too does did
    should may will required mismatch revoked needed given found the a an this no for from to with and or in of by
    """.split()  # noqa: SIM905  # a list of them would fill pages
)
_TYPES: Final = (
    r"(?:[Oo]ptional|Option|List|list|Seq|Array)?[\[<]?(?:&?'?(?:static )?)?(?:[Ss]tr(?:ing)?|STRING|[Tt]ext|TEXT|bytes|Bytes"
    r"|[Cc]har|CHAR|[Nn]?[Vv]archar2?|N?VARCHAR2?"
    r"|[Ii]nt(?:eger)?|INT|[Bb]ool(?:ean)?|BOOLEAN|BINARY|Any|SecretStr|object|Object)(?:\([0-9, ]{1,9}\))?[\]>]?\??"
)
_TYPE: Final = re.compile(_TYPES + r"[,;)]*\Z")
_CLASS: Final = re.compile(r"(?:[a-z_][\w]{0,63}\.){2,12}[A-Z][\w$]{0,160}\Z")
_REFERENCE: Final = re.compile(
    r"""(?x) \$[A-Z_][A-Z0-9_]*\Z | \$\{[\w.:/\-]*\}\Z | \$\([^()]*\)\Z | \{\{[^{}]*\}\}\Z | \#\{[^{}]*\}\Z
    | %\([\w.]*\)s\Z | %[sd]\Z | <[\w \-./]*>\Z
    | [?*]+\Z | [*xX•.#_\-]{3,}\Z | \[?\(?(?:redacted|masked|hidden|\*+)\)?\]?\Z | :[a-z_]+\Z | %[A-Z_]+%\Z
    | (?:arn|acs):[\w./:\-*]*\Z
    | (?:vault|kms|ssm|secretsmanager|jceks|keyvault|env|file|oss|hdfs|s3a?|classpath|secret)://[\w./\-{}$*]*\Z
    | \{?secrets/[\w./\-]*\}?\Z"""
)
# Code that fetches a secret shows none.
_CODE: Final = re.compile(
    r"(?:(?:os\.(?:environ|getenv)|environ|getenv|System\.get(?:env|Property)|sys\.(?:env|argv)|process\.env|getpass)(?!\w)"
    r"|dbutils\.secrets|ENV\[|args?\.|self\.|this\."
    r"|conf(?:ig)?\.|cfg\.|settings\.|props?\.|options?\.|opts\.|params?\.|spark\.conf\.get|conf\[|config\[|input\()"
)
_WORD: Final = re.compile(r"(?:[A-Z]?[a-z]+|[A-Z]+|[^\W\d_a-zA-Z]+)(?:[-_./][A-Za-z]+)*[.,;:!?]*\Z")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+[,;:]*\Z")
_PAIR: Final = re.compile(r"[A-Za-z_.]+=(?:[A-Za-z]+|[0-9]+)[,;]?\Z")
# Passwords and keys are not shorter than this.
_SHORTEST_CHOSEN, _SHORTEST_RANDOM, _SHORTEST_MIXED, _SHORTEST_JUMBLED = 3, 8, 12, 20
# How often letters and digits change places in what is drawn.
_EDGES: Final = 3
_SEGMENT: Final = re.compile(r"[^\-_./:,;&=?]+")
_SYMBOLS: Final = re.compile(r"[!#$%^*~+]")
_EDGE: Final = re.compile(r"(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")
_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_GROUPS: Final = re.compile(r"[A-Z0-9]{4,8}(?:-[A-Z0-9]{4,8}){2,}\Z")
_LONGEST: Final = 4_096


def is_secret(rank: Rank, value: str) -> bool:
    """Tell whether a value of a name of this rank is a secret."""
    bare = value.strip()
    if rank == Rank.NONE or not bare or bare == MASK:
        return False
    if rank in (Rank.RANDOM, Rank.NAMED):
        return rank == Rank.NAMED or is_random(bare)
    if is_harmless(rank, bare):
        return False
    return rank != Rank.CHOSEN or is_chosen(bare)


def is_harmless(rank: Rank, value: str) -> bool:
    """Tell whether no secret has this form."""
    if len(value) > _LONGEST:
        return False
    if value.lower() in _NOTHING or _MEASURE.match(value) or _TIME.match(value):
        return True
    if _NUMBER.match(value):
        return sum(map(str.isdigit, value)) < _FEWEST_DIGITS.get(rank, 19)
    return any(form.match(value) for form in (_TYPE, _CLASS, _REFERENCE, _CODE))


def is_random(value: str) -> bool:
    """Tell whether a text looks drawn at random, as keys are."""
    text = value[:_LONGEST]
    if _GROUPS.match(text) and any(map(str.isdigit, text)) and any(map(str.isalpha, text)):
        return True
    return any(_is_random_segment(segment) for segment in _SEGMENT.findall(text))


def is_chosen(value: str) -> bool:
    """Tell whether a text is one that people choose for a password, and no word, number, name or code."""
    text = value.strip("[](){}<>,;\"'")
    if not text or text.lower().rstrip(".,;:!?") in _SAID or _WORD.match(text) or _IDENTIFIER.match(text) or _PAIR.match(text):
        return False
    return (
        not (_NUMBER.match(text) or is_harmless(Rank.CHOSEN, text))
        and any(map(str.isalnum, text))
        and len(text) >= _SHORTEST_CHOSEN
    )


def is_said(value: str) -> bool:
    """Tell whether a word is one that a message says of a secret: `Password: incorrect`."""
    return value.lower().rstrip(".,;:!?") in _SAID


def _is_random_segment(segment: str) -> bool:
    digits = any(map(str.isdigit, segment))
    if _SYMBOLS.search(segment) and len(segment) >= _SHORTEST_RANDOM and (digits or not segment.isascii()):
        return any(map(str.isalpha, segment))
    # Words begin with a capital every few letters, what is drawn changes more often.
    is_jumbled = len(_CAPITAL.findall(segment)) * 4 > len(segment)
    if len(segment) < _SHORTEST_RANDOM or not digits or not any(map(str.isalpha, segment)):
        return is_jumbled and len(segment) >= _SHORTEST_JUMBLED
    edges = len(_EDGE.findall(segment))
    mixed = segment != segment.lower() and segment != segment.upper()
    return edges >= _EDGES or (mixed and len(segment) >= _SHORTEST_MIXED and (edges > 1 or is_jumbled))


def names_itself(name: str, value: str) -> bool:
    """Tell whether a value is but another column or variable of that name: `t.token = s.token`, `password=:password`."""
    last = re.split(r"[\W_]", value.rstrip(",;)").lower())[-1]
    whole = value.rstrip(",;)").lower().lstrip(":@$?{%(").rstrip("}s)")
    column = name.rpartition(".")[2].lower()
    return whole == column or (
        bool(_IDENTIFIER.match(value)) and bool(last) and column.endswith(last) and value.lower().endswith(f".{column}")
    )
