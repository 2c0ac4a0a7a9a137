"""`stance label` writes JSON lines and says where its default is not made for so little."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli.commands.rules import label
from pipeline.errors import SettingsError
from pipeline.settings.weak import LabelModel

BOOK = Path(__file__).parents[2] / "codebooks" / "tiny.yaml"


@pytest.fixture
def statement(tmp_path: Path) -> Path:
    path = tmp_path / "a.txt"
    path.write_text("The soup was excellent. A rude waiter came.", encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["weak.csv", "weak.json", "weak"])
def test_a_labelled_file_is_json_lines_and_says_so(statement: Path, name: str) -> None:
    out = statement.with_name(name)
    with pytest.raises(SettingsError, match=r"a labelled file is JSON lines; give a name in .json"):
        label([str(statement)], out, codebook=BOOK)
    assert not out.exists()


def test_few_sentences_are_no_case_for_estimating_the_rules(
    statement: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = statement.with_name("weak.jsonl")
    label([str(statement)], out, codebook=BOOK)
    assert "2 sentences are few (from about 1,000 on)" in capsys.readouterr().err
    label([str(statement)], out, model=LabelModel.WEIGHTS, codebook=BOOK)
    assert "are few" not in capsys.readouterr().err
