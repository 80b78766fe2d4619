"""What can be wrong in a file: each with the line that is told, word by word, and nothing else told beside it."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from emr_usage.failures import USAGE, InvalidInputsError, explain
from emr_usage.inputs import read_inputs
from emr_usage.inputs.folder import check_table

RATE_COLUMNS = (
    *("region_id", "workspace_id", "resource_queue_id", "currency", "price_per_cu_hour", "price_kind"),
    *("valid_from", "valid_to", "source"),
)
OWNER_COLUMNS = (
    *("owner", "tag_key", "tag_value", "creator", "resource_queue_id", "workspace_id", "job_name"),
    *("valid_from", "valid_to"),
)
LIST_PRICE_COLUMNS = ("region_id", "currency", "price_per_cu_hour", "page_date", "source")
HEADERS = {
    table: ",".join(columns)
    for table, columns in (("rates", RATE_COLUMNS), ("owners", OWNER_COLUMNS), ("list_prices", LIST_PRICE_COLUMNS))
}
RATE = {
    "region_id": "cn-hangzhou",
    "currency": "USD",
    "price_per_cu_hour": "0.05",
    "price_kind": "list",
    "valid_from": "2026-01-01",
    "source": "the page",
}
QUOTED = '"page 1, line ""2"""'
SAVE_AS = "save it as CSV UTF-8 (in Excel: Save As, CSV UTF-8; in LibreOffice: Text CSV, character set UTF-8)"
AS_TEXT = "give the column the format Text before typing, or edit the file in a text editor"
COMMA = "put one comma between two columns, and quotes around a value with a comma in it"
POINT = "write it as 1234.56, a point before the decimals and nothing else"
CLOSE = "put quotes around the whole value or nowhere, and double those inside"
PATH = "write it as group/team/project, no slash at the ends, none doubled, no space beside one"


def rate(**cells: str) -> str:
    """Return one row of rates.csv that is sound but for these cells."""
    return ",".join((RATE | cells).get(column, "") for column in RATE_COLUMNS)


def owner(**cells: str) -> str:
    """Return one row of owners.csv."""
    return ",".join(cells.get(column, "") for column in OWNER_COLUMNS)


def told(table: str, *lines: str) -> list[str]:
    """Return what is told of a file with the usual header and these lines."""
    return told_of(table, "\n".join([HEADERS[table], *lines]).encode())


def told_of(table: str, content: bytes) -> list[str]:
    """Return what is told of a file."""
    return [str(problem) for problem in check_table(table, content)[1]]


