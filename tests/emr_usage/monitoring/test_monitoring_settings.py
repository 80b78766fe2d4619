"""Webhook URLs from options, environment variables or secrets.toml; invalid ones are refused without being printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dlt.common.configuration.container import Container
from dlt.common.configuration.specs import PluggableRunContext

from emr_serverless import CheckSettingsError
from emr_usage.monitoring.notification import Recipient
from emr_usage.monitoring.settings import Recipients, ping_address, read_recipients

SECRET = "SecretOfTheAddress"


@pytest.fixture(autouse=True)
def settings_folder(tmp_path: Path) -> Iterator[Path]:
    """Return the folder of the settings' files; those of before are back afterwards."""
    context = Container()[PluggableRunContext]
    before = context.context.run_dir
    (tmp_path / ".dlt").mkdir()
    context.reload(str(tmp_path))
    yield tmp_path / ".dlt"
    context.reload(before)


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"[emr_usage]\n{text}\n", encoding="utf-8")
    Container()[PluggableRunContext].reload(str(folder.parent))


def test_there_are_no_recipients_without_settings() -> None:
    assert read_recipients(None, None, None, can_ping=True) == Recipients()


def test_options_override_environment_variables_which_override_files(
    settings_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(settings_folder, "secrets.toml", 'notify_url = "https://file/"\nping_url = "https://file/ping"')
    write(settings_folder, "config.toml", 'notify_format = "dingtalk"')
    assert read_recipients(None, None, None, can_ping=True) == Recipients(
        Recipient("https://file/", "dingtalk"), "https://file/ping"
    )
    monkeypatch.setenv("EMR_USAGE__NOTIFY_URL", "https://open.feishu.cn/x")
    monkeypatch.setenv("EMR_USAGE__NOTIFY_SECRET", SECRET)
    found = read_recipients(None, "feishu", None, can_ping=False)
    assert found == Recipients(Recipient("https://open.feishu.cn/x", "feishu", SECRET))
    assert SECRET not in repr(found)
    found = read_recipients("https://option/", "feishu", "https://option/ping", can_ping=True)
    assert found == Recipients(Recipient("https://option/", "feishu", SECRET), "https://option/ping")


@pytest.mark.parametrize(
    "url", [f"ftp://h/{SECRET}", f"h/{SECRET}", f"https:///{SECRET}", f"https://h:x/{SECRET}", f"https://h/{SECRET}\n"]
)
@pytest.mark.parametrize("name", ["notify_url", "ping_url"])
def test_an_invalid_url_is_refused_and_not_shown(name: str, url: str) -> None:
    options = {"notify_url": (url, None, None), "ping_url": (None, None, url)}
    with pytest.raises(CheckSettingsError) as caught:
        read_recipients(*options[name], can_ping=True)
    sentence = str(caught.value)
    assert f"The setting {name} cannot be used. It must be an http or https address." in sentence
    assert f"EMR_USAGE__{name.upper()} or --{name.removesuffix('_url')}." in sentence
    assert SECRET not in sentence


def test_an_unknown_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMR_USAGE__NOTIFY_FORMAT", "irc")
    with pytest.raises(CheckSettingsError, match=r"notify_format = 'irc' cannot be used\. It must be one of json, slack"):
        read_recipients(None, None, None, can_ping=True)


def test_a_secret_for_a_format_without_signatures_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMR_USAGE__NOTIFY_SECRET", SECRET)
    with pytest.raises(CheckSettingsError, match="for dingtalk and feishu only, and the format is slack") as caught:
        read_recipients("https://hooks.slack.com/x", None, None, can_ping=True)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("name", ["EMR_USAGE__NOTIFY_URLS", "EMR_USAGE__notify_url", "EMR_USAGE__PINGURL", "EMR_USAGE__NOTIFY"])
def test_a_misspelled_setting_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, f"https://h/{SECRET}")
    with pytest.raises(
        CheckSettingsError, match=rf"{name} in the environment is not a setting. Did you mean EMR_USAGE__"
    ) as caught:
        read_recipients(None, None, None, can_ping=True)
    assert SECRET not in str(caught.value)


def test_a_webhook_url_in_the_committed_file_is_refused(settings_folder: Path) -> None:
    write(settings_folder, "config.toml", f'ping_url = "https://h/{SECRET}"')
    with pytest.raises(
        CheckSettingsError, match=r"emr_usage\.ping_url in config\.toml is a secret\. Move it to \.dlt/secrets\.toml"
    ) as caught:
        read_recipients(None, None, None, can_ping=True)
    assert SECRET not in str(caught.value)


def test_the_ping_suffix_is_appended_to_the_path() -> None:
    assert ping_address("https://h/uuid", "/start") == "https://h/uuid/start"
    assert ping_address("https://h/key/slug/?create=1", "/fail") == "https://h/key/slug/fail?create=1"
    assert ping_address("https://h/key/slug/?create=1") == "https://h/key/slug/?create=1"
