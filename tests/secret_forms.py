"""Formats in which people write secrets, and the characters of the secrets in them."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable
from urllib.parse import quote

from hypothesis import strategies as st

LETTERS = string.ascii_letters + string.digits
CHINESE = "密码数据平台"


def with_a_digit(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return texts none of which is a word, a number, a reference or a class, for those are spared."""
    return texts.map(lambda text: f"k7{text}") | texts.map(lambda text: f"{text}7q")


# Anything a person may choose, quotes and line breaks included.
CHOSEN = with_a_digit(st.text(st.sampled_from(LETTERS + CHINESE + string.punctuation + " \n\t€é"), min_size=1, max_size=30))
# Unquoted: no white space, no quotes, nothing that ends a pair.
UNQUOTED = with_a_digit(
    st.builds(
        "{}{}".format,
        st.sampled_from(LETTERS),
        st.text(st.sampled_from(LETTERS + CHINESE + "!#$%()*+-./:=?@[]^_{|}~>"), max_size=30),
    )
)
# RFC 3986 allows these in a password; `@` it does not, but people do.
IN_ADDRESS = st.text(st.sampled_from(LETTERS + CHINESE + "-._~!$&'()*+,;=:@%"), min_size=1, max_size=30)
LETTERS_ONLY = st.text(st.sampled_from(LETTERS), min_size=8, max_size=40)
BASE64 = st.text(st.sampled_from(LETTERS + "+/=\n"), min_size=1, max_size=200)


def sql_quoted(secret: str) -> str:
    return "'" + secret.replace("\\", "\\\\").replace("'", "''") + "'"


# Behind a colon in a sentence, a dotted name is one of code, and a plain pair says something else.
IN_PROSE = UNQUOTED.filter(
    lambda text: not re.fullmatch(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+\W*|[A-Za-z_.]+=(?:[A-Za-z]+|[0-9]+)\W*", text)
)
FORMS: dict[str, tuple[st.SearchStrategy[str], Callable[[str], str]]] = {
    "json": (CHOSEN, lambda secret: f'"password": {json.dumps(secret)}, "user"'),
    "json in json": (CHOSEN, lambda secret: json.dumps(json.dumps({"accessKeySecret": secret, "user": "u"}))),
    "sql": (CHOSEN, lambda secret: f"OPTIONS ('user' 'u', 'password' {sql_quoted(secret)}, url 'x')"),
    "sql =": (CHOSEN, lambda secret: f"SET `fs.oss.accessKeySecret` = {sql_quoted(secret)};"),
    "python": (CHOSEN, lambda secret: f'.option("password", {json.dumps(secret)}).load()'),
    "query": (CHOSEN, lambda secret: f"https://h/x?a=b&Signature={quote(secret, safe='')}&c=d"),
    "query in query": (CHOSEN, lambda secret: "to=" + quote(f"https://h/x?token={quote(secret, safe='')}&c=d", safe="")),
    "bare": (UNQUOTED, lambda secret: f"db.password={secret} x=y"),
    "bare with :": (IN_PROSE, lambda secret: f"db.password: {secret} x=y"),
    "next pair": (UNQUOTED, lambda secret: f"{{user=u, password={secret}, a=b}}"),
    "option": (UNQUOTED, lambda secret: f"--db-password {secret} --table t"),
    "jdbc": (UNQUOTED, lambda secret: f"jdbc:sqlserver://h;user=u;password={secret};encrypt=true"),
    "address": (IN_ADDRESS, lambda secret: f"mysql://user:{secret}@db.example.com:3306/x"),
    "address without user": (IN_ADDRESS, lambda secret: f"redis://:{secret}@cache:6379/0"),
    "address, encoded": (CHOSEN, lambda secret: f"https://user:{quote(secret, safe='')}@h.example.com/x"),
    "address, encoded whole": (CHOSEN, lambda secret: quote(f"https://user:{quote(secret, safe='')}@h.example.com/x", safe="")),
    "oracle": (UNQUOTED, lambda secret: f"jdbc:oracle:thin:user/{secret}@host:1521:x"),
    "xml": (UNQUOTED, lambda secret: f"<name>a.password</name><value>{secret}</value>"),
    "header": (UNQUOTED, lambda secret: f'-H "Authorization: {secret}" -v'),
    "curl": (UNQUOTED, lambda secret: f"curl -u user:{secret} https://h/x"),
    "curl, quoted": (LETTERS_ONLY, lambda secret: f"curl --user 'user:my {secret}' https://h/x"),
    "mysql": (UNQUOTED, lambda secret: f"mysql -uroot -p{secret} shop"),
    "netrc": (UNQUOTED, lambda secret: f"machine h login u password {secret}\n"),
    "key id": (LETTERS_ONLY, lambda secret: f"id LTAI{secret} x"),
    "sts id": (LETTERS_ONLY, lambda secret: f"id:STS.{secret},x"),
    "jwt": (LETTERS_ONLY, lambda secret: f"got eyJh{secret}.{secret} x"),
    "pem": (BASE64, lambda secret: f"-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY----- x"),
}
# What the value consists of with the secret, where it is more than that.
WHOLE_VALUES = {
    "key id": lambda secret: f"LTAI{secret}",
    "sts id": lambda secret: f"STS.{secret}",
    "jwt": lambda secret: f"eyJh{secret}.{secret}",
    "pem": lambda secret: f"-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----",
    "curl, quoted": lambda secret: f"my {secret}",
}
