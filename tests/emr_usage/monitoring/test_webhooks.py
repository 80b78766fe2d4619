"""Webhooks are called once, with a timeout, and messages show only their host."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator

import pytest

from emr_usage.monitoring import webhooks
from emr_usage.monitoring.webhooks import Webhook, send_webhooks
from receiver import Behaviour, Receiver, receiving

SECRET = "SecretOfTheAddress"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


def to(receiver: Receiver, code_key: str | None = None) -> Webhook:
    return Webhook(
        "ping", f"{receiver.url.replace('//', f'//user:{SECRET}@')}/{SECRET}?token={SECRET}", {"text": "杭州"}, code_key
    )


def test_webhooks_with_a_body_use_post_and_others_use_get(receiver: Receiver) -> None:
    assert send_webhooks([Webhook("ping", f"{receiver.url}/a?b=c"), to(receiver)]) == []
    assert sorted(receiver.received, key=str) == [
        ("GET", "/a?b=c", None),
        ("POST", f"/{SECRET}?token={SECRET}", {"text": "杭州"}),
    ]


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_an_error_is_one_sentence_and_printed_once(receiver: Receiver, status: int) -> None:
    receiver.status = status
    assert send_webhooks([to(receiver)]) == [f"The ping to 127.0.0.1 failed: it answered with status {status}."]
    assert len(receiver.received) == 1


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    with receiving() as other:
        receiver.behaviour, receiver.redirect_to = "redirect", f"{other.url}/elsewhere"
        (failure,) = send_webhooks([to(receiver)])
        assert other.received == []
    assert "it redirects elsewhere (status 302), which is not followed" in failure


@pytest.mark.parametrize("behaviour", ["hang", "drip"])
def test_unfinished_responses_time_out(receiver: Receiver, monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour) -> None:
    """The call returns while the server still holds the request, and the other server receives its own."""
    monkeypatch.setattr(webhooks, "STEP_SECONDS", 0.3)
    monkeypatch.setattr(webhooks, "ALL_SECONDS", 0.6)
    receiver.behaviour = behaviour
    with receiving() as other:
        failures = send_webhooks([to(receiver, "code"), to(other)])
        assert len(other.received) == 1
    assert not receiver.released.is_set()
    assert len(failures) == 1
    assert "no answer within" in failures[0]


def test_a_closed_port_is_reported() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/{SECRET}"
        assert send_webhooks([Webhook("ping", url)]) == [
            "The ping to 127.0.0.1 failed: it cannot be reached (ConnectionRefusedError)."
        ]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"errcode": 0, "errmsg": "ok"}, None),
        ({"errcode": 310000, "errmsg": SECRET}, "it refused the message (code 310000)"),
        ({"errcode": SECRET}, "it refused the message"),
        ({"other": 1}, "its answer is not the expected JSON"),
        ([SECRET], "its answer is not the expected JSON"),
        (["x" * 100_000], "its answer is not the expected JSON"),
    ],
)
def test_an_error_inside_a_success_response_is_detected(receiver: Receiver, answer: object, sentence: str | None) -> None:
    receiver.answer = answer
    assert send_webhooks([to(receiver, "errcode")]) == ([f"The ping to 127.0.0.1 failed: {sentence}."] if sentence else [])


@pytest.mark.parametrize("behaviour", ["answer", "redirect", "nobody"])
def test_no_webhook_url_is_logged_or_shown(receiver: Receiver, caplog: pytest.LogCaptureFixture, behaviour: str) -> None:
    caplog.set_level(logging.DEBUG)
    webhook = to(receiver)
    if behaviour == "redirect":
        receiver.behaviour, receiver.redirect_to = "redirect", f"{receiver.url}/{SECRET}"
    if behaviour == "nobody":
        webhook = Webhook("ping", f"http://127.0.0.1:1/{SECRET}")
    failures = send_webhooks([webhook])
    assert SECRET not in caplog.text + repr(failures) + repr(webhook)
