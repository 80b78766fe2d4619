"""Text in, text without secrets out. Pure: no clock, no network, no files.

A secret is known by its name (`fs.oss.accessKeySecret`, `--password`) or by its form (`scheme://user:pass@host`, `LTAI...`).
Names begin with Spark's own rule, `spark.redaction.regex`: secret, password, token, access key. Where it is not certain
what is a secret, it is masked: a word too many costs a report nothing. Every pattern is linear in its text: whatever may
repeat is possessive, bounded, or consumed by the match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from json import dumps, loads
from typing import Any, Final, TypeVar

MASK: Final = "**redacted**"
# Names, queues and configuration values repeat from run to run; SQL texts do not, and would fill the memory.
_CACHED_CHARACTERS: Final = 512
_CACHED_VALUES: Final = 16_384

# Masking one secret may bring another to light. Who needs more rounds than this means harm, and is masked whole.
_ROUNDS: Final = 4

# The quick test, of which most values know no more than the first two. Every branch begins with a literal: that makes it quick.
# Without one of these signs no name has a value and no address a password.
_SIGNS: Final = re.compile(r"=|\"|'|`|%|>|\\|:(?!//)|-(?<![\w.\-]-)")
_FORMS: Final = re.compile(
    r"LTAI|STS\.|A[KS]IA|AKID|AIza|BEGIN|Bearer|bearer|BEARER|eyJ|gh[opsru]_|github_|xox|xapp|glpat|sk[-_]|ya29|dapi|hf_|hook"
)
# Broader than every rule below, and free of what RE2 has no word for, so that whole columns can be screened with it: what it does
# not find in a text, or in the key beside it, no rule masks.
SUSPICION: Final = (
    r"(?i:secret|pass|pwd|token|cred|key|access|identif|signature|auth|cookie|sas|jwt|bearer|%40|@|(?:[as]k|pw|sig)(?:[^a-z]|$)"
    r"|密|口令|令牌|凭)|LTAI|STS\.|A[KS]IA|AKID|AIza|BEGIN|eyJ|gh[opsru]_|github_|xox|xapp|glpat|sk[-_]|ya29|dapi|hf_|hook"
)
# For texts in lower case.
_NAMES: Final = re.compile(
    r"secret|pass|pwd|token|cred|key|access|identif|signature|auth|cookie|sas|jwt|%40|@"
    r"|ak(?![a-z])|sk(?![a-z])|pw(?![a-z])|sig(?![a-z])"
)
_CHINESE_NAMES: Final = re.compile("密[码钥]|口令|令牌|凭[证据]")

_SECRET_KEY: Final = re.compile(
    r"""(?xi) secret | pass[\W_]?(?:word|wd|phrase|code) | pwd | token | credential | access[\W_]?(?:key | id(?![a-z]))
    | (?:api|private|account|shared|storage|crypt(?:ion)?|aes|master|signing|auth|app|client|subscription|ssh|session)[\W_]?key
    | (?<!by)(?<!com)pass(?![a-z]) | signature | bearer | cookie | (?:authori[sz]ation|(?<![a-z])auth)\Z
    | (?<![a-z])(?:pw|sas|sig|jwt)(?![a-z]) | (?-i: (?<=[a-z])(?:P[wW]|S(?:as|AS)|Sig|J(?:wt|WT))(?![A-Za-z]) | sas(?=[A-Z]))
    | identified\s+by | 密码 | 密钥 | 口令 | 令牌 | 凭[证据]"""
)
# Alibaba's usual abbreviations of the two halves of an access key; TPC-DS names its surrogate keys so too.
_SHORT_KEY: Final = re.compile(r"(?i:(?<![a-z])[as]k(?![a-z]))|(?<=[a-z])[AS][kK](?![A-Za-z])")
_KEY_MATERIAL: Final = re.compile(r"[\\\"'`]{0,8}[A-Za-z0-9+/=]{16}")
# A name in words: its last one stands before the value.
_SPACED_KEY: Final = re.compile(
    r"(?i)(?:secret|access|private|api|encryption|account)[ \t](?:access[ \t])?key(?:[ \t]id)?\Z|pass[ \t](?:word|phrase|code)\Z"
)
_LAST_WORDS: Final = frozenset({"key", "id", "word", "phrase", "code"})
# A bare word that is a name and not a job or a table called after one: the secret word is its end.
_BARE_KEY: Final = re.compile(r"(?i)[\w.\-]*(?:secret|password|passwd|pwd|passphrase|token|access[._-]?key(?:[._-]?id)?)\Z")

_QUOTE: Final = r"\\{0,8}[\"'`]"
_CLOSING_QUOTE: Final = rf"{_QUOTE}(?=[\s,;:)\]}}>&\\]|\Z)"
# `,` `;` and `&` may be part of a password: they end it only where a next pair or nothing follows. `\u0026` is `&` inside JSON.
_NEXT_PAIR: Final = r"(?=\s|\Z|[\"'(\[{\\]{0,8}[\w.\-%]++[\"'\\]{0,8}\s*+(?:[=:]|\\u003d))"
_STOP: Final = rf"{_CLOSING_QUOTE}|(?:[&;,](?:amp;)?|\\u0026){_NEXT_PAIR}|</[\w.:\-]++>"
_BARE: Final = re.compile(rf"(?i)(?:[^\s\"'`&;,\\<]++|(?!{_STOP})\S)++")
_QUOTED: Final = re.compile(
    r"""(?xs) "(?:[^"\\]++|\\.?+|"")*+(?:"|\Z) | '(?:[^'\\]++|\\.?+|'')*+(?:'|\Z) | `[^`]*+`?
    | \\(?P<inner>["'])(?:[^\\]++|\\{4}|\\{3}(?P=inner)|\\{2}(?!\\)|\\(?!\\|(?P=inner)))*+\\(?P=inner)
    | (?P<quote>\\{1,8}["'`]).*?(?:(?<!\\)(?P=quote)|\Z)"""
)
# What may follow a closing quote; anything else is taken for more of the value, as in `'it's'`.
_AFTER_QUOTE: Final = ",;:.)]}>&|+\\"
_OPENING_QUOTE: Final = re.compile(rf"(?:{_QUOTE})?")
# A list is one value, and so are a scheme of authorization and what it carries.
_PREFIX: Final = re.compile(
    r"[\[({](?=\s*+\\{0,8}[\"']|[^\s&;,\])}]*+,\s)[^\])}]*+[\])}]?|(?i:bearer|basic|digest|token)\s++(?=\w)"
)
_LINE: Final = re.compile(rf"(?:[^\r\n\"'`\\]++|(?<==)\"[^\"\r\n]*+\"|(?!{_CLOSING_QUOTE})[^\r\n])++")

# Literals that hide nothing, and `://token:**redacted**@host`, which is masked already.
_NO_SECRET: Final = re.compile(rf"(?:null|None|[Tt]rue|[Ff]alse)(?=[\s,;&)\]}}]|\Z)|{re.escape(MASK)}@")

# A name with all that may stand between it and its value. `%3D` and `\u003d` are `=` inside an URL and inside JSON.
_NAME: Final = re.compile(
    rf"""(?xi)(?: (?<![\w.\-%]) | (?<=%)(?![0-9]) | (?<=%[0-9][0-9a-f]) )
    (?P<key> identified\s{{1,8}}by | (?P<dash>-)?[\w.\-]++ )
    (?: {_QUOTE} | %(?:25){{0,4}}2[27] )? \]?
    (?: (?: \s*+[,;]\s*+(?:{_QUOTE})?\w{{0,16}}value(?:{_QUOTE})?\s*+[=:] | </\w{{1,16}}>\s*+<\w{{1,16}}> | >(?=[^\s<])
          | \s*+(?P<sign> => | -> | [!<>:=]?=++ | <> | :(?!:|//) | \uff1a | \\u003d | %(?:25){{0,4}}3[da] )
        ) (?: \s*+(?={_QUOTE}) | [^\S\r\n]*+(?!(?<=\s)--[a-z]) )
      | (?<=["'`])\s*+,\s*+(?={_QUOTE})
      | \s++(?={_QUOTE})
      | (?(dash) (?:\s*+,)?\s++(?:\\\s++)?(?!--[a-z]) | (?!) )
    )"""
)

# Cut off before its END, a key is still a key. Escaped and URL-encoded ones are on one line.
_PEM: Final = re.compile(
    r"(?s)-----BEGIN[ +%\w]{0,64}-----.*?(?:-----END[ +%\w]{0,64}-----|\Z)"
    r"|---- BEGIN[ \w]{0,64}KEY ----.*?(?:---- END[ \w]{0,64}----|\Z)"
)
_HOST: Final = r"(?=\[|localhost\b|[\w\-]++\.\w|[\w.\-]++:[0-9])"
# The last `@` before a likely host ends the password; failing that the last in reach, for a password with a raw `/` in it.
_URI: Final = re.compile(
    rf"""(?x)(?P<keep> :(?:\\?/){{2}}[^\s/?\#:"]*+: ) (?!{re.escape(MASK)}@)
    (?: (?:[^\s/?\#"@]*+@)++{_HOST} | (?![0-9]{{1,5}}[/?\#,'\\])(?:[^\s":]|:(?!//)){{0,256}}@ | (?:[^\s/?\#"@]*+@)++ )"""
)
_ENCODED_URI: Final = re.compile(r"(?i)(?P<keep>%3A%2F%2F(?:(?!%3A|%2F)[^\s\"'&])*+%3A)(?:(?!%2F)[^\s\"'&])*%40")
_ORACLE: Final = re.compile(
    rf"(?P<keep>[Jj](?i:dbc:oracle:)\w{{1,8}}:[^\s/@:\"']{{1,128}}/)(?!{re.escape(MASK)}@)(?:\"[^\"]*+\"|[^\s\"]{{0,256}})@"
)


def _edge(width: int) -> str:
    """Return what must precede a literal of so many characters. It stands behind it: beginning with a literal is quick."""
    return rf"(?:(?<![A-Za-z].{{{width}}})|(?<=%[0-9][A-Fa-f].{{{width}}})|(?<=\\[nrt].{{{width}}}))"


_UPPER_EDGE: Final = r"(?:(?<![A-Z].{4})|(?<=%[0-9][A-F].{4}))"
_KEY_ID: Final = re.compile(
    rf"(?:LTAI|STS\.){_UPPER_EDGE}[A-Za-z0-9]{{6,}}|A[KS]IA{_UPPER_EDGE}[A-Z0-9]{{12,}}|AKID{_UPPER_EDGE}[A-Za-z0-9]{{13,}}"
)
# What the vendors issue beside such an id: 30 characters by Alibaba, 44 by its STS, 40 by AWS.
_KEY_SECRET: Final = re.compile(
    r"(?=[a-z0-9+/]{0,43}[A-Z])(?=[A-Z0-9+/]{0,43}[a-z])"
    r"(?:(?<![A-Za-z0-9])[A-Za-z0-9]{30}(?:[A-Za-z0-9]{14})?(?![A-Za-z0-9])|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/]))"
)
_TOKEN: Final = re.compile(
    rf"eyJ{_edge(3)}[\w+/=.\-]{{10,}}|gh[opsru]_{_edge(4)}\w{{16,}}|github_pat_\w{{16,}}|xox[a-z]-[\w\-]{{10,}}|xapp-[\w\-]{{10,}}"
    rf"|glpat-[\w\-]{{16,}}|sk-{_edge(3)}(?:proj-|ant-)?\w{{20,}}|sk_live_\w{{16,}}|AIza[\w\-]{{30,}}|ya29\.[\w\-]{{16,}}"
    rf"|dapi{_edge(4)}[0-9a-f]{{30,}}|hf_{_edge(3)}\w{{30,}}"
)
_BEARER: Final = re.compile(r"(?P<keep>[Bb](?i:earer)(?:\s++|%20|\+))[\w.~+/=\-]{16,}")
# The addresses by which a job tells a chat of its end: who knows one may write there.
_HOOK: Final = re.compile(r"(?P<keep>hooks\.slack\.com/services/|/bot/v2/hook/|/webhook/send\?key=)[\w/\-]+")

_SHELL_WORD: Final = re.compile(r"(?s)(?:[^\s\"'\\]++|\\.?+|\"(?:[^\"\\]++|\\.?+)*+(?:\"|\Z)|'[^']*+(?:'|\Z))++")
_WORD: Final = re.compile(r"[\w.\-]+")
_PAIR: Final = re.compile(r"(?s)(?P<head>(?P<open>[\"']?)(?:--conf=)?(?P<key>[\w.\-]++)=)(?P<value>.*?)(?P<quote>(?P=open)?)")
_NEXT_OPTION: Final = re.compile(r"--[A-Za-z]")


_T = TypeVar("_T", str, list[str])


class Redactor:
    """Masks secrets, each as `**redacted**`. Masked text stays as it is when masked again.

    Args:
        enabled: when false everything passes unchanged.
        extra_patterns: regular expressions of the user, blind to case. Where one is found in a key the whole value is
            masked, where it is found in a text what it matches. They switch the quick test for harmless values off.

    Raises:
        ValueError: one of the patterns is no regular expression, or matches the empty text.
    """

    def __init__(self, *, enabled: bool = True, extra_patterns: Sequence[str] = ()) -> None:
        self._enabled = enabled
        self._extra = tuple(_compile(pattern) for pattern in extra_patterns)
        self._short_text = lru_cache(_CACHED_VALUES)(self._mask_text)
        self._short_options = lru_cache(_CACHED_VALUES)(self._mask_spark_submit)
        self._short_key = lru_cache(_CACHED_VALUES)(self._rank)
        self._short_word = lru_cache(_CACHED_VALUES)(self._read_word)

    @property
    def suspicion(self) -> str | None:
        """A pattern, also for RE2, without which nothing is masked; None where nothing ever is."""
        if not self._enabled:
            return None
        return "" if self._extra else SUSPICION

    def text(self, value: str) -> str:
        """Return any free text (a name, message, address, path, SQL) without what has the form of a secret."""
        if not self._enabled:
            return value
        return self._short_text(value) if len(value) <= _CACHED_CHARACTERS else self._mask_text(value)

    def texts(self, values: Iterable[str | None]) -> list[str | None]:
        """Return `text` of each value; None stays None."""
        return [value and self.text(value) for value in values]

    def setting(self, key: str, value: str) -> str:
        """Return the value of a configuration item or tag: masked whole when the key looks secret, else as free text."""
        if not self._enabled:
            return value
        return MASK if value and self._key_rank(key) else self.text(value)

    def spark_submit_parameters(self, value: str) -> str:
        """Return the options of spark-submit; whatever is not masked keeps its quotes and spaces."""
        if not self._enabled:
            return value
        return self._short_options(value) if len(value) <= _CACHED_CHARACTERS else self._mask_spark_submit(value)

    def arguments(self, values: Sequence[str]) -> list[str]:
        """Return the entry point's arguments, each by its form and by the option before it."""
        return self._mask_arguments(values) if self._enabled else list(values)

    def json(self, value: Any) -> Any:
        """Return a JSON value with every text in it masked by its field's name, by the key beside it, or by its form."""
        if not self._enabled:
            return value
        try:
            return self._mask_json(value)
        except RecursionError:
            return MASK  # nested too deep to be looked at, so not shown

    def _is_harmless(self, value: str) -> bool:
        """Tell most harmless values from the rest at a fraction of the price. A key pattern of the user may be anchored."""
        if self._extra:
            return False
        if _FORMS.search(value):
            return False
        if value.isascii():
            return not (_SIGNS.search(value) and _NAMES.search(value.lower()))
        return not (_NAMES.search(value.lower()) or _CHINESE_NAMES.search(value))

    def _key_rank(self, key: str) -> int:
        """Return 2 for the name of a secret, 1 for an abbreviation that may be one, 0 for any other."""
        return self._short_key(key) if len(key) <= _CACHED_CHARACTERS else self._rank(key)

    def _rank(self, key: str) -> int:
        if _SECRET_KEY.search(key) or any(pattern.search(key.lstrip("-")) for pattern in self._extra):
            return 2
        return 1 if _SHORT_KEY.search(key) else 0

    def _mask_text(self, value: str) -> str:
        return value if self._is_harmless(value) else _settle(self._mask_once, value, MASK)

    def _mask_once(self, value: str) -> str:
        if value.lstrip()[:1] in ("{", "["):
            value = self._mask_document(value)
        value = _PEM.sub(MASK, value)
        for address in (_URI, _ENCODED_URI, _ORACLE):
            value = address.sub(_mask_rest, value)
        near_key_id = _KEY_ID.search(value) is not None
        value = self._mask_named(value)
        if near_key_id:
            value = _KEY_SECRET.sub(MASK, _KEY_ID.sub(MASK, value))
        value = _TOKEN.sub(MASK, value)
        value = _HOOK.sub(_mask_rest, _BEARER.sub(_mask_rest, value))
        for pattern in self._extra:
            value = pattern.sub(_mask_match, value)
        return value

    def _mask_named(self, text: str) -> str:
        """Mask what stands behind a secret name."""
        pieces: list[str] = []
        done = position = 0
        while name := _NAME.search(text, position):
            # What follows a harmless name may be a name itself.
            position = name.end("key")
            if not self._is_secret_in_text(name):
                continue
            start, end = name.end(), _value_end(text, name)
            if end > start and not _NO_SECRET.match(text, start):
                pieces += text[done:start], _hide(text[start:end])
                done = position = end
        return "".join((*pieces, text[done:]))

    def _is_secret_in_text(self, name: re.Match[str]) -> bool:
        rank = self._key_rank(name["key"])
        if rank == 1:  # `date_sk = d.date_sk` in a query is no secret
            return _KEY_MATERIAL.match(name.string, name.end()) is not None
        if rank == 0 and name["key"].lower() in _LAST_WORDS:
            start, end = name.span("key")
            return _SPACED_KEY.search(name.string, max(0, start - 32), end) is not None
        return rank > 0

    def _mask_spark_submit(self, value: str) -> str:
        return value if self._is_harmless(value) else _settle(self._mask_options, value, MASK)

    def _mask_options(self, value: str) -> str:
        words = list(_SHELL_WORD.finditer(value))
        masked = self._mask_words([word[0] for word in words], bare_keys=False)
        pieces: list[str] = []
        done = 0
        for word, text in zip(words, masked, strict=True):
            pieces += value[done : word.start()], text
            done = word.end()
        # Once more as a whole, for what goes across words: `password = x`, `Authorization: Bearer x`.
        return self._mask_text("".join((*pieces, value[done:])))

    def _mask_arguments(self, values: Sequence[str]) -> list[str]:
        return _settle(lambda words: self._mask_words(words, bare_keys=True), list(values), [MASK] * len(values))

    def _mask_words(self, words: Sequence[str], *, bare_keys: bool) -> list[str]:
        masked: list[str] = []
        awaited = False
        for word in words:
            text, is_option, is_bare_key = self._short_word(word) if len(word) <= _CACHED_CHARACTERS else self._read_word(word)
            masked.append(_mask_awaited(word) or text if awaited else text)
            awaited = is_option or (bare_keys and is_bare_key)
        if masked != words and any(_KEY_ID.search(word) for word in words):
            return [_KEY_SECRET.sub(MASK, word) for word in masked]
        return masked

    def _read_word(self, word: str) -> tuple[str, bool, bool]:
        """Return an argument or shell word masked; whether it is an option, or a bare name, whose value is the next word."""
        pair = _PAIR.fullmatch(word)
        if pair and self._key_rank(pair["key"]):
            return f"{pair['head']}{_hide(pair['value'])}{pair['quote']}", False, False
        quote = _quote_around(word)
        text = f"{quote}{self.text(word[len(quote) : -len(quote)])}{quote}" if quote else self.text(word)
        is_secret = _WORD.fullmatch(word) is not None and self._key_rank(word) > 0
        is_option = word.startswith("-")
        return text, is_secret and is_option, is_secret and not is_option and _BARE_KEY.match(word) is not None

    def _mask_document(self, text: str) -> str:
        """Mask a text that is a JSON document as one; what it is not stays as it was."""
        try:
            document = loads(text)
            masked = self._mask_json(document)
            if masked == document:
                return text
            return dumps(masked, ensure_ascii=False, separators=None if '": ' in text else (",", ":"))
        except ValueError:
            return text
        except RecursionError:
            return MASK

    def _mask_json(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            if all(isinstance(item, str) for item in value):
                return self._mask_arguments(value)
            return [self._mask_json(item) for item in value]
        return self._mask_fields(value) if isinstance(value, dict) else value

    def _mask_fields(self, fields: dict[str, Any]) -> dict[str, Any]:
        # `{"key": .., "value": ..}`, `{"configItemKey": .., "configItemValue": ..}`, `{"name": .., "value": ..}`.
        named = {field[:-5].lower(): field for field in fields if field[-5:].lower() == "value"}
        keys = {}
        for field, key in fields.items() if named else ():
            for ending in ("key", "name"):
                stem = field.lower().removesuffix(ending)
                if isinstance(key, str) and stem in named and stem != field.lower():
                    keys[named[stem]] = key
        masked = {}
        for field, value in fields.items():
            if self._key_rank(field) or self._key_rank(keys.get(field, "")):
                masked[self.text(field)] = value if value is None or value == "" or isinstance(value, bool) else MASK
            elif field == "sparkSubmitParameters" and isinstance(value, str):
                masked[self.text(field)] = self.spark_submit_parameters(value)
            else:
                masked[self.text(field)] = self._mask_json(value)
        return masked


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"The extra redaction pattern {pattern!r} is not a regular expression: {error}.") from error
    if compiled.search(""):
        raise ValueError(f"The extra redaction pattern {pattern!r} matches the empty text and would mask everything.")
    return compiled


def _mask_rest(match: re.Match[str]) -> str:
    """Mask what follows the part to keep, up to the `@` that ends a password."""
    keep: str = match["keep"]
    return f"{keep}{MASK}{'@' if match[0].endswith('@') else '%40' if match[0].endswith('%40') else ''}"


def _mask_match(match: re.Match[str]) -> str:
    """Mask what a pattern of the user matches, unless it lies inside a mask."""
    start, end = match.span()
    is_masked = match.string.find(MASK, max(0, end - len(MASK)), start + len(MASK)) >= 0
    return match[0] if start == end or is_masked else MASK


def _quote_around(word: str) -> str:
    return word[0] if len(word) > 1 and word[0] in "\"'" and word[0] == word[-1] else ""


def _mask_awaited(word: str) -> str:
    """Mask the word behind a secret option, but for quotes around it. Return nothing for an option, which is no value."""
    quote = _quote_around(word)
    inner = word[len(quote) : len(word) - len(quote)]
    return f"{quote}{MASK}{quote}" if inner and not _NEXT_OPTION.match(inner) else ""


def _settle(mask: Callable[[_T], _T], value: _T, otherwise: _T) -> _T:
    """Mask until nothing changes any more, so that masking again changes nothing either."""
    for _ in range(_ROUNDS):
        masked = mask(value)
        if masked == value:
            return value
        value = masked
    return otherwise


def _value_end(text: str, name: re.Match[str]) -> int:
    """Return where the value ends that begins where `name` ends."""
    start = name.end()
    if quoted := _QUOTED.match(text, start):
        rest = None if text[quoted.end() : quoted.end() + 1] in _AFTER_QUOTE else _BARE.match(text, quoted.end())
        if rest is None:
            return quoted.end()
        return rest.end() + text.startswith(text[start], rest.end())
    sign = name["sign"] or ""
    if sign.startswith("%"):
        # Inside an encoded URL the pair ends at a `&` encoded as often as its `=` is.
        encoded = re.compile(rf"(?:[^\s\"'`&%]++|%(?!{sign[1:-2]}26))++").match(text, start)
        return encoded.end() if encoded else start
    if sign in (":", "\uff1a") and name["key"].lower().endswith(("authorization", "cookie")):
        line = _LINE.match(text, start)
        return line.end() if line else start
    if prefix := _PREFIX.match(text, start):
        start = prefix.end()
    bare = _BARE.match(text, start)
    return bare.end() if bare else start


def _hide(literal: str) -> str:
    """Mask a value but for the quotes around it; an empty one hides nothing."""
    opening = _OPENING_QUOTE.match(literal)
    quote = opening[0] if opening else ""
    if len(literal) < 2 * len(quote) or not literal.endswith(quote):
        return MASK
    return f"{quote}{MASK}{quote}" if len(literal) > 2 * len(quote) else literal
