"""Keys and values of tags as rules compare them."""

from __future__ import annotations

from unicodedata import normalize


def tag_form(text: str) -> str:
    """Return a tag's key or value as it is compared: trimmed, composed (NFC), and folded, so that letter case does not count.

    The same in SQL is the model `int_tag_forms`.
    """
    # Folding can leave a letter and its accent apart.
    return normalize("NFC", normalize("NFC", text.strip()).casefold())
