"""What a secret looks like: the names it goes by, and the forms it has. Data for redaction.py.

Names begin with Spark's own rule, `spark.redaction.regex`: secret, password, token, access key. Where it is not certain
what is a secret, it is one: a word too many costs a report nothing. Every pattern is linear in its text: whatever may
repeat is possessive, bounded, or consumed by the match.
"""

from __future__ import annotations

import re
from typing import Final

from .literals import CLOSING_QUOTE, MASK, QUOTE

# What the names of commands begin with whose options do not say that they are secrets: see COMMAND_OPTIONS.
COMMANDS: Final = ("curl", "mysql", "mariadb", "sshpass", "beeline", "mongo", "redis-cli")

# The quick test, of which most values know no more than the first two. Every branch begins with a literal: that makes it quick.
# Without one of these signs no name has a value and no address a password.
SIGNS: Final = re.compile(r"=|\"|'|`|%|>|\\|:(?!//)|-(?<![\w.\-]-)")
FORMS: Final = re.compile(
    r"LTAI|STS\.|A[KS]IA|AKID|AIza|BEGIN|Bearer|bearer|BEARER|eyJ|gh[opsru]_|github_|xox|xapp|glpat|sk[-_]|ya29|dapi|hf_|hook"
    rf"|{'|'.join(COMMANDS)}|login"
)
# Broader than every rule below, and free of what RE2 has no word for, so that whole columns can be screened with it: what it does
# not find in a text, or in the key beside it, no rule masks.
SUSPICION: Final = (
    r"(?i:secret|pass|pwd|token|cred|key|access|identif|signature|auth|cookie|sas|jwt|bearer|%40|@|(?:[as]k|pw|sig)(?:[^a-z]|$)"
    r"|密|口令|令牌|凭)|LTAI|STS\.|A[KS]IA|AKID|AIza|BEGIN|eyJ|gh[opsru]_|github_|xox|xapp|glpat|sk[-_]|ya29|dapi|hf_|hook"
    rf"|{'|'.join(COMMANDS)}"
)
# What a secret name has in it, for texts in lower case.
NAMES: Final = re.compile(
    r"secret|pass|pwd|token|cred|key|access|identif|signature|auth|cookie|sas|jwt|%40|@"
    r"|ak(?![a-z])|sk(?![a-z])|pw(?![a-z])|sig(?![a-z])"
)
CHINESE_NAMES: Final = re.compile("密[码钥]|口令|令牌|凭[证据]")

# Spark's rule and what else is used: `odps.access.id`, `privateKey`, `ssl.keystore.pass`, `blobSas`; not `bypass`, not `compass`.
SECRET_KEY: Final = re.compile(
    r"""(?xi) secret | pass[\W_]?(?:word|wd|phrase|code) | pwd | token | credential | access[\W_]?(?:key | id(?![a-z]))
    | (?:api|private|account|shared|storage|crypt(?:ion)?|aes|master|signing|auth|app|client|subscription|ssh|session)[\W_]?key
    | (?<!by)(?<!com)pass(?![a-z]) | signature | bearer | cookie | (?:authori[sz]ation|(?<![a-z])auth)\Z
    | (?<![a-z])(?:pw|sas|sig|jwt)(?![a-z]) | (?-i: (?<=[a-z])(?:P[wW]|S(?:as|AS)|Sig|J(?:wt|WT))(?![A-Za-z]) | sas(?=[A-Z]))
    | identified\s+by | 密码 | 密钥 | 口令 | 令牌 | 凭[证据]"""
)
# Alibaba's usual abbreviations of the two halves of an access key; TPC-DS names its surrogate keys so too.
SHORT_KEY: Final = re.compile(r"(?i:(?<![a-z])[as]k(?![a-z]))|(?<=[a-z])[AS][kK](?![A-Za-z])")
# Behind such an abbreviation only a value this long is taken for a secret.
KEY_MATERIAL: Final = re.compile(r"[\\\"'`]{0,8}[A-Za-z0-9+/=]{16}")
# A name in words: its last one stands before the value.
SPACED_KEY: Final = re.compile(
    r"(?i)(?:secret|access|private|api|encryption|account)[ \t](?:access[ \t])?key(?:[ \t]id)?\Z|pass[ \t](?:word|phrase|code)\Z"
)
LAST_WORDS: Final = frozenset({"key", "id", "word", "phrase", "code"})
# A bare word that is a name and not a job or a table called after one: the secret word is its end.
BARE_KEY: Final = re.compile(
    r"(?i)[\w.\-]*(?:secret|password|passwd|pwd|passphrase|token|authorization|access[._-]?key(?:[._-]?id)?)\Z"
)
# A header's name and scheme, where its credentials are a word of their own.
SCHEMES: Final = ("basic", "bearer", "digest", "token")
SCHEME: Final = re.compile(rf"(?i)authorization[\"':=]{{0,3}} ?(?:{'|'.join(SCHEMES)})\Z")

