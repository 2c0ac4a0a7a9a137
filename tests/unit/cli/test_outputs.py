"""No command writes over what it reads, however its file is spelt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.errors import InputError

OUTPUTS = {"--out", "--report", "--html", "--csv", "--disputed"}
CODEBOOK = "--codebook cb.yaml"
# A command and which of its files is also written: IN is read, OUT is another name of it.
REFUSED = (
    "aggregate IN -o folder",
    "aggregate other.jsonl --actors IN -o folder",
    "agreement IN -o OUT",
    "agreement other.jsonl IN --disputed OUT",
    "annotate adjudicate IN --decisions other.jsonl -o OUT",
    "annotate adjudicate other.jsonl --decisions IN -o OUT",
    f"annotate import other.jsonl -o OUT {CODEBOOK}",
    "annotate export IN --to jsonl -o OUT",
    "annotate import IN -o OUT",
    "attribute IN -o OUT",
    "attribute other.jsonl --actors IN -o OUT",
    "classify other.jsonl --calibrate-on IN --max-risk 0.1 -o OUT",
    "classify other.jsonl --codebook IN -o OUT",
    "compare run --on IN -o OUT",
    "compare run --config IN -o OUT",
    "curve IN -o OUT",
    "curve other.jsonl --config IN -o OUT",
    "data correct OUT --patch IN",
    "estimate IN --draw 1 -o OUT",
    "estimate other.jsonl --sample IN -o OUT",
    "evaluate IN -o OUT",
    "evaluate IN --report OUT",
    "evaluate other.jsonl --behaviour IN -o OUT",
    "evaluate other.jsonl --max-risk 0.1 --calibrate-on IN --report OUT",
    "ingest IN -o OUT",
    "label IN -o OUT",
    "label other.jsonl --known IN -o OUT",
    "label other.jsonl --annotations IN -o OUT",
    "report IN -o OUT",
    "report other.jsonl --attributions IN -o OUT",
    "rules report IN --html OUT",
    "rules report --gold IN --csv OUT",
    "segment IN -o OUT",
    "suggest IN -n 1 -o OUT",
    "suggest other.jsonl --labelled IN -n 1 -o OUT",
    "suspects IN -o OUT",
)
# What is written beside the output is an output as well.
BESIDE = {
    "annotate adjudicate IN --decisions other.jsonl -o out.jsonl": "out.jsonl.rejects.jsonl",
    "annotate export IN --to label-studio -o out.json": "out.interface.xml",
    "annotate import IN -o out.jsonl": "out.jsonl.rejects.jsonl",
    "agreement IN -o out.html": "out.html.rejects.jsonl",
    "agreement IN --disputed out.json": "out.interface.xml",
    "label other.jsonl --known IN -o out.jsonl": "out.jsonl.rejects.jsonl",
    "suggest IN -n 1 -o out.jsonl": "out.jsonl.rejects.jsonl",
    "suggest other.jsonl --labelled IN -n 1 -o out.jsonl": "out.before.jsonl",
}
ENDINGS = {"suspects": ".csv", "curve": ".csv", "agreement": ".html", "report": ".html"}
CONTENT = '{"text": "We condemn it."}\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "other.jsonl").write_text(CONTENT)
    (tmp_path / "cb.yaml").write_text(CONTENT)
    return tmp_path


def refused(command: str) -> None:
    done = CliRunner().invoke(app, command.split())
    assert isinstance(done.exception, InputError), done.output
    assert "would replace it. Give the output another name" in str(done.exception)


@pytest.mark.parametrize("spelling", ["same", "with detour", "link"])
@pytest.mark.parametrize("command", REFUSED)
def test_a_command_does_not_write_over_its_input(command: str, spelling: str, folder: Path) -> None:
    words = command.split()
    ending = ENDINGS.get(words[0], ".jsonl")
    if "--disputed" in words:
        ending = ".jsonl"
    read = folder / ("cb.yaml" if CODEBOOK in command else f"in{ending}")
    if words[0] == "aggregate":  # its outputs have names of their own
        read = folder / "folder" / "about.md"
    read.write_text(CONTENT)
    (link := folder / f"link{ending}").symlink_to(read)
    detour = f"{folder}/folder/../{read.relative_to(folder)}"
    other = {"same": str(read), "with detour": detour, "link": str(link)}[spelling]
    given = str(read) if "OUT" in words else other
    refused(command.replace("IN", given).replace("OUT", other))
    assert read.read_text() == CONTENT


@pytest.mark.parametrize("command", BESIDE)
def test_nor_what_it_writes_beside_its_output(command: str, folder: Path) -> None:
    read = folder / BESIDE[command]
    read.write_text(CONTENT)
    refused(command.replace("IN", str(read)))
    assert read.read_text() == CONTENT


def test_every_command_with_an_output_is_tested() -> None:
    def commands(group: object, name: str = "") -> Iterator[str]:
        for word, command in getattr(group, "commands", {}).items():
            yield from commands(command, f"{name} {word}")
        if any(OUTPUTS & set(option.opts) for option in getattr(group, "params", ())):
            yield name.strip()

    tested = set(commands(typer.main.get_command(app)))
    covered = {name for name in tested for one in REFUSED if one.startswith(name + " ")}
    assert tested == covered
