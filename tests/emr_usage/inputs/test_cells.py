"""Invalid cells of each column, with the complete error messages."""

from __future__ import annotations

import pytest

from input_files import owner, rate, told

AS_TEXT = "give the column the format Text before typing, or edit the file in a text editor"
POINT = "write it as 1234.56, a point before the decimals and nothing else"
PATH = "write it as group/team/project, without a slash at either end, double slashes, or spaces beside a slash"


class TestCells:
    """Invalid cells of each column."""

    @pytest.mark.parametrize("column", ["region_id", "currency", "price_per_cu_hour", "price_kind", "valid_from", "source"])
    def test_required_columns(self, column: str) -> None:
        assert told("rates", rate(**{column: " "})) == [f"rates.csv, row 2, column {column}: it is empty; write its value."]

    @pytest.mark.parametrize(
        ("column", "cell", "problem"),
        [
            ("valid_from", "yesterday", "'yesterday' is not a date; write it as 2026-01-31."),
            ("valid_from", "2026-02-30", "'2026-02-30' is not a date; write it as 2026-01-31."),
            ("valid_from", "20260131", "'20260131' is not a date; write it as 2026-01-31."),
            ("valid_from", "2026-W05-6", "'2026-W05-6' is not a date; write it as 2026-01-31."),
            ("valid_from", "2026-01-31T00:00:00", "'2026-01-31T00:00:00' is not a date; write it as 2026-01-31."),
            *(
                ("valid_to", cell, f"'{cell}' is a date as a spreadsheet writes it; write it as 2026-01-31; {AS_TEXT}.")
                for cell in ("1/2/2026", "01.02.26", "2026/1/2", "1/2/2026 0:00", "46023", "########")
            ),
            ("price_per_cu_hour", "cheap", "'cheap' is not a decimal number; write it as 0.05, without currency or unit."),
            ("price_per_cu_hour", "$0.05", "'$0.05' is not a decimal number; write it as 0.05, without currency or unit."),
            ("price_per_cu_hour", "5E-02", "'5E-02' is not a decimal number; write it as 0.05, without currency or unit."),
            ("price_per_cu_hour", "NaN", "'NaN' is not a decimal number; write it as 0.05, without currency or unit."),
            ("price_per_cu_hour", "-0.05", "'-0.05' is negative; write a price of 0 or more."),
            ("price_per_cu_hour", "(0.05)", "'(0.05)' is negative; write a price of 0 or more."),
            *(
                ("price_per_cu_hour", f'"{cell}"', f"{cell!r} has a comma in it, or something between the thousands; {POINT}.")
                for cell in ("0,05", "1,234.5", "1.234,5", "1 234", "1'234.5")
            ),
            *(
                ("price_per_cu_hour", cell, f"'{cell}' has too many digits; write at most 8 before the point and 10 after it.")
                for cell in ("0.05030200001", f"0.05{'0' * 30}1", "100000000")
            ),
            *(
                ("currency", cell, f"{cell!r} is not a currency of ISO 4217; did you mean {meant}?")
                for cell, meant in (
                    *(("RMB", "CNY"), ("rmb", "CNY"), ("CNH", "CNY"), ("人民币", "CNY"), ("¥", "CNY or JPY")),
                    *(("usd", "USD"), ("Jpy", "JPY"), ("US$", "USD"), ("Euro", "EUR")),
                )
            ),
            *(
                ("currency", cell, f"{cell!r} is not a currency of ISO 4217; write a code such as USD or CNY.")
                # Without a minor unit: gold, the code for tests, the code for no currency.
                for cell in ("XAU", "XTS", "XXX", "UDS", "12", "coins")
            ),
            ("price_kind", "Listed", "'Listed' is not a price kind; write list or contracted."),
            (
                "workspace_id",
                "1.5E+11",
                f"'1.5E+11' is a number that a spreadsheet has shortened; write the whole id; {AS_TEXT}.",
            ),
            (
                "source",
                "contract \N{REPLACEMENT CHARACTER}",
                (
                    "'contract \N{REPLACEMENT CHARACTER}' has lost characters in a wrong encoding; write it again, and save as"
                    " CSV UTF-8."
                ),
            ),
        ],
    )
    def test_invalid_rate_cells_are_reported(self, column: str, cell: str, problem: str) -> None:
        assert told("rates", rate(**{column: cell})) == [f"rates.csv, row 2, column {column}: {problem}"]

    @pytest.mark.parametrize(
        "price", ["0", "0.050302", "0.0500000000", "0.0503020001", "0.05000000000000", "99999999.9999999999", "007"]
    )
    def test_valid_prices_are_accepted(self, price: str) -> None:
        assert told("rates", rate(price_per_cu_hour=price)) == []

    @pytest.mark.parametrize("currency", ["USD", "CNY", "JPY", "KWD", "IDR", "CLF", "ZWG"])
    def test_iso_4217_currencies_are_accepted(self, currency: str) -> None:
        assert told("rates", rate(currency=currency)) == []

    @pytest.mark.parametrize(
        ("character", "name"),
        [
            ("\x1b", "U+001B (a control character)"),
            ("\x07", "U+0007 (a control character)"),
            ("\x7f", "U+007F (a control character)"),
            ("\t", "U+0009 (a control character)"),
            ("\u200b", "U+200B (ZERO WIDTH SPACE)"),
            ("\u200d", "U+200D (ZERO WIDTH JOINER)"),
            ("\u202e", "U+202E (RIGHT-TO-LEFT OVERRIDE)"),
            ("\u2028", "U+2028 (LINE SEPARATOR)"),
            ("\ufeff", "U+FEFF (ZERO WIDTH NO-BREAK SPACE)"),
            ("\u00ad", "U+00AD (SOFT HYPHEN)"),
            ("\u00a0", "U+00A0 (NO-BREAK SPACE)"),
            ("\u3000", "U+3000 (IDEOGRAPHIC SPACE)"),
            ("\u3164", "U+3164 (HANGUL FILLER)"),
            ("\ufe0f", "U+FE0F (VARIATION SELECTOR-16)"),
            ("\ue000", "U+E000 (a control character)"),
        ],
    )
    @pytest.mark.parametrize("column", ["owner", "workspace_id"])
    def test_invisible_characters_are_removed_from_names_and_ids(self, column: str, character: str, name: str) -> None:
        cell = f"gro{character}wth"
        advice = "remove that character, or type the value again."
        assert told("owners", owner(**{"owner": "a", "tag_key": "team", column: cell})) == [
            f"owners.csv, row 2, column {column}: {cell!r} contains {name}, which is invisible; {advice}"
        ]

    @pytest.mark.parametrize("path", ["增长/广告", "Éclair/ño", "ทีม/ข้อมูล", "فريق/البيانات", "a b/c-d_e.f", "R&D/🚀"])
    def test_owners_can_use_any_script(self, path: str) -> None:
        assert told("owners", owner(owner=path, tag_key="team")) == []

    def test_unicode_forms_of_an_owner_are_one_owner(self) -> None:
        lines = [owner(owner=path, tag_key=key) for path, key in (("caf\u00e9", "a"), ("cafe\u0301", "b"))]
        assert told("owners", *lines) == [
            "owners.csv, row 3, column owner: 'cafe\u0301' is 'caf\u00e9' in row 2; use one spelling for each owner."
        ]

    @pytest.mark.parametrize("path", ["/growth", "growth/", "growth//ads", "growth / ads", "/"])
    def test_owners_with_empty_parts(self, path: str) -> None:
        problem = f"owners.csv, row 2, column owner: {path!r} has an empty part, or a space beside a slash; {PATH}."
        assert told("owners", owner(owner=path, tag_key="team")) == [problem]

    def test_invalid_owner_cells_are_reported(self) -> None:
        assert told("owners", owner(tag_key="team"), owner(owner="Unallocated"), owner(owner="a", creator="2.02E+17")) == [
            "owners.csv, row 2, column owner: it is empty; write its value.",
            (
                "owners.csv, row 3, column owner: 'Unallocated' is reserved for usage that no rule matches; write another"
                " name, or remove the rule."
            ),
            (
                f"owners.csv, row 4, column creator: '2.02E+17' is a number that a spreadsheet has shortened; write the whole id;"
                f" {AS_TEXT}."
            ),
        ]

    def test_long_values_are_shortened_and_control_characters_escaped(self) -> None:
        (line,) = told("rates", rate(currency="\x1b[31m" + "x" * 1000))
        assert line.isprintable()
        assert len(line) < 200