# Literals that hide nothing, and `://token:**redacted**@host`, which is masked already.
NO_SECRET: Final = re.compile(rf"(?:null|None|[Tt]rue|[Ff]alse)(?=[\s,;&)\]}}]|\Z)|{re.escape(MASK)}@")

# A name with all that may stand between it and its value. `%3D` and `\u003d` are `=` inside an URL and inside JSON.
NAME: Final = re.compile(
    rf"""(?xi)(?: (?<![\w.\-%]) | (?<=%)(?![0-9]) | (?<=%[0-9][0-9a-f]) )
    (?P<key> identified\s{{1,8}}by | (?P<dash>-)?[\w.\-]++ )
    (?: {QUOTE} | %(?:25){{0,4}}2[27] )? \]?
    (?: (?: \s*+[,;]\s*+(?:{QUOTE})?\w{{0,16}}value(?:{QUOTE})?\s*+[=:] | </\w{{1,16}}>\s*+<\w{{1,16}}> | >(?=[^\s<])
          | \s*+(?P<sign> => | -> | [!<>:=]?=++ | <> | :(?!:|//) | \uff1a | \\u003d | %(?:25){{0,4}}3[da] )
        ) (?: \s*+(?={QUOTE}) | [^\S\r\n]*+(?!(?<=\s)--[a-z]) )
      | (?<=["'`])\s*+,\s*+(?={QUOTE})
      | \s++(?={QUOTE})
      | (?(dash) (?:\s*+,)?\s++(?:\\\s++)?(?!--[a-z]) | (?!) )
    )"""
)

# Cut off before its END, a key is still a key. Escaped and URL-encoded ones are on one line.
PEM: Final = re.compile(
    r"(?s)-----BEGIN[ +%\w]{0,64}-----.*?(?:-----END[ +%\w]{0,64}-----|\Z)"
    r"|---- BEGIN[ \w]{0,64}KEY ----.*?(?:---- END[ \w]{0,64}----|\Z)"
)
_HOST: Final = r"(?=\[|localhost\b|[\w\-]++\.\w|[\w.\-]++:[0-9])"
# The last `@` before a likely host ends the password; failing that the last in reach, for a password with a raw `/` in it.
URI: Final = re.compile(
    rf"""(?x)(?P<keep> :(?:\\?/){{2}}[^\s/?\#:"]*+: ) (?!{re.escape(MASK)}@)
    (?: (?>(?:[^\s/?\#"@]*+@)+){_HOST} | (?![0-9]{{1,5}}[/?\#,'\\])(?:[^\s":]|:(?!//)){{0,256}}@ | (?>(?:[^\s/?\#"@]*+@)+) )"""
)
# The same as the value of an URL's parameter.
ENCODED_URI: Final = re.compile(r"(?i)(?P<keep>%3A%2F%2F(?>(?:(?!%3A|%2F)[^\s\"'&])*)%3A)(?:(?!%2F)[^\s\"'&])*%40")
# Oracle's driver has no scheme before the user: `jdbc:oracle:thin:user/pass@host`.
ORACLE: Final = re.compile(
    rf"(?P<keep>[Jj](?i:dbc:oracle:)\w{{1,8}}:[^\s/@:\"']{{1,128}}/)(?!{re.escape(MASK)}@)(?:\"[^\"]*+\"|[^\s\"]{{0,256}})@"
)


def _edge(width: int) -> str:
    """Return what must precede a literal of so many characters. It stands behind it: beginning with a literal is quick."""
    return rf"(?:(?<![A-Za-z].{{{width}}})|(?<=%[0-9][A-Fa-f].{{{width}}})|(?<=\\[nrt].{{{width}}}))"