class TestForm:
    """What keeps a file, or a row of it, from being read."""

    @pytest.mark.parametrize(
        ("header", "problems"),
        [
            (
                HEADERS["rates"].removesuffix(",source"),
                [
                    (
                        "rates.csv, row 1, column source: the column is missing; add it to the header, and to each row a value or"
                        " nothing between two commas."
                    )
                ],
            ),
            (
                f"{HEADERS['rates']},note",
                [
                    (
                        "rates.csv, row 1: the column is not known: 'note'; take it out or correct it; known are"
                        f" {', '.join(RATE_COLUMNS)}."
                    )
                ],
            ),
            (
                f"{HEADERS['rates']},",
                [f"rates.csv, row 1: column 10 has no name; take it out or correct it; known are {', '.join(RATE_COLUMNS)}."],
            ),
            (
                f"{HEADERS['rates']},currency",
                ["rates.csv, row 1, column currency: the column is there twice; take one of them out."],
            ),
            (
                HEADERS["rates"].replace(",", ";"),
                [
                    (
                        "rates.csv, row 1: its values are separated by semicolons; save it with commas (in LibreOffice: field"
                        " delimiter; in Excel: the list separator of the system's region)."
                    )
                ],
            ),
            (
                HEADERS["rates"].replace(",", "\t"),
                [
                    (
                        "rates.csv, row 1: its values are separated by tabs; save it with commas (in LibreOffice: field"
                        " delimiter; in Excel: the list separator of the system's region)."
                    )
                ],
            ),
        ],
    )
    def test_of_the_header(self, header: str, problems: list[str]) -> None:
        """Rows under a wrong header are not looked at: what would be said of them follows from it."""
        assert told_of("rates", f"{header}\n{rate(currency='dollars')}".encode()) == problems

    @pytest.mark.parametrize("content", ["", "\n\n", "# only\n# comments"])
    def test_that_there_is_no_header(self, content: str) -> None:
        problem = f"rates.csv: it has no header: {HEADERS['rates']}; write the header above the rows."
        assert told_of("rates", content.encode()) == [problem]

    def test_every_missing_column_is_told(self) -> None:
        assert len(told_of("owners", b"owner,team\nx,y\n")) == len(OWNER_COLUMNS)

    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            (rate() + ",more", f"it has 10 values for 9 columns; {COMMA}."),
            (rate().removesuffix(",the page"), f"it has 8 values for 9 columns; {COMMA}."),
            (rate(price_per_cu_hour="1,234.5"), f"it has 10 values for 9 columns; {COMMA}."),
            (rate(source='"the\npage"'), "a value has a line break in it; close its quotes in the same line."),
            (rate(source='"the page'), f"it cannot be read as CSV from here on (unexpected end of data); {CLOSE}."),
            (rate(source='"the" page'), f"it cannot be read as CSV from here on (',' expected after '\"'); {CLOSE}."),
            (f" #{rate()}", "a # stands before the first value; begin a comment's line with #, or take it away."),
            # So a spreadsheet saves a comment with quotes in it.
            (
                '"# the ""dear"" queue",,,,,,,,',
                "a # stands before the first value; begin a comment's line with #, or take it away.",
            ),
        ],
    )
    def test_of_a_row(self, line: str, problem: str) -> None:
        assert told("rates", "# a comment", "", line) == [f"rates.csv, row 4: {problem}"]

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (f"{HEADERS['rates']}\n{rate(source='合同')}\n".encode("gbk"), ", row 2: it is not UTF-8 (GBK or Latin-1, perhaps)"),
            (codecs.BOM_UTF16_LE + HEADERS["rates"].encode("utf-16-le"), ": it is UTF-16, not UTF-8"),
            (HEADERS["rates"].encode("utf-16-be"), ": it is UTF-16, not UTF-8"),
            (b"PK\x03\x04\x14\x00\x06\x00", ": it is a workbook, not a CSV file"),
        ],
    )
    def test_of_the_encoding(self, content: bytes, problem: str) -> None:
        assert told_of("rates", content) == [f"rates.csv{problem}; {SAVE_AS}."]

    @pytest.mark.parametrize(
        "content",
        [
            codecs.BOM_UTF8 + f"{HEADERS['rates']}\n{rate(source='合同')}\n".encode(),
            f'# one,\r\n{HEADERS["rates"]}\r\n\r\n{rate()}\r\n# "two\r\n,,,,,,,,\r\n'.encode(),
            f"{HEADERS['rates']}\r{rate()}\r".encode(),
            f" {HEADERS['rates']}\n {rate()}".replace(",", " ,\t").encode(),
            f"{HEADERS['rates']}\n{rate(source=QUOTED)}".encode(),
        ],
        ids=["a byte order mark", "windows", "old mac", "spaces", "quotes"],
    )
    def test_what_is_read_all_the_same(self, content: bytes) -> None:
        rows, problems = check_table("rates", content)
        assert problems == []
        (row,) = rows
        assert (row.values["region_id"], row.values["currency"], row.values["valid_to"]) == ("cn-hangzhou", "USD", None)

    def test_columns_may_stand_in_any_order(self) -> None:
        names = RATE_COLUMNS[::-1]
        content = "\n".join([",".join(names), ",".join(RATE.get(name, "") for name in names)])
        assert told_of("rates", content.encode()) == []


