"""Secrets that a document's layout puts away from their names: elements of XML, pairs of a name and a value, blocks of YAML."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Final

from .tokens import MASK, QUOTE, hide, literal_end

IsSecret = Callable[[str, str], bool]

_PROPERTY_EDGE: Final = re.compile(r"(?i)</?(?:property|entry)>")
_NAME_ELEMENT: Final = re.compile(r"(?i)<(name|key)>\s*+([\w.\-]++)\s*+</\1>")
_VALUE_ELEMENT: Final = re.compile(r"(?is)<value(?:\s[^<>]{0,128})?>(?:\s*+<!\[CDATA\[)?(?P<value>[^<]*?)(?=\]\]>|</value>)")
_ELEMENT: Final = re.compile(
    r"(?s)<(?P<key>[\w:.\-]++)(?:\s[^<>]{0,512})?>(?:\s{0,64}<!\[CDATA\[(?P<data>.{0,4096}?)\]\]>\s{0,64}|(?P<value>[^<]*+))</(?P=key)>"
)
_NAMED_ELEMENT: Final = re.compile(
    r"(?i)<\w++\s(?:[^<>]{0,256}?\s)?(?:key|name|id)=[\"'](?P<key>[\w.\-]++)[\"'][^<>]{0,256}>(?P<value>[^<]++)(?=</)"
)
_FIELD: Final = r"(?:\w{0,16}(?:[kK]ey|[nN]ame)|k)"
_VALUE_FIELD: Final = r"(?:\w{0,16}[vV]alue|v)"
_BETWEEN: Final = (
    rf"(?:{QUOTE})?(?:[ \t]{{0,16}}[,;]?\s{{1,64}}|\s{{0,16}},\s{{0,16}})"
    rf"(?:(?:{QUOTE})?[Tt]ype(?:{QUOTE})?\s?[:=]\s?(?:{QUOTE})?\w{{1,32}}(?:{QUOTE})?,?\s{{0,16}})?"
)
# `name: DB_PASSWORD`, then `value: x`; `{"k":"secret","v":"x"}`; `key="DbPassword" value="x"`.
_PAIR: Final = re.compile(
    rf"(?<![\w.])(?:{QUOTE})?{_FIELD}(?:{QUOTE})?\s?[:=]\s{{0,16}}(?:{QUOTE})?(?P<key>[\w.\-]++){_BETWEEN}(?:{QUOTE})?{_VALUE_FIELD}(?:{QUOTE})?\s?[:=]\s{{0,16}}"
)
_YAML_BLOCK: Final = re.compile(
    r"(?m)^(?P<indent>[ \t]*+(?:- )?)(?P<key>[\"'\w.\-]++):[ \t]++(?:[&!][\w!./:\-]*+[ \t]++)*[|>][+\-0-9]{0,2}[ \t]*+\n"
)
_YAML_LIST: Final = re.compile(r"(?m)^(?P<indent>[ \t]*+)(?P<key>[\"'\w.\-]++):[ \t]*+\n")
_YAML_ITEM: Final = re.compile(r"(?P<head>[ \t]*+-[ \t]++)(?P<value>[^\s:#][^\n:]*+)(?:\n|\Z)")


def mask_markup(text: str, is_secret: IsSecret) -> str:
    """Return a text without the secrets of its elements, pairs and blocks.

    Args:
        text: any text.
        is_secret: judges a value by its name.
    """
    if "</" in text:
        text = _mask_properties(text, is_secret)
        for element in (_ELEMENT, _NAMED_ELEMENT):
            text = element.sub(lambda found: _mask_element(found, is_secret), text)
    text = _mask_pairs(text, is_secret)
    return _mask_blocks(text, is_secret) if "\n" in text and ":" in text else text


def _mask_properties(text: str, is_secret: IsSecret) -> str:
    """Mask values beside `<name>`, in any order, within each property."""
    edges = [0, *(edge.end() for edge in _PROPERTY_EDGE.finditer(text)), len(text)]
    pieces = []
    for start, end in pairwise(edges):
        part = text[start:end]
        names = list(_NAME_ELEMENT.finditer(part))
        if names and "value" in part:
            part = _VALUE_ELEMENT.sub(lambda found, names=names: _mask_value(found, names, is_secret), part)  # type: ignore[misc]
        pieces.append(part)
    return "".join(pieces)


def _mask_value(found: re.Match[str], names: list[re.Match[str]], is_secret: IsSecret) -> str:
    before = [name for name in names if name.end() <= found.start()]
    name = (before[-1:] or names[:1])[0][2]
    return _with_mask(found, "value") if is_secret(name, found["value"]) else found[0]


def _mask_element(found: re.Match[str], is_secret: IsSecret) -> str:
    group = "value" if found["value"] is not None else "data"
    return _with_mask(found, group) if is_secret(found["key"], found[group]) else found[0]


def _with_mask(found: re.Match[str], group: str) -> str:
    value = found[group]
    hidden = value.replace(value.strip(), MASK) if value.strip() else value
    start, end = found.span(group)
    return f"{found.string[found.start() : start]}{hidden}{found.string[end : found.end()]}"


def _mask_pairs(text: str, is_secret: IsSecret) -> str:
    pieces: list[str] = []
    done = 0
    for found in _PAIR.finditer(text):
        start = found.end()
        if start < done:
            continue
        end = literal_end(text, start)
        if end > start and is_secret(found["key"], text[start:end].strip("\\\"'`")):
            pieces += text[done:start], hide(text[start:end])
            done = end
    return "".join((*pieces, text[done:]))


def _mask_blocks(text: str, is_secret: IsSecret) -> str:
    pieces: list[str] = []
    done = 0
    for pattern, mask in ((_YAML_BLOCK, _mask_scalar), (_YAML_LIST, _mask_list)):
        pieces, done = [], 0
        for found in pattern.finditer(text):
            if found.start() < done:
                continue
            hidden, end = mask(text, found, is_secret)
            pieces += text[done : found.end()], hidden
            done = end
        text = "".join((*pieces, text[done:]))
    return text


def _mask_scalar(text: str, found: re.Match[str], is_secret: IsSecret) -> tuple[str, int]:
    """Return the lines below a key that are indented deeper, masked, and where they end."""
    indent = len(found["indent"])
    end = found.end()
    while end < len(text):
        line_end = text.find("\n", end) + 1 or len(text)
        line = text[end:line_end]
        if line.strip() and len(line) - len(line.lstrip(" \t")) <= indent:
            break
        end = line_end
    block = text[found.end() : end]
    value = block.strip()
    if value and is_secret(found["key"].strip("\"'"), value):
        return block.replace(value, MASK), end
    return block, end


def _mask_list(text: str, found: re.Match[str], is_secret: IsSecret) -> tuple[str, int]:
    """Return the items below a key, masked, and where they end."""
    pieces, end = [], found.end()
    key = found["key"].strip("\"'")
    while item := _YAML_ITEM.match(text, end):
        value = item["value"].strip("\"' ")
        pieces.append(item[0].replace(value, MASK) if value and is_secret(key, value) else item[0])
        end = item.end()
    return "".join(pieces), end
