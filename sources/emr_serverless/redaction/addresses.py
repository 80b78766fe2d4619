"""Addresses that carry a password, a token or a session: URLs, data source names, the logins of databases."""

from __future__ import annotations

import re
from typing import Final

from .tokens import MASK
from .values import is_chosen, is_random, is_said

_HOST: Final = r"(?=\[|localhost\b|[\w\-]++\.\w|[\w.\-]++:[0-9])"
# The last `@` before a likely host ends the password; failing that the last in reach, for a password with a raw `/` in it.
_URI: Final = re.compile(
    rf"""(?x)(?P<keep> :(?:\\?/){{2}}[^\s/?\#:"]*+: ) (?!{re.escape(MASK)}@)
    (?: (?>(?:[^\s/?\#"@]*+@)+){_HOST} | (?![0-9]{{1,5}}[/?\#,'\\])(?:[^\s":]|:(?!//)){{0,256}}@ | (?>(?:[^\s/?\#"@]*+@)+) )"""
)
# The same as the value of an URL's parameter.
_ENCODED_URI: Final = re.compile(r"(?i)(?P<keep>%3A%2F%2F(?>(?:(?!%3A|%2F)[^\s\"'&])*)%3A)(?:(?!%2F)[^\s\"'&])*%40")
# Oracle's driver has no scheme before the user: `jdbc:oracle:thin:user/pass@host`.
_ORACLE: Final = re.compile(
    rf"(?P<keep>[Jj](?i:dbc:oracle:)\w{{1,8}}:[^\s/@:\"']{{1,128}}/)(?!{re.escape(MASK)}@)(?:\"[^\"]*+\"|[^\s\"]{{0,256}})@"
)
# Go's drivers: `user:pass@tcp(host:3306)/db`.
_GO: Final = re.compile(
    rf"(?P<keep>(?<![\w.\-])[\w.\-]{{1,64}}:)(?!{re.escape(MASK)}@)[^\s\"'`]{{1,256}}@(?=(?:tcp[46]?|udp|unix|cloudsql)\()"
)
# Oracle's clients: `user/pass@host:1521/service`, `user/pass@//host`.
_LOGIN: Final = re.compile(
    rf"(?P<keep>(?<![\w.\-/:@])[A-Za-z]\w{{0,31}}/)(?!{re.escape(MASK)}@)[^\s/@\"']{{1,128}}@(?=//|[\w.\-]{{1,253}}:[0-9]{{2,5}}[:/])"
)
# A token in a user's place: `https://ghp_...@github.com`, `https://...:x-oauth-basic@github.com`.
_TOKEN_USER: Final = re.compile(r"(?P<keep>://)(?P<value>[\w.\-]{16,255}+)(?=@|:[^\s/@]{0,256}@)")
# A login without a scheme; an address of mail has a domain and no port.
_BARE: Final = re.compile(
    rf"(?P<keep>(?<![\w.\-/@])[\w.\-]{{1,64}}:)(?!{re.escape(MASK)}@)(?P<value>[^\s/@:\"'`]{{3,128}})@(?=[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}|[\w.\-]{{1,253}}:[0-9]{{2,5}}(?![0-9]))"
)
# What admits to a page for a while.
_PARAMETER: Final = re.compile(
    r"(?i)(?P<keep>[?&;](?:amp;)?(?:ticket|st|code|auth_?code|j?session_?id|j?sess_?id|phpsessid|sid|sign|otp|key|auth|x-goog-signature|assertion|saml(?:request|response))=)"
    r"(?P<value>[^\s&;\"'<>]{4,512}+)"
)
_PARAMETER_SIGN: Final = r"(?:ticket|st|code|sess_?id|session_?id|sid|sign|otp|key|auth|assertion|saml(?:request|response))="
SIGNS: Final = rf"@|%40|{_PARAMETER_SIGN}"


def mask_addresses(text: str) -> str:
    """Return a text without what its addresses carry."""
    for address in (_URI, _ENCODED_URI, _ORACLE, _GO, _LOGIN) if "@" in text or "%40" in text else ():
        text = address.sub(mask_rest, text)
    if "@" in text:
        text = _BARE.sub(_mask_chosen, _TOKEN_USER.sub(_mask_random, text))
    return _PARAMETER.sub(_mask_random, text) if "=" in text else text


def mask_rest(match: re.Match[str]) -> str:
    """Mask what follows the part to keep, up to the `@` that ends a password."""
    keep: str = match["keep"]
    return f"{keep}{MASK}{'@' if match[0].endswith('@') else '%40' if match[0].endswith('%40') else ''}"


def _mask_random(match: re.Match[str]) -> str:
    return mask_rest(match) if is_random(match["value"]) else match[0]


def _mask_chosen(match: re.Match[str]) -> str:
    return mask_rest(match) if is_chosen(match["value"]) and not is_said(match["value"]) else match[0]
