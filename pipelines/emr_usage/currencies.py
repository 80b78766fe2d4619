"""Currency codes and minor units of ISO 4217, as the `iso4217` package ships the standard's table of active codes."""

from __future__ import annotations

from functools import cache
from typing import Final

# Symbols and names that users write instead of a code; CNH is the offshore yuan.
_INFORMAL: Final = {
    "RMB": "CNY",
    "YUAN": "CNY",
    "RENMINBI": "CNY",
    "CNH": "CNY",
    "人民币": "CNY",
    "元": "CNY",
    "¥": "CNY or JPY",
    "\N{FULLWIDTH YEN SIGN}": "CNY or JPY",
    "$": "USD",
    "US$": "USD",
    "DOLLAR": "USD",
    "HK$": "HKD",
    "S$": "SGD",
    "NT$": "TWD",
    "NTD": "TWD",
    "RM": "MYR",
    "RP": "IDR",
    "€": "EUR",
    "EURO": "EUR",
    "£": "GBP",
    "YEN": "JPY",
    "円": "JPY",
    "WON": "KRW",
    "₩": "KRW",
    "₹": "INR",
}


@cache
def minor_units() -> dict[str, int]:
    """Return the decimals of each currency's smallest unit, by code: USD 2, JPY 0, KWD 3.

    Codes without a minor unit in the standard are left out: metals, units of account, the codes for tests and for no currency.
    """
    # Imported here: it parses XML, which slows down commands that need no currency.
    from iso4217 import Currency  # noqa: PLC0415

    return {currency.code: currency.exponent for currency in Currency if currency.exponent is not None}


def minor_unit(code: str) -> int:
    """Return the decimals of a currency's smallest unit; 2 for a code that the standard does not have."""
    return minor_units().get(code, 2)


def suggested_currency(text: str) -> str | None:
    """Return the code for a code in lower case, a symbol or an informal name; None for anything else."""
    capitals = text.upper()
    return capitals if capitals in minor_units() else _INFORMAL.get(capitals)
