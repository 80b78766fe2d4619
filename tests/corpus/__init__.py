"""Hidden secrets in places as they are in life, and harmless values that look alike: what masking is measured with.

Nothing here is or was real: each secret is drawn from its description by a seeded generator. `{A20}` are 20 letters and digits,
`{B20}` of base64, `{H20}` hexadecimal, `{D20}` digits, `{U20}` capitals and digits, `{X20}` of the bech32 alphabet; `{P}` is a
password as people choose them, `{p}` one of small letters and digits, `{w}` a word.
"""

from __future__ import annotations

import json
import random
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from emr_serverless.redaction.redactor import Redactor

from . import development, held_out

HALVES = {"development": development, "held out": held_out}
_ALPHABETS = {
    "A": string.ascii_letters + string.digits,
    "B": string.ascii_letters + string.digits + "+/",
    "H": "0123456789abcdef",
    "D": string.digits,
    "U": string.ascii_uppercase + string.digits,
    "X": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
}
_WORDS = ("kestrel", "harbour", "lantern", "meadow", "granite", "orchid", "falcon", "saffron", "winter", "copper")
_SECRET = re.compile("§(.*?)§", re.DOTALL)
_PART = re.compile(r"\{([ABHDUX])(\d+)\}|\{([Ppw])\}")
# A shorter piece of a secret that is left says next to nothing of it.
_PIECE = 8


@dataclass(frozen=True)
class Case:
    """One thing that is masked: where it stands, what is there, and the secrets in it."""

    place: str
    content: Any
    secrets: tuple[str, ...]

    def masked(self, redactor: Redactor) -> Any:
        """Return the content as its column would hold it."""
        if self.place == "item":
            return (redactor.text(self.content[0]), redactor.setting(*self.content))
        mask = {
            "text": redactor.text,
            "submit": redactor.spark_submit_parameters,
            "args": redactor.arguments,
            "json": redactor.json,
        }
        return mask[self.place](self.content)

    def found(self, redactor: Redactor) -> list[str]:
        """Return the secrets of which a piece is left."""
        left = json.dumps(self.masked(redactor), ensure_ascii=False)
        return [
            secret
            for secret in self.secrets
            if any(json.dumps(piece, ensure_ascii=False)[1:-1] in left for piece in _pieces(secret))
        ]


def hidden(half: str) -> list[Case]:
    """Return one half's cases with secrets."""
    return list(_cases(half, HALVES[half].SECRETS))


def harmless(half: str) -> list[Case]:
    """Return one half's cases without any."""
    return list(_cases(half, HALVES[half].HARMLESS))


def _cases(half: str, written: list[tuple[str, Any]]) -> Iterator[Case]:
    chance = random.Random(half)
    for place, content in written:
        secrets: list[str] = []
        yield Case(place, _fill(content, chance, secrets), tuple(secrets))


def _fill(content: Any, chance: random.Random, secrets: list[str]) -> Any:
    if isinstance(content, dict):
        return {key: _fill(value, chance, secrets) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return type(content)(_fill(value, chance, secrets) for value in content)
    if not isinstance(content, str):
        return content

    def draw(found: re.Match[str]) -> str:
        if found[3]:
            return _chosen(found[3], chance)
        return "".join(chance.choice(_ALPHABETS[found[1]]) for _ in range(int(found[2])))

    def secret(found: re.Match[str]) -> str:
        secrets.append(_PART.sub(draw, found[1]))
        return secrets[-1]

    return _PART.sub(draw, _SECRET.sub(secret, content)) if "§" in content else content


def _chosen(kind: str, chance: random.Random) -> str:
    first, second = chance.sample(_WORDS, 2)
    if kind == "w":
        return first + second
    if kind == "p":
        return f"{first}{chance.randrange(10, 9999)}"
    return f"{first.title()}{chance.choice('!#$%*+-_.~^')}{chance.randrange(10, 9999)}{second}"


def _pieces(secret: str) -> Iterator[str]:
    size = min(_PIECE, len(secret))
    # The prefix that a vendor gives its tokens is no secret.
    yield from (secret[start : start + size] for start in range(len(secret) - size + 1))