_UPPER_EDGE: Final = r"(?:(?<![A-Z].{4})|(?<=%[0-9][A-F].{4}))"
# By the prefixes of Alibaba and its STS, AWS, Tencent. Half of a key, and the sign that the other half may stand beside it.
KEY_ID: Final = re.compile(
    rf"(?:LTAI|STS\.){_UPPER_EDGE}[A-Za-z0-9]{{6,}}|A[KS]IA{_UPPER_EDGE}[A-Z0-9]{{12,}}|AKID{_UPPER_EDGE}[A-Za-z0-9]{{13,}}"
)
# What the vendors issue beside such an id: 30 characters by Alibaba, 44 by its STS, 40 by AWS.
KEY_SECRET: Final = re.compile(
    r"(?=[a-z0-9+/]{0,43}[A-Z])(?=[A-Z0-9+/]{0,43}[a-z])"
    r"(?:(?<![A-Za-z0-9])[A-Za-z0-9]{30}(?:[A-Za-z0-9]{14})?(?![A-Za-z0-9])|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/]))"
)
# By the prefixes that their issuers gave them so that they be found.
TOKEN: Final = re.compile(
    rf"eyJ{_edge(3)}[\w+/=.\-]{{10,}}|gh[opsru]_{_edge(4)}\w{{16,}}|github_pat_\w{{16,}}|xox[a-z]-[\w\-]{{10,}}|xapp-[\w\-]{{10,}}"
    rf"|glpat-[\w\-]{{16,}}|sk-{_edge(3)}(?:proj-|ant-)?\w{{20,}}|sk_live_\w{{16,}}|AIza[\w\-]{{30,}}|ya29\.[\w\-]{{16,}}"
    rf"|dapi{_edge(4)}[0-9a-f]{{30,}}|hf_{_edge(3)}\w{{30,}}"
)
# At least as long as tokens are: `bearer certificates` is no secret.
BEARER: Final = re.compile(r"(?P<keep>[Bb](?i:earer)(?:\s++|%20|\+))[\w.~+/=\-]{16,}")
# The addresses by which a job tells a chat of its end: who knows one may write there.
HOOK: Final = re.compile(r"(?P<keep>hooks\.slack\.com/services/|/bot/v2/hook/|/webhook/send\?key=)[\w/\-]+")


def _command(names: str) -> re.Pattern[str]:
    """Return what finds a command by its name, also behind its folder; not a scheme, a class or an option called after it."""
    return re.compile(rf"(?<![\w.\-:@=])(?:{names})(?=[\s\"'`,\\]|\Z)")


_OPTION: Final = r"(?<![\w\-/.])"
# Between an option and its value, also where both are items of a list.
_GAP: Final = rf"(?:{QUOTE},)?[\s=]*+"
# The command that gives the options after it their meaning, and the option with all that stands before the secret.
# `-p` of the clients of MySQL has its value right behind it: with a space it asks for one.
COMMAND_OPTIONS: Final = (
    (_command("curl"), re.compile(rf"{_OPTION}(?:-[uU]|--(?:proxy-)?user){_GAP}(?P<quote>{QUOTE})?[^\s:\"'`\\]{{0,128}}+:")),
    (_command(r"mysql[a-z]*+|mariadb(?:-[a-z]++)?"), re.compile(rf"{_OPTION}-p(?=[^\s\-])(?!{CLOSING_QUOTE})")),
    (_command("sshpass|beeline|mongo[a-z]*+"), re.compile(rf"{_OPTION}-p{_GAP}(?!{CLOSING_QUOTE}|-)(?P<quote>{QUOTE})?")),
    (_command("redis-cli"), re.compile(rf"{_OPTION}-a{_GAP}(?!{CLOSING_QUOTE}|-)(?P<quote>{QUOTE})?")),
)
# The words of a .netrc file, on one line or several.
NETRC: Final = re.compile(
    r"(?<!\w)(?:machine\s++\S++|default)\s++(?:login\s++\S++\s++(?:account\s++\S++\s++)?password\s++|password\s++(?=\S++\s++login\s))"
    r"(?P<quote>\")?"
)
