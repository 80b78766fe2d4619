"""How sure a name is that its value is a secret: `fs.oss.accessKeySecret` is, `token.provider` is not, `key` may be.

It begins with Spark's own rule, `spark.redaction.regex` (secret, password, token, access key), and adds what else people call
their secrets, in the languages of the product's users. The end of a name decides: `secret.name` holds a name.
"""

from __future__ import annotations

import re
from collections import deque
from enum import IntEnum
from functools import lru_cache
from typing import Final

from .tokens import fold


class Rank(IntEnum):
    """What of a name's values is a secret."""

    NONE = 0
    RANDOM = 1  # what looks drawn at random: `key`, `auth`, `license`
    CHOSEN = 2  # what is neither a word nor a number: `pass`, which is also a class of passengers
    TOKEN = 3  # all but short numbers: `maxTokens` counts
    SECRET = 4  # all but values that are harmless by their form
    NAMED = 5  # all: the user says so


# Names that stand for themselves in the scripts of the product's users; `_` is where a word begins or ends.
FOREIGN: Final = (
    "密[码碼钥鑰]|秘[密钥鑰]|私[钥鑰]|口令|令牌|凭[证据]|憑[證據]|金鑰|パスワード|トークン|シークレット|秘密鍵|暗号鍵"
    "|비밀번호|암호|토큰|비밀키|парол|токен|секрет|senha|passwort|kennwort|contrase[nñ]i?a|mot_?de_?passe|_mdp_|wachtwoord"
)
_FOREIGN_HARMLESS: Final = re.compile(
    r"(?:错误|錯誤|重置|过期|策略|长度|类型|文件|任务|服务|管理|版本|名称|名|轮换|个数|次数|有效期|失效)_*\Z"
)
# Keys with these names are always secrets; any other key only if it looks random.
_OF_KEY: Final = (
    "api|private|account|shared|storage|crypt(?:o|ion)?|encrypt(?:ion)?|decrypt(?:ion)?|cipher|aes|des|rsa|enc|hmac|kms|master"
    "|signing|auth|app|client|subscription|ssh|session|licen[sc]e|secret|deploy|activation"
)
_SECRET: Final = re.compile(
    rf"""(?x) passw(?:or)?[dt] | passwort | pass_?(?:phrase|code|wd) | pass_word | pwd | _pw_
    | secret(?!ar|s?_?manager) | credential | _creds?_
    | access_?key | access_?id_ | (?:{_OF_KEY})_?keys?_ | signature | cookie | _(?:sas|sig|jwt)_
    | authori[sz]ation_\Z | identified_by | (?<!by)(?<!com)(?<!sur)(?<!tres)pass_ | pass(?:in|out)_\Z | {FOREIGN}"""
)
_TOKEN: Final = re.compile(r"token(?!i[sz])|bearer")
# Tokens of texts and of pages.
_COUNTED_TOKEN: Final = re.compile(
    r"_(?:page|next|continuation|continue|cont|start|sync|resume|max"
    r"|min|total|num|n|prompt|completion|input|output|cached|reasoning|used|stop"
    r"|pad|eos|bos|sep|cls|mask|unk|special|new|per)_?tokens?_"
)
_RANDOM: Final = re.compile(
    r"_(?:keys?|[as]k|auth|enc|hmac|rsa|des|aes|kms|crypto|cipher|licen[sc]e|salt|seed|otp|sign|private|pin)_\Z|[a-z]key_\Z"
)
# What a name ends in that holds something about a secret and not the secret.
_HARMLESS_ENDS: Final = frozenset(
    """
    provider providers enabled disabled enable disable version versions count counts counter file files filename path
    paths dir directory folder location name names owner owners ttl class classes type types url urls uri uris endpoint
    endpoints host hosts port server service services domain realm issuer audience scope scopes length len size sizes bits
    limit max min retries retry attempts timeout interval period duration expiry expires expiration expire expired age
    seconds secs sec ms millis minutes hours days date time at policy policies rule rules strength mode modes format
    formats algorithm algo alg method mechanism mechanisms protocol strategy regex regexp pattern patterns prefix suffix
    field fields column columns col table tables header headers alias aliases index position status state required
    optional allowed allow support supported valid validation validator check checks checker rotation rotated renewal
    renewer manager factory handler generator builder resolver store keystore truststore usage used cache arn ref refs
    reference ids description comment hint label group groups user username users role roles principal source detail
    details stats metrics parallelism present exists change changed reset failures errors error message msg stdin prompt
    encoding charset language lang region zone
    """.split()  # noqa: SIM905  # a list of them would fill pages
)
# A name that begins so asks whether, or fetches.
_ASKING: Final = frozenset(
    {"is", "has", "use", "uses", "require", "requires", "need", "needs", "enable", "disable", "allow", "skip", "no"}
)
_FETCHING: Final = frozenset({"get", "fetch", "load", "read", "find", "resolve", "check", "validate", "verify", "lookup"})

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_APART: Final = re.compile(r"[\W_]+")
_DIGITS: Final = re.compile(r"[0-9]+\Z")
# Longer names are none that a person gave; the end of one decides.
_LONGEST: Final = 512


@lru_cache(16_384)
def rank_of(name: str) -> Rank:
    """Return how sure a name is that its value is a secret."""
    if not name.isascii():
        name = fold(name)
    words = [_DIGITS.sub("", word) or word for word in _APART.split(_CAMEL.sub("_", name[-_LONGEST:])) if word]
    if not words:
        return Rank.NONE
    joined = f"_{'_'.join(words).lower()}_"
    words = joined.strip("_").split("_")
    secret, token = _last(_SECRET, joined), _last(_TOKEN, joined)
    if token and not _COUNTED_TOKEN.search(joined) and (secret is None or token.end() > secret.end()):
        return _by_its_end(words, joined, token, Rank.SECRET if token[0] == "bearer" else Rank.TOKEN)
    if secret:
        # Keys are not numbers, but passwords can be.
        return _by_its_end(words, joined, secret, Rank.TOKEN if "key" in secret[0] else Rank.SECRET)
    return Rank.RANDOM if _RANDOM.search(joined) else Rank.NONE


def _last(pattern: re.Pattern[str], joined: str) -> re.Match[str] | None:
    return next(iter(deque(pattern.finditer(joined), maxlen=1)), None)


def _by_its_end(words: list[str], joined: str, found: re.Match[str], rank: Rank) -> Rank:
    after = joined[found.end() :].strip("_").split("_") if joined[found.end() :].strip("_") else []
    if words[-1] in _HARMLESS_ENDS or (after and after[0] in _HARMLESS_ENDS) or _FOREIGN_HARMLESS.search(joined):
        return Rank.NONE
    if words[0] in _ASKING:
        return Rank.NONE
    if words[-1] == "id" and "access" not in joined:
        return Rank.RANDOM
    return Rank.CHOSEN if joined == "_pass_" else rank


def is_fetching(name: str) -> bool:
    """Tell whether a call of this name returns a secret and is not given one: `getPassword("db")`."""
    words = _CAMEL.sub("_", name.rpartition(".")[2]).lower().split("_")
    return words[0] in _FETCHING
