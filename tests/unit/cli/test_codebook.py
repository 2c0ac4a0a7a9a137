"""`stance codebook check` takes its file as other checks do."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli.app import main

BOOK = Path(__file__).parents[2] / "codebooks" / "tiny.yaml"


def ended(arguments: list[str]) -> int:
    """Return the exit code of a call."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["stance", *arguments])
        patch.setattr("signal.signal", lambda *_: None)
        with pytest.raises(SystemExit) as end:
            main()
    return int(str(end.value.code))


@pytest.mark.parametrize("given", [[str(BOOK)], ["--codebook", str(BOOK)]])
def test_the_codebook_may_be_named_as_argument_or_option(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(["codebook", "check", *given]) == 0
    assert f"{BOOK}: kitchen_reviews 0.3 is valid" in capsys.readouterr().err


def test_two_codebooks_are_one_too_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(["codebook", "check", "other.yaml", "--codebook", str(BOOK)]) == 2
    assert "name one codebook" in capsys.readouterr().err
