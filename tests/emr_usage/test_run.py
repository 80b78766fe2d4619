"""The command of the nightly schedule: load, build and report with one exit code."""

from __future__ import annotations

import json
import re

from cli_harness import CliHarness
from emr_usage.emulator import AccessKey, Faults

RATES = "region_id,workspace_id,resource_queue_id,currency,price_per_cu_hour,price_kind,valid_from,valid_to,source\n"


def test_one_command_loads_builds_and_reports(cli: CliHarness) -> None:
    inputs = cli.folder / "inputs"
    inputs.mkdir()
    regions = sorted(set(cli.regions.values()))
    (inputs / "rates.csv").write_text(RATES + "".join(f"{region},,,USD,0.05,list,2020-01-01,,a page\n" for region in regions))
    month = f"{cli.emulator.clock.now():%Y-%m}"
    done = cli.run("run", "--json", *cli.source_options, "--month", month, "--metrics", "emr.prom")
    assert (done.code, done.complaints) == (0, []), done
    measured = re.findall(
        r'^emr_usage_step_duration_seconds\{.*,step="(\w+)"\} ', (cli.folder / "emr.prom").read_text(), re.MULTILINE
    )
    assert sorted(measured) == ["build", "load", "report"]
    facts = json.loads(done.out)
    assert (facts["status"], facts["exit_code"]) == ("complete", 0)
    assert facts["load"]["windows"].keys() == {"complete"}
    assert facts["build"]["checks"] > 20
    assert facts["report"]["month"] == month
    (page,) = facts["report"]["files"]
    assert (cli.folder / page).exists()
    cli.assert_whole()
    ((cost,),) = cli.query(
        f"SELECT sum(estimated_cost) FROM emr_marts.chargeback_monthly WHERE billing_month = DATE '{month}-01'"
    )
    assert f"USD {cost:,.2f}" in facts["report"]["headline"]


def test_the_terminal_shows_each_step_and_the_report_last(cli: CliHarness) -> None:
    done = cli.run("run", *cli.source_options, "--output", "pages")
    assert done.code == 0, done
    lines = done.out.splitlines()
    assert "windows certified" in lines[0]
    assert any("models built" in line for line in lines)
    assert lines[-1].startswith("Report: pages/emr-usage-")


def test_an_incomplete_load_is_built_and_reported_with_exit_code_3(cli: CliHarness) -> None:
    denied = min(cli.regions)
    cli.emulator.faults = Faults(denied={denied: (403, "Forbidden.RAM")})
    done = cli.run("run", "--json", *cli.source_options)
    assert done.code == 3, done
    facts = json.loads(done.out)
    assert facts["status"] == "incomplete"
    assert {part["workspace_id"] for part in facts["load"]["incomplete"]} == {denied}
    month = facts["report"]["month"]
    page = (cli.folder / "reports" / f"emr-usage-{month}.html").read_text(encoding="utf-8")
    assert "Not all of the month is certified complete" in page
    assert denied in page


def test_nothing_is_created_if_nothing_can_be_loaded(cli: CliHarness) -> None:
    cli.emulator.access_keys = (AccessKey("another", "key"),)
    done = cli.run("run", "--json", *cli.source_options)
    assert done.code == 1, done
    assert done.sentence
    assert not (cli.folder / "reports").exists()


def test_invalid_inputs_end_the_run_with_their_errors_and_the_load_is_kept(cli: CliHarness) -> None:
    inputs = cli.folder / "inputs"
    inputs.mkdir()
    (inputs / "rates.csv").write_text(RATES + "cn-hangzhou,,,USD,-1,list,2020-01-01,,a page\n")
    done = cli.run("run", *cli.source_options)
    assert done.code == 2, done
    told = cli.run("run", "--json", *cli.source_options)
    facts = json.loads(told.out)
    assert (facts["exit_code"], facts["error"]["code"]) == (2, "InvalidInputs")
    assert facts["load"]["status"] == "complete"
    assert "rates.csv, row 2, column price_per_cu_hour" in done.err
    cli.assert_whole()
