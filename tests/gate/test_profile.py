"""A profile says what a target is; what is wrong with it is one line that names file and key."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract_tests.profile import ProfileError, read_profile
from mockserver.contract import load_contract

KEY = "fm_api_test_not_to_be_shown"


def written(directory: Path, **members: Any) -> Path:
    """Write a profile with these members and return its file."""
    file = directory / "target.yaml"
    file.write_text(yaml.safe_dump({"base_url": "https://staging.example.com/", **members}))
    return file


def test_reads_keys_from_environment_and_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FULL_KEY", KEY)
    (tmp_path / "other.txt").write_text("fm_api_test_other\n")
    keys = {"full": "${FULL_KEY}", "other": "file:other.txt"}
    profile = read_profile(written(tmp_path, keys=keys), load_contract())

    assert "https://staging.example.com" == profile.base_url
    assert (KEY, "fm_api_test_other") == (profile.keys["full"].value, profile.keys["other"].value)
    assert KEY not in repr(profile)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        pytest.param({"keys": {"full": KEY}}, "keys.full: write ${NAME}", id="key-in-the-file"),
        pytest.param({"keys": {"full": "${NO_SUCH}"}}, "the variable NO_SUCH is not set", id="unset"),
        pytest.param({"keys": {"full": "${BLANK}"}}, "the variable BLANK is not set", id="blank"),
        pytest.param({"keys": {"full": "${TWO_LINES}"}}, "TWO_LINES holds no key", id="two-lines"),
        pytest.param({"keys": {"full": "file:gone"}}, "the file gone can't be read", id="no-file"),
        pytest.param({"keys": {"main": "${X}"}}, "keys: ", id="unknown-key"),
        pytest.param({"speed": 3}, "the profile: ", id="unknown-member"),
        pytest.param({"base_url": "ftp://x"}, "base_url: ", id="bad-url"),
        pytest.param({"base_url": "https://me:pw@x"}, "base_url: the URL holds a name", id="password"),
        pytest.param({"base_url": "https://x/\n`<b>\x1b[31m"}, "base_url: ", id="acting-url"),
        pytest.param({"base_url": "https://x:y/"}, "base_url: ", id="odd-port"),
        pytest.param({"base_url": "https://"}, "base_url: ", id="no-host"),
        pytest.param({"keys": {"full": "file:."}}, "the file . can't be read", id="folder"),
        pytest.param({"keys": {"full": "file:a\0b"}}, "can't be read", id="nul"),
        pytest.param({"keys": {"full": "file:target.yaml"}}, "holds no key", id="no-key"),
        pytest.param({"keys": {"full": "file:/dev/zero"}}, "holds no key", id="endless"),
        pytest.param({"keys": {"full": "file:/dev/null"}}, "holds no key", id="empty"),
        pytest.param({"keys": {"full": "file:pipe"}}, "holds no key", id="pipe"),
        pytest.param({"max_requests": 0}, "max_requests: ", id="no-budget"),
        pytest.param({"restricted_permissions": ["api_nothing"]}, "no permission api_nothing", id="permission"),
        pytest.param({"restricted_permissions": ["api_chats_list"]}, "need each other", id="no-restricted-key"),
    ],
)  # fmt: skip
def test_refuses(
    members: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLANK", " \t")
    monkeypatch.setenv("TWO_LINES", f"{KEY}\nmore")
    os.mkfifo(tmp_path / "pipe")
    file = written(tmp_path, **members)
    with pytest.raises(ProfileError) as caught:
        read_profile(file, load_contract())

    assert str(caught.value).startswith(f"{file}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value)
