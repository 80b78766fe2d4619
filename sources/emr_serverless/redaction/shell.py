"""Masks the secrets that only a command gives a meaning: `curl -u user:password`, `mysql -psecret`, `zip -P secret`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .tokens import CLOSING_QUOTE, MASK, QUOTE, hide, literal_end

_OPTION: Final = r"(?<![\w\-/.])"
# Between an option and its value, also where both are items of a list.
_GAP: Final = rf"(?:{QUOTE},)?[\s=]*+"
_QUOTED: Final = rf"(?P<quote>{QUOTE})?"


@dataclass(frozen=True)
class Command:
    """A command, and what stands before the secret in its options.

    Attributes:
        name: its names, and in a second word what it is asked to do, where that matters.
        option: all up to the secret.
        ends_with: what ends the secret, where it is no white space.
    """

    name: re.Pattern[str]
    option: re.Pattern[str]
    ends_with: str = ""


def _command(names: str, option: str, ends_with: str = "") -> Command:
    """Return a command found by its name, also behind its folder; not a scheme, a class or an option called after it."""
    return Command(re.compile(rf"(?<![\w.\-:@=])(?:{names})(?=[\s\"'`,\\]|\Z)"), re.compile(option), ends_with)


def _spaced(letters: str) -> str:
    """Return an option whose value is the next word, or glued to it."""
    return rf"{_OPTION}-(?:{letters}){_GAP}(?!{CLOSING_QUOTE}|-){_QUOTED}"


_LOGIN_OF: Final = r"(?:docker|podman|nerdctl|buildah|oras|skopeo|crane|helm\s++registry|az)\s++login"
COMMANDS: Final = (
    _command("curl", rf"{_OPTION}(?:-[uU]|--(?:proxy-)?user){_GAP}{_QUOTED}[^\s:\"'`\\]{{0,128}}+:"),
    # `-p` of the clients of MySQL has its value right behind it: with a space it asks for one.
    _command(r"mysql[a-z]*+|mariadb(?:-[a-z]++)?", rf"{_OPTION}-p(?=[^\s\-])(?!{CLOSING_QUOTE})"),
    _command("sshpass|beeline|mongo[a-z]*+|odpscmd|ncftp(?:put|get)", _spaced("p")),
    _command("redis-cli", _spaced("a")),
    _command(_LOGIN_OF, _spaced("p")),
    _command("ldap[a-z]++", _spaced("w")),
    _command("smbclient|smbget|rpcclient|winexe|net", rf"{_OPTION}(?:-U|--user){_GAP}{_QUOTED}[^\s%\"'`]{{1,128}}+%"),
    _command("bcp|sqlcmd|osql|isql|tsql|zip|unzip|zipcloak", _spaced("P")),
    _command("7z[ar]?|rar|unrar", rf"{_OPTION}-(?:p|hp)(?=[^\s\-])(?!{CLOSING_QUOTE})"),
    _command("openssl", rf"{_OPTION}-pass(?:in|out|word)?{_GAP}{_QUOTED}pass:"),
    _command("openssl", _spaced("[kK]")),
    _command("lftp|ncftp", rf"{_OPTION}-u{_GAP}{_QUOTED}[^\s,\"'`]{{1,128}}+,"),
    _command("ossutil(?:64)?|osscmd", _spaced("k")),
    _command("ssh-keygen", _spaced("[NP]")),
    _command(r"sqlplus|sqlldr|expdp?|impdp?|rman", r"(?<![\w.\-/])[A-Za-z]\w{0,31}/(?=[^\s/@]{1,128}@)", "@"),
)
# The names of all of them, for RE2 too; as words, for some are parts of many.
SIGNS: Final = (
    r"\b(?:curl|mysql[a-z]*|mariadb|sshpass|beeline|mongo[a-z]*|odpscmd|ncftp[a-z]*|redis-cli|login|ldap[a-z]*|smb[a-z]+|rpcclient|winexe|net|bcp|[os]sql|sqlcmd|isql"
    r"|tsql|(?:un)?zip|zipcloak|7z[ar]?|(?:un)?rar|openssl|lftp|ossutil(?:64)?|osscmd|ssh-keygen"
    r"|sqlplus|sqlldr|expdp?|impdp?|rman)\b|\| ?(?:sudo|kinit|passwd|chpasswd)"
)
_ANY: Final = re.compile(SIGNS)
# The words of a .netrc file, on one line or several.
_NETRC: Final = re.compile(
    r"(?<!\w)(?:machine\s++\S++|default)\s++(?:login\s++\S++\s++(?:account\s++\S++\s++)?password\s++|password\s++(?=\S++\s++login\s))"
    r"(?P<quote>\")?"
)
# A secret on its way to a command that reads it.
_PIPED: Final = re.compile(
    r"(?<![\w\-])(?:echo|printf)\s++(?:-[ne]\s++)?(?=[^\n|]{1,512}\|\s{0,8}(?:sudo\s+-S|kinit|passwd\s+--stdin|chpasswd|[^|\n]{0,256}--pass(?:word)?(?:-stdin|-fd)))(?P<quote>[\"'])?"
)


def mask_commands(text: str) -> str:
    """Return a text without the secrets in the options of commands that stand before them, and in the words of a .netrc file."""
    if _ANY.search(text):
        for command in COMMANDS:
            if found := command.name.search(text):
                text = _mask_behind(command.option, text, found.end(), command.ends_with)
    if "|" in text:
        text = _mask_behind(_PIPED, text, 0)
    return _mask_behind(_NETRC, text, 0) if "login" in text else text


def mask_command_arguments(words: Sequence[str]) -> list[str]:
    """Return arguments without the secrets in the options of a command that is one of the arguments before them."""
    masked = list(words)
    text = " ".join(words)
    if not _ANY.search(text):
        return masked
    for command in COMMANDS:
        known = False
        for index, word in enumerate(words):
            before = words[index - 1] if index else ""
            span = _secret_span(command, before, word) if known else None
            if span is not None:
                masked[index] = f"{word[: span[0]]}{MASK}{word[span[1] :]}"
            # What stands behind an option is its value and no command.
            known = known or (not before.startswith("-") and _is_command(command.name, before, word))
    return masked


def _is_command(name: re.Pattern[str], before: str, word: str) -> bool:
    last = word[word.rfind("/") + 1 :]
    return any(
        found is not None and found.end() == len(text) for text in (last, f"{before} {last}") if (found := name.match(text))
    )


def _secret_span(command: Command, before: str, word: str) -> tuple[int, int] | None:
    """Return where in a word the secret of an option stands that is this word's beginning, or the whole word before."""
    for skipped, text in ((0, word), (len(before) + 1, f"{before} {word}")):
        found = command.option.match(text)
        if found and skipped <= found.end() < len(text):
            end = text.find(command.ends_with, found.end()) if command.ends_with else len(text)
            return found.end() - skipped, end - skipped
    return None


def _mask_behind(option: re.Pattern[str], text: str, position: int, ends_with: str = "") -> str:
    """Mask the literal behind each find; where a quote opened before the secret, up to its end."""
    pieces: list[str] = []
    done = 0
    while found := option.search(text, max(position, done)):
        start = found.end()
        quote = found.groupdict().get("quote") or ends_with
        end = text.find(quote, start) if quote else literal_end(text, start)
        end = len(text) if end < 0 else end
        pieces += text[done:start], hide(text[start:end])
        done = max(end, start + 1) if end == start else end
        if end == start:
            pieces.append(text[start:done])
    return "".join((*pieces, text[done:]))
