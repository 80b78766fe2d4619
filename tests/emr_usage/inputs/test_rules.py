"""Rules over all rows of a file and over all files, with the complete error messages and no consequential errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from emr_usage.errors import InvalidInputsError
from emr_usage.exit_codes import USAGE
from emr_usage.failures import explain
from emr_usage.inputs import read_inputs
from input_files import HEADERS, owner, rate, told


class TestRates:
    """The rules over all rows of rates.csv; test_rate_scopes.py also tests them with generated tables."""

    def test_overlapping_rates_are_reported(self) -> None:
        first = rate(valid_to="2026-07-01", workspace_id="w-one", resource_queue_id="dev")
        second = rate(valid_from="2026-06-30", workspace_id="w-one", resource_queue_id="dev")
        assert told("rates", first, second) == [
            (
                "rates.csv, row 3, column valid_from: it overlaps row 2: both apply on 2026-06-30 for cn-hangzhou, w-one, dev;"
                " end the earlier one (valid_to) on the day on which the later one begins (valid_from)."
            )
        ]

    def test_gaps_between_rates_are_reported(self) -> None:
        assert told("rates", rate(valid_from="2026-07-02"), rate(valid_to="2026-07-01")) == [
            (
                "rates.csv, row 2, column valid_from: there is a gap from 2026-07-01 to 2026-07-02, after row 3, for cn-hangzhou;"
                " start it on 2026-07-01, end row 3 on 2026-07-02, or add a row for these days."
            )
        ]

    def test_currencies_may_change(self) -> None:
        assert told("rates", rate(valid_to="2026-07-01"), rate(valid_from="2026-07-01", currency="CNY")) == []

    @pytest.mark.parametrize("last_day", ["2026-01-01", "2025-12-31"])
    def test_an_end_that_is_not_after_the_start(self, last_day: str) -> None:
        assert told("rates", rate(valid_to=last_day)) == [
            (
                f"rates.csv, row 2, column valid_to: {last_day} is not after valid_from, 2026-01-01; write the first day on which"
                " it no longer applies, or leave it empty."
            )
        ]

    def test_an_invalid_cell_causes_no_further_errors(self) -> None:
        """A row without a price still covers its days, and a row without dates could fill a gap."""
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

    def test_other_errors_are_reported_together_with_an_invalid_cell(self) -> None:
        assert len(told("rates", rate(), rate(currency="CNY"), rate(valid_from="x"))) == 2
        elsewhere = rate(region_id="us-east-1", valid_from="x")
        broken, gap = told("rates", elsewhere, rate(valid_to="2026-02-01"), rate(valid_from="2026-03-01"))
        assert broken.startswith("rates.csv, row 2, column valid_from: 'x' is not a date")
        assert gap.startswith("rates.csv, row 4, column valid_from: there is a gap from 2026-02-01 to 2026-03-01")


class TestOwners:
    """The rules over all rows of owners.csv."""

    def test_a_rule_that_can_never_match(self) -> None:
        first = owner(owner="growth", tag_key="Team", tag_value="Ads", valid_from="2026-01-01")
        second = owner(owner="risk", tag_key="team", tag_value="ads", valid_from="2026-02-01", valid_to="2026-03-01")
        assert told("owners", first, second) == [
            (
                "owners.csv, row 3: it can never match: row 2 has the same conditions, for the same days, and comes first; remove"
                " one of them, or give them different days."
            )
        ]

    def test_rules_with_the_same_conditions_on_different_dates(self) -> None:
        dated = owner(owner="growth", job_name="ads_*", valid_from="2026-01-01", valid_to="2026-02-01")
        always = owner(owner="risk", job_name="ads_*")
        other_case = owner(owner="risk", job_name="ADS_*")
        assert told("owners", dated, always, other_case) == []

    def test_a_rule_without_conditions_before_others(self) -> None:
        everything = owner(owner="platform", valid_to="2026-02-01")
        assert told("owners", everything, owner(owner="growth", tag_key="team")) == [
            (
                "owners.csv, row 2: a rule without conditions precedes others and matches their runs; fill in a condition,"
                " or move it to the end of the file."
            )
        ]
        assert told("owners", owner(owner="growth", tag_key="team"), everything, owner(owner="data")) == []

    def test_a_tag_value_without_its_key_is_reported(self) -> None:
        assert told("owners", owner(owner="growth", tag_value="ads")) == [
            "owners.csv, row 2, column tag_key: a tag_value has no tag_key; write the key of the tag."
        ]
        assert told("owners", owner(owner="growth", tag_key="team")) == []

    def test_one_owner_spelled_in_two_ways(self) -> None:
        assert told("owners", owner(owner="Growth/ads", tag_key="a"), owner(owner="growth/Ads", tag_key="b")) == [
            "owners.csv, row 3, column owner: 'growth/Ads' is 'Growth/ads' in row 2; use one spelling for each owner."
        ]

    def test_an_end_that_is_not_after_the_start(self) -> None:
        (line,) = told("owners", owner(owner="a", tag_key="b", valid_from="2026-01-01", valid_to="2026-01-01"))
        assert line.startswith("owners.csv, row 2, column valid_to: 2026-01-01 is not after valid_from, 2026-01-01;")


def test_a_duplicate_list_price() -> None:
    row = "cn-hangzhou,USD,{},{},https://example.com"
    rows = [row.format("0.05", "2026-03-18"), row.format("0.06", "2026-04-01"), row.format("0.07", "2026-03-18")]
    assert told("list_prices", *rows) == [
        "list_prices.csv, row 4: it has the region, currency and page_date of row 2; remove one of them."
    ]


def test_all_errors_of_all_files_are_reported_together(tmp_path: Path) -> None:
    """In the order of the files and their rows, with the exit code of invalid usage."""
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
        "owners.csv: it cannot be read (Is a directory); check the file.",
    ]
