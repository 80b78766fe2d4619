"""How a text says that a value belongs to a name, and what no secret is without. Data for redactor.py.

Every pattern is linear in its text: every repetition is possessive, bounded, or consumed by the match.
"""

from __future__ import annotations

import re
from typing import Final

from . import addresses, shell, token_formats
from .names import FOREIGN
from .tokens import QUOTE, UNFOLDED

# Broader than every rule, and free of what RE2 has no word for, so that whole columns can be screened with it: what it does
# not find in a text, or in the key beside it, no rule masks.
SUSPICION: Final = (
    r"(?i:secret|pass|pwd|token|cred|key|access|identif|signature|auth|cookie|sas|jwt|bearer|crypt|hmac|cipher|licen[sc]e|private|senha|wort|contrase|wacht"
    r"|(?:[as]k|pw|sig|sign|enc|rsa|des|aes|kms|salt|seed|otp|pin|mdp)[0-9]*(?:[^a-z]|$)"
    rf"|{addresses.SIGNS}|{FOREIGN}|{shell.SIGNS})|{token_formats.SIGNS}|{token_formats.HOOK_SIGNS}"
    rf"|{UNFOLDED.pattern}"
)
# A name in words: its last one stands before the value.
SPACED_KEY: Final = re.compile(
    r"(?i)(?:secret|access|private|api|encryption|account|licen[sc]e)[ \t](?:access[ \t])?key(?:[ \t]id)?\Z"
    r"|pass[ \t](?:word|phrase|code)\Z"
)
LAST_WORDS: Final = frozenset({"key", "id", "word", "phrase", "code"})
# A bare word that is a name and not a job or a table called after one: the secret word is its end.
BARE_KEY: Final = re.compile(
    r"(?i)[\w.\-]*(?:secret|password|passwd|pwd|passphrase|token|authorization|(?:access|secret|api)[._-]?key(?:[._-]?id)?)\Z"
)
# A header's name and scheme, where its credentials are a word of their own.
SCHEMES: Final = ("basic", "bearer", "digest", "token")
SCHEME: Final = re.compile(rf"(?i)authorization[\"':=]{{0,3}} ?(?:{'|'.join(SCHEMES)})\Z")

_TYPED: Final = (
    r"\s{0,4}:\s{0,4}&?(?:'static\s)?(?:[Ss]tr(?:ing)?|[Tt]ext|bytes|Bytes|char\s?\*?|SecretStr|Any"
    r"|(?:[Oo]ptional|Option)\[\w{1,16}\])\??\s{0,4}:?=\s{0,4}"
)
# A name with all that may stand between it and its value. `%3D` and `\u003d` are `=` inside an URL and inside JSON.
NAME: Final = re.compile(
    rf"""(?xi)(?: (?<![\w.\-%]) | (?<=%)(?![0-9]) | (?<=%[0-9][0-9a-f]) )
    (?P<key> identified\s{{1,8}}by | (?P<dash>-)?[\w.\-]++ )
    (?: {QUOTE} | %(?:25){{0,4}}2[27] )? \]?
    (?: (?: \s*+[,;]\s*+(?:{QUOTE})?\w{{0,16}}value(?:{QUOTE})?\s*+[=:] | </\w{{1,16}}>\s*+<\w{{1,16}}> | >(?=[^\s<])
          | (?P<typed> {_TYPED} )
          | \s*+(?P<sign> => | -> | [!<>:=]?=++ | <> | :(?!:|//) | \uff1a | \uff1d | \\u003d | %(?:25){{0,4}}3[da] )
        ) (?: \s*+(?={QUOTE}) | [^\S\r\n]*+(?!(?<=\s)--[a-z]) )
      | (?<=["'`])\s*+,\s*+(?={QUOTE})
      | (?P<call> \(\s*+(?={QUOTE}) )
      | \s++(?={QUOTE})
      | (?(dash) (?:\s*+,)?\s++(?:\\\s++)?(?!--[a-z]) | (?!) )
    )"""
)
# Before a value of YAML: an anchor, a tag.
YAML_MARKS: Final = re.compile(r"(?:[&!][\w!./:\-]{1,64}[ \t]++){1,2}(?=\S)")
# Words before `: ` on its line: the name is part of a sentence.
SENTENCE: Final = re.compile(r"[A-Za-z]{2,}[ \t]\Z")
# A word, and no next pair, after a value: so is the value.
SENTENCE_END: Final = re.compile(r"[ \t]++[A-Za-z]{2,}+(?![\w.\-]*+\s{0,4}[=:])")
# A property on a line of its own, its value behind white space as in spark-defaults.conf.
PROPERTY: Final = re.compile(r"(?m)^[ \t]*+(?P<key>[\w\-]++(?>(?:\.[\w\-]++)+))[ \t]++(?P<value>[^\s=:]\S*+)[ \t]*+$")
# A name and, a word away, what looks drawn at random: `Invalid token 3f9...`, `PASS x`, `my password is x`.
BESIDE: Final = re.compile(
    r"(?<![\w.\-])(?P<key>[\w.\-]++)[ \t]++(?P<link>(?:is|was|are)[ \t]++)?(?=(?P<value>[^\s=:\"'`]\S{3,}+))"
)
# What is given a user and a password by their places.
_USER: Final = rf"\s{{0,8}}(?:[\w.]{{1,64}}|{QUOTE}[^\"'`]{{0,512}}{QUOTE})\s{{0,8}},\s{{0,8}}"
CONNECTION: Final = re.compile(
    rf"(?:getConnection\({_USER}|(?<!\w)auth\s?=\s?\(|(?:HTTPBasicAuth|Basic(?:AWS)?Credentials|DefaultCredentials)\(){_USER}(?={QUOTE})"
)
