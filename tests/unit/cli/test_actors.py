"""`stance actors` as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.errors import SettingsError

OWN = "actors:\n  talvera: {kind: country, name: Talvera, source: a study of mine}\n"


def _out(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["actors", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_mentions_are_linked_without_naming_a_sub_command() -> None:
    out = _out("Moscow", "Belgium and Talvera")
    assert "RUS" in out
    assert "seat of its government" in out
    assert "BEL" in out
    assert "not linked: no known actor" in out


def test_speaker_date_earlier_and_members_are_used() -> None:
    assert "KEN" in _out("we", "--speaker", "Kenya")
    assert "SYR" in _out("the regime", "--earlier", "the Syrian regime")
    assert "10 members" in _out("E10", "--members", "--date", "2021-05-05")
    assert "give --date" in _out("NATO", "--members")
    with pytest.raises(SettingsError, match="YYYY-MM-DD"):
        _out("NATO", "--date", "yesterday")


def test_a_file_of_one_s_own_is_checked_and_used(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(OWN, encoding="utf-8")
    assert "1 new actors, 1 names" in _out("check", str(path))
    assert "talvera" in _out("Talvera", "--actors", str(path))
    path.write_text(OWN.replace("country", "land"), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"own.yaml:2: .*kind"):
        _out("check", str(path))
