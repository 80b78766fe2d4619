"""The message about the end of a command, in the format of each chat service, signed as documented by its vendor."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from emr_usage.defaults import NOTIFY_FORMATS
from emr_usage.monitoring.command_result import CommandResult
from emr_usage.monitoring.notification import Recipient, format_of, notification

NOW = datetime(2026, 11, 1, 2, tzinfo=UTC)


def result(exit_code: int = 1, **parts: Any) -> CommandResult:
    return CommandResult("load", "emr.duckdb", exit_code, NOW, 61.4, {}, **parts)


def test_the_message_contains_the_command_its_status_and_the_problems() -> None:
    webhook = notification(Recipient("http://h/", "json"), result(3, problems=["Incomplete: <w-one>\n & more"]), "etl-1")
    assert webhook.body == {
        "text": "emr-usage load: incomplete (exit code 3), emr.duckdb on etl-1, after 61 s\nIncomplete: <w-one> & more",
        "command": "load",
        "status": "incomplete",
        "exit_code": 3,
        "target": "emr.duckdb",
        "host": "etl-1",
        "ended_at": "2026-11-01T02:00:00+00:00",
        "seconds": 61.4,
        "problems": ["Incomplete: <w-one>\n & more"],
        "findings": [],
    }


def test_each_chat_service_gets_its_message_format() -> None:
    bodies = {
        name: notification(Recipient("http://h/", name), result(problems=["a < b & c"]), "x").body for name in NOTIFY_FORMATS
    }
    text = "emr-usage load: failed (exit code 1), emr.duckdb on x, after 61 s\na < b & c"
    assert bodies["slack"] == {"text": text.replace("&", "&amp;").replace("<", "&lt;")}
    assert bodies["dingtalk"] == {"msgtype": "text", "text": {"content": text}}
    assert bodies["feishu"] == {"msg_type": "text", "content": {"text": text}}


def test_the_host_selects_the_chat_format() -> None:
    hosts = ("hooks.slack.com", "oapi.dingtalk.com", "open.feishu.cn", "open.larksuite.com", "hooks.slack.com.example.org")
    assert [format_of(f"https://{host}/x") for host in hosts] == ["slack", "dingtalk", "feishu", "feishu", "json"]


def test_signatures_match_openssl() -> None:
    """printf '%s\\n%s' 1793498400000 SECabc | openssl dgst -sha256 -hmac SECabc -binary | base64, and likewise for Feishu."""
    dingtalk = notification(Recipient("https://oapi.dingtalk.com/robot/send?access_token=t", "dingtalk", "SECabc"), result(), "x")
    assert dingtalk.url == (
        "https://oapi.dingtalk.com/robot/send?access_token=t&timestamp=1793498400000"
        "&sign=QwlnPB9aqUIRivJGJXnXx0pt1KEh8MpvNpPA4YLCiXI%3D"
    )
    feishu = notification(Recipient("https://open.feishu.cn/open-apis/bot/v2/hook/t", "feishu", "fs-secret"), result(), "x")
    assert feishu.body is not None
    assert (feishu.body["timestamp"], feishu.body["sign"]) == ("1793498400", "YaijCMCjdiQLEQ9BarSjKeCmw3yIRTnUn7m38Grx9/8=")


def test_messages_are_truncated() -> None:
    """Chat services reject messages above 20 KB."""
    webhook = notification(Recipient("http://h/", "slack"), result(problems=["杭" * 10_000] * 5_000), "x")
    assert webhook.body is not None
    assert len(webhook.body["text"].encode()) < 20_000
    assert webhook.body["text"].endswith("\nand 4,990 more: emr-usage status")


@pytest.mark.parametrize(
    ("exit_code", "findings", "is_sent"),
    [(0, [], "no"), (0, ["a"], "yes"), (1, [], "yes"), (2, [], "yes"), (3, [], "yes"), (4, [], "no")],
)
def test_a_notification_is_sent_for_failures_and_findings(exit_code: int, findings: list[str], is_sent: str) -> None:
    assert result(exit_code, findings=findings).is_worth_a_message is (is_sent == "yes")