class TestCells:
    """What a column cannot hold."""

    @pytest.mark.parametrize("column", ["region_id", "currency", "price_per_cu_hour", "price_kind", "valid_from", "source"])
    def test_what_must_be_there(self, column: str) -> None:
        assert told("rates", rate(**{column: " "})) == [f"rates.csv, row 2, column {column}: it is empty; write its value."]

    @pytest.mark.parametrize(
        ("column", "cell", "problem"),
        [
            ("valid_from", "yesterday", "'yesterday' is no date; write it as 2026-01-31."),
            ("valid_from", "2026-02-30", "'2026-02-30' is no date; write it as 2026-01-31."),
            ("valid_from", "20260131", "'20260131' is no date; write it as 2026-01-31."),
            ("valid_from", "2026-W05-6", "'2026-W05-6' is no date; write it as 2026-01-31."),
            ("valid_from", "2026-01-31T00:00:00", "'2026-01-31T00:00:00' is no date; write it as 2026-01-31."),
            *(
                ("valid_to", cell, f"'{cell}' is a date as a spreadsheet writes it; write it as 2026-01-31; {AS_TEXT}.")
                for cell in ("1/2/2026", "01.02.26", "2026/1/2", "1/2/2026 0:00", "46023", "########")
            ),
            ("price_per_cu_hour", "cheap", "'cheap' is no decimal number; write it as 0.05, without currency or unit."),
            ("price_per_cu_hour", "$0.05", "'$0.05' is no decimal number; write it as 0.05, without currency or unit."),
            ("price_per_cu_hour", "5E-02", "'5E-02' is no decimal number; write it as 0.05, without currency or unit."),
            ("price_per_cu_hour", "NaN", "'NaN' is no decimal number; write it as 0.05, without currency or unit."),
            ("price_per_cu_hour", "-0.05", "'-0.05' is negative; write a price from 0 up."),
            ("price_per_cu_hour", "(0.05)", "'(0.05)' is negative; write a price from 0 up."),
            *(
                ("price_per_cu_hour", f'"{cell}"', f"{cell!r} has a comma in it, or something between the thousands; {POINT}.")
                for cell in ("0,05", "1,234.5", "1.234,5", "1 234", "1'234.5")
            ),
            *(
                ("price_per_cu_hour", cell, f"'{cell}' has too many digits; write at most 12 before the point and 6 after it.")
                for cell in ("0.0503021", "1000000000000")
            ),
            ("currency", "usd", "'usd' is no currency; write three capitals, such as USD or CNY."),
            ("currency", "¥", "'¥' is no currency; write three capitals, such as USD or CNY."),
            ("price_kind", "Listed", "'Listed' is no kind of price; write list or contracted."),
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
    def test_of_a_rate(self, column: str, cell: str, problem: str) -> None:
        assert told("rates", rate(**{column: cell})) == [f"rates.csv, row 2, column {column}: {problem}"]

    @pytest.mark.parametrize("price", ["0", "0.050302", "0.0500000000", "999999999999.999999", "007"])
    def test_prices_that_can_be_held(self, price: str) -> None:
        assert told("rates", rate(price_per_cu_hour=price)) == []

    @pytest.mark.parametrize("path", ["/growth", "growth/", "growth//ads", "growth / ads", "/"])
    def test_owners_with_empty_parts(self, path: str) -> None:
        problem = f"owners.csv, row 2, column owner: {path!r} has an empty part, or a space beside a slash; {PATH}."
        assert told("owners", owner(owner=path, tag_key="team")) == [problem]

    def test_of_a_rule(self) -> None:
        assert told("owners", owner(tag_key="team"), owner(owner="Unallocated"), owner(owner="a", creator="2.02E+17")) == [
            "owners.csv, row 2, column owner: it is empty; write its value.",
            (
                "owners.csv, row 3, column owner: 'Unallocated' is the name of what no rule matches; write another name, or leave"
                " the rule out."
            ),
            (
                f"owners.csv, row 4, column creator: '2.02E+17' is a number that a spreadsheet has shortened; write the whole id;"
                f" {AS_TEXT}."
            ),
        ]

    def test_a_long_value_is_shown_short_and_without_what_a_terminal_would_obey(self) -> None:
        (line,) = told("rates", rate(currency="\x1b[31m" + "x" * 1000))
        assert line.isprintable()
        assert len(line) < 200


class TestRates:
    """The rules over all rows of rates.csv. Where they are kept and where not is also tried at random, in test_rate_scopes.py."""

    def test_an_overlap(self) -> None:
        first = rate(valid_to="2026-07-01", workspace_id="w-one", resource_queue_id="dev")
        second = rate(valid_from="2026-06-30", workspace_id="w-one", resource_queue_id="dev")
        assert told("rates", first, second) == [
            (
                "rates.csv, row 3, column valid_from: it overlaps row 2: both hold on 2026-06-30 for cn-hangzhou, w-one, dev; end"
                " the earlier one (valid_to) on the day on which the later one begins (valid_from)."
            )
        ]

    def test_a_gap(self) -> None:
        assert told("rates", rate(valid_from="2026-07-02"), rate(valid_to="2026-07-01")) == [
            (
                "rates.csv, row 2, column valid_from: there is a gap from 2026-07-01 to 2026-07-02, after row 3, for cn-hangzhou;"
                " let it begin on 2026-07-01, or row 3 end on 2026-07-02, or add a row for these days."
            )
        ]

    def test_mixed_currencies(self) -> None:
        assert told("rates", rate(valid_to="2026-07-01"), rate(valid_from="2026-07-01", currency="CNY")) == [
            "rates.csv, row 3, column currency: it is CNY, and row 2 is USD for cn-hangzhou; give one scope one currency."
        ]

    @pytest.mark.parametrize("last_day", ["2026-01-01", "2025-12-31"])
    def test_an_end_that_is_not_after_the_beginning(self, last_day: str) -> None:
        assert told("rates", rate(valid_to=last_day)) == [
            (
                f"rates.csv, row 2, column valid_to: {last_day} is not after valid_from, 2026-01-01; write the first day on which"
                " it no longer holds, or leave it empty."
            )
        ]

    def test_a_broken_cell_brings_no_further_problems(self) -> None:
        """Without its price a row still fills its days, and without its dates it may be the one that fills a gap."""
        chain = [
            rate(valid_to="2026-02-01"),
            rate(valid_from="2026-02-01", valid_to="2026-03-01"),
            rate(valid_from="2026-03-01"),
        ]
        assert told("rates", *chain) == []
        for cell in ({"price_per_cu_hour": "x"}, {"currency": "x"}, {"valid_from": "x"}, {"valid_to": "x"}, {"region_id": ""}):
            middle = rate(**({"valid_from": "2026-02-01", "valid_to": "2026-03-01"} | cell))
            (line,) = told("rates", chain[0], middle, chain[2])
            assert line.startswith("rates.csv, row 3, column ")
        (line,) = told("rates", chain[0], f"{chain[1]},", chain[2])
        assert line.startswith("rates.csv, row 3: it has 10 values")
        (line,) = told("rates", chain[0], f'"{chain[1]}', chain[2])
        assert line.startswith("rates.csv, row 3: it cannot be read as CSV")

    def test_what_is_certain_is_told_beside_a_broken_cell(self) -> None:
        assert len(told("rates", rate(), rate(currency="CNY"), rate(valid_from="x"))) == 3
        elsewhere = rate(region_id="us-east-1", valid_from="x")
        broken, gap = told("rates", elsewhere, rate(valid_to="2026-02-01"), rate(valid_from="2026-03-01"))
        assert broken.startswith("rates.csv, row 2, column valid_from: 'x' is no date")
        assert gap.startswith("rates.csv, row 4, column valid_from: there is a gap from 2026-02-01 to 2026-03-01")


class TestOwners:
    """The rules over all rows of owners.csv."""

    def test_a_rule_that_can_never_match(self) -> None:
        first = owner(owner="growth", tag_key="Team", tag_value="Ads", valid_from="2026-01-01")
        second = owner(owner="risk", tag_key="team", tag_value="ads", valid_from="2026-02-01", valid_to="2026-03-01")
        assert told("owners", first, second) == [
            (
                "owners.csv, row 3: it can never match: row 2 has the same conditions, for the same days, and comes first; take"
                " one of them out, or give them different days."
            )
        ]

    def test_rules_with_the_same_conditions_that_can_match(self) -> None:
        dated = owner(owner="growth", job_name="ads_*", valid_from="2026-01-01", valid_to="2026-02-01")
        always = owner(owner="risk", job_name="ads_*")
        other_case = owner(owner="risk", job_name="ADS_*")
        assert told("owners", dated, always, other_case) == []

    def test_a_rule_without_conditions_before_others(self) -> None:
        everything = owner(owner="platform", valid_to="2026-02-01")
        assert told("owners", everything, owner(owner="growth", tag_key="team")) == [
            (
                "owners.csv, row 2: a rule without any condition stands before others and takes their runs; fill in a condition,"
                " or move it to the end of the file."
            )
        ]
        assert told("owners", owner(owner="growth", tag_key="team"), everything, owner(owner="data")) == []

    def test_a_value_without_its_key(self) -> None:
        assert told("owners", owner(owner="growth", tag_value="ads")) == [
            "owners.csv, row 2, column tag_key: a tag_value stands without its tag_key; write the tag's key."
        ]
        assert told("owners", owner(owner="growth", tag_key="team")) == []

    def test_one_owner_in_two_ways(self) -> None:
        assert told("owners", owner(owner="Growth/ads", tag_key="a"), owner(owner="growth/Ads", tag_key="b")) == [
            "owners.csv, row 3, column owner: 'growth/Ads' is 'Growth/ads' in row 2; write one owner in one way."
        ]

    def test_an_end_that_is_not_after_the_beginning(self) -> None:
        (line,) = told("owners", owner(owner="a", tag_key="b", valid_from="2026-01-01", valid_to="2026-01-01"))
        assert line.startswith("owners.csv, row 2, column valid_to: 2026-01-01 is not after valid_from, 2026-01-01;")


def test_a_list_price_that_is_there_twice() -> None:
    row = "cn-hangzhou,USD,{},{},https://example.com"
    rows = [row.format("0.05", "2026-03-18"), row.format("0.06", "2026-04-01"), row.format("0.07", "2026-03-18")]
    assert told("list_prices", *rows) == [
        "list_prices.csv, row 4: it has the region, currency and page_date of row 2; take one of them out."
    ]


def test_all_problems_of_all_files_at_once(tmp_path: Path) -> None:
    """In the order of the files and their rows, and with the exit code of wrong use."""
    files = {
        "rates": [
            rate(price_per_cu_hour="-1", currency="usd"),
            rate(valid_from="2027-01-01"),
            rate(region_id="us-east-1", price_kind="x"),
        ],
        "owners": [owner(owner="platform"), owner(owner="growth", tag_key="team", valid_to="soon")],
        "list_prices": ["cn-hangzhou,USD,0.05,1/2/2026,https://example.com"],
    }
    for table, rows in files.items():
        (tmp_path / f"{table}.csv").write_text("\n".join([HEADERS[table], *rows]), encoding="utf-8")
    with pytest.raises(InvalidInputsError) as caught:
        read_inputs(tmp_path)
    first, *lines = str(caught.value).splitlines()
    assert first == f"6 problems in {tmp_path}; nothing was written:"
    assert [line.partition(": ")[0] for line in lines] == [
        "rates.csv, row 2, column currency",
        "rates.csv, row 2, column price_per_cu_hour",
        "rates.csv, row 3, column valid_from",
        "rates.csv, row 4, column price_kind",
        "owners.csv, row 3, column valid_to",
        "list_prices.csv, row 2, column page_date",
    ]
    failure = explain(caught.value, "emr.duckdb")
    assert (failure.exit_code, failure.code, failure.sentence) == (USAGE, "InvalidInputs", str(caught.value))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "owners.csv").mkdir()
    with pytest.raises(InvalidInputsError) as caught:
        read_inputs(tmp_path)
    assert str(caught.value).splitlines() == [
        f"A problem in {tmp_path}; nothing was written:",
        "owners.csv: it cannot be read (Is a directory); check what is there.",
    ]
