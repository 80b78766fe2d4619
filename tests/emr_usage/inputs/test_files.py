"""Files and rows that cannot be read, with the complete error messages."""

from __future__ import annotations

import codecs

import pytest

from emr_usage.inputs.folder import check_table
from input_files import HEADERS, OWNER_COLUMNS, RATE, RATE_COLUMNS, rate, told, told_of

QUOTED = '"page 1, line ""2"""'
SAVE_AS = "save it as CSV UTF-8 (in Excel: Save As, CSV UTF-8; in LibreOffice: Text CSV, character set UTF-8)"
COMMA = "put one comma between columns, and quote values that contain a comma"
CLOSE = "quote the whole value or nothing, and double the quotes inside"


class TestFileFormat:
    """Files and rows that cannot be read."""

    @pytest.mark.parametrize(
        ("header", "problems"),
        [
            (
                HEADERS["rates"].removesuffix(",source"),
                [
                    (
                        "rates.csv, row 1, column source: the column is missing; add it to the header, and a value,"
                        " which may be empty, to each row."
                    )
                ],
            ),
            (
                f"{HEADERS['rates']},note",
                [(f"rates.csv, row 1: unknown column: 'note'; remove or correct it; the columns are {', '.join(RATE_COLUMNS)}.")],
            ),
            (
                f"{HEADERS['rates']},",
                [f"rates.csv, row 1: column 10 has no name; remove or correct it; the columns are {', '.join(RATE_COLUMNS)}."],
            ),
            (
                f"{HEADERS['rates']},currency",
                ["rates.csv, row 1, column currency: the column appears twice; remove one of them."],
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
    def test_invalid_headers_are_reported(self, header: str, problems: list[str]) -> None:
        """Rows under an invalid header are not checked, because their errors would only be consequences."""
        assert told_of("rates", f"{header}\n{rate(currency='dollars')}".encode()) == problems

    @pytest.mark.parametrize("content", ["", "\n\n", "# only\n# comments"])
    def test_a_missing_header_is_reported(self, content: str) -> None:
        problem = f"rates.csv: it has no header: {HEADERS['rates']}; add the header above the rows."
        assert told_of("rates", content.encode()) == [problem]

    def test_every_missing_column_is_reported(self) -> None:
        assert len(told_of("owners", b"owner,team\nx,y\n")) == len(OWNER_COLUMNS)

    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            (rate() + ",more", f"it has 10 values for 9 columns; {COMMA}."),
            (rate().removesuffix(",the page"), f"it has 8 values for 9 columns; {COMMA}."),
            (rate(price_per_cu_hour="1,234.5"), f"it has 10 values for 9 columns; {COMMA}."),
            (rate(source='"the\npage"'), "a value contains a line break; close its quotes on the same line."),
            (rate(source='"the page'), f"it cannot be read as CSV from here on (unexpected end of data); {CLOSE}."),
            (rate(source='"the" page'), f"it cannot be read as CSV from here on (',' expected after '\"'); {CLOSE}."),
            (f" #{rate()}", "the first value begins with #; start a comment at the beginning of the line, or remove the #."),
            # So a spreadsheet saves a comment with quotes in it.
            (
                '"# the ""dear"" queue",,,,,,,,',
                "the first value begins with #; start a comment at the beginning of the line, or remove the #.",
            ),
        ],
    )
    def test_malformed_rows_are_reported(self, line: str, problem: str) -> None:
        assert told("rates", "# a comment", "", line) == [f"rates.csv, row 4: {problem}"]

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (f"{HEADERS['rates']}\n{rate(source='合同')}\n".encode("gbk"), ", row 2: it is not UTF-8 (perhaps GBK or Latin-1)"),
            (codecs.BOM_UTF16_LE + HEADERS["rates"].encode("utf-16-le"), ": it is UTF-16, not UTF-8"),
            (HEADERS["rates"].encode("utf-16-be"), ": it is UTF-16, not UTF-8"),
            (codecs.BOM_UTF32_LE + HEADERS["rates"].encode("utf-32-le"), ": it is UTF-32, not UTF-8"),
            (b"PK\x03\x04\x14\x00\x06\x00", ": it is a workbook, not a CSV file"),
        ],
    )
    def test_invalid_encodings_are_reported(self, content: bytes, problem: str) -> None:
        assert told_of("rates", content) == [f"rates.csv{problem}; {SAVE_AS}."]

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (
                f"# one\n{HEADERS['rates']}\n{rate(source='a' + chr(0))}\n",
                ", row 3: it contains a NUL byte (a character of code 0)",
            ),
            (f"# one\r{HEADERS['rates']}\r{rate(source=chr(0) * 2)}\r", ", row 3: it contains 2 NUL bytes, the first here"),
            ("\0" * 4096, ", row 1: it contains 4,096 NUL bytes, the first here"),
        ],
        ids=["one", "old mac", "a file after a full disk"],
    )
    def test_nul_bytes_are_reported(self, content: str, problem: str) -> None:
        advice = "the file is damaged or not a text file: restore it, or remove them"
        assert told_of("rates", content.encode()) == [f"rates.csv{problem}; {advice}."]

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
    def test_valid_variations_of_a_header(self, content: bytes) -> None:
        rows, problems = check_table("rates", content)
        assert problems == []
        (row,) = rows
        assert (row.values["region_id"], row.values["currency"], row.values["valid_to"]) == ("cn-hangzhou", "USD", None)

    def test_columns_can_be_in_any_order(self) -> None:
        names = RATE_COLUMNS[::-1]
        content = "\n".join([",".join(names), ",".join(RATE.get(name, "") for name in names)])
        assert told_of("rates", content.encode()) == []
