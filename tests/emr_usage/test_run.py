"""The command of the nightly schedule: load, build and report with one exit code."""

from __future__ import annotations

import json

from command import Desk
from emr_usage.emulator import AccessKey, Faults

RATES = "region_id,workspace_id,resource_queue_id,currency,price_per_cu_hour,price_kind,valid_from,valid_to,source\n"


def test_one_command_loads_builds_and_reports(desk: Desk) -> None:
    inputs = desk.folder / "inputs"
    inputs.mkdir()
    regions = sorted(set(desk.regions.values()))
    (inputs / "rates.csv").write_text(RATES + "".join(f"{region},,,USD,0.05,list,2020-01-01,,a page\n" for region in regions))
    month = f"{desk.emulator.clock.now():%Y-%m}"
    done = desk.run("run", "--json", *desk.source_options, "--month", month)
    assert (done.code, done.complaints) == (0, []), done
    facts = json.loads(done.out)
    assert (facts["status"], facts["exit_code"]) == ("complete", 0)
    assert facts["load"]["windows"].keys() == {"complete"}
    assert facts["build"]["checks"] > 20
    assert facts["report"]["month"] == month
    (page,) = facts["report"]["files"]
    assert (desk.folder / page).exists()
    desk.assert_whole()
    ((cost,),) = desk.query(
        f"SELECT sum(estimated_cost) FROM emr_marts.chargeback_monthly WHERE billing_month = DATE '{month}-01'"
    )
    assert f"USD {cost:,.2f}" in facts["report"]["headline"]


def test_people_are_told_each_step_and_the_report_last(desk: Desk) -> None:
    done = desk.run("run", *desk.source_options, "--output", "pages")
    assert done.code == 0, done
    lines = done.out.splitlines()
    assert "windows certified" in lines[0]
    assert any("models made" in line for line in lines)
    assert lines[-1].startswith("Report: pages/emr-usage-")


def test_what_is_incomplete_is_built_and_reported_and_said(desk: Desk) -> None:
    denied = min(desk.regions)
    desk.emulator.faults = Faults(denied={denied: (403, "Forbidden.RAM")})
    done = desk.run("run", "--json", *desk.source_options)
    assert done.code == 3, done
    facts = json.loads(done.out)
    assert facts["status"] == "incomplete"
    assert {part["workspace_id"] for part in facts["load"]["incomplete"]} == {denied}
    month = facts["report"]["month"]
    page = (desk.folder / "reports" / f"emr-usage-{month}.html").read_text(encoding="utf-8")
    assert "Not all of the month is certified complete" in page
    assert denied in page


def test_where_nothing_could_be_loaded_nothing_is_made(desk: Desk) -> None:
    desk.emulator.access_keys = (AccessKey("another", "key"),)
    done = desk.run("run", "--json", *desk.source_options)
    assert done.code == 1, done
    assert done.sentence
    assert not (desk.folder / "reports").exists()


def test_wrong_inputs_end_it_with_their_problems_and_the_load_stays(desk: Desk) -> None:
    inputs = desk.folder / "inputs"
    inputs.mkdir()
    (inputs / "rates.csv").write_text(RATES + "cn-hangzhou,,,USD,-1,list,2020-01-01,,a page\n")
    done = desk.run("run", *desk.source_options)
    assert done.code == 2, done
    told = desk.run("run", "--json", *desk.source_options)
    facts = json.loads(told.out)
    assert (facts["exit_code"], facts["error"]["code"]) == (2, "InvalidInputs")
    assert facts["load"]["status"] == "complete"
    assert "rates.csv, row 2, column price_per_cu_hour" in done.err
    desk.assert_whole()
