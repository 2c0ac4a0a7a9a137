"""Stages run when something they depend on has changed, and only then."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import __version__
from pipeline.errors import InputError, OutputError, StanceError
from pipeline.workflows import stages as room
from pipeline.workflows.stages import Stage, run_stages
from pipeline.workflows.watcher import Silent, Watcher


class Shop:
    """Three stages in a chain: `in.txt` -> `a.txt` -> `b/` -> `c.txt`; counts what runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "work" / "stages.json"
        self.settings: dict[str, object] = {"loud": False}
        self.failing: BaseException | None = None
        self.ran: list[str] = []
        (folder / "in.txt").write_text("one")

    def stage(self, name: str, reads: str, writes: str, work: Callable[[], None]) -> Stage:
        def run(_: Watcher) -> str:
            self.ran.append(name)
            if self.failing and name == "second":
                raise self.failing
            work()
            return f"{name} done"

        settings = self.settings if name == "second" else {}
        return Stage(
            name, f"makes {writes}", (self.folder / reads,), (self.folder / writes,), settings, run
        )

    def stages(self) -> list[Stage]:
        folder = self.folder

        def first() -> None:
            (folder / "a.txt").write_text((folder / "in.txt").read_text().upper())

        def second() -> None:
            (folder / "b").mkdir(exist_ok=True)
            (folder / "b" / "x.txt").write_text((folder / "a.txt").read_text())
            (folder / "b" / "y.txt").write_text(str(self.settings["loud"]))

        def third() -> None:
            parts = [path.read_text() for path in sorted((folder / "b").iterdir())]
            (folder / "c.txt").write_text(" ".join(parts))

        return [
            self.stage("first", "in.txt", "a.txt", first),
            self.stage("second", "a.txt", "b", second),
            self.stage("third", "b", "c.txt", third),
        ]

    def run(self, *, force: bool = False) -> list[str]:
        """Run all stages; return the names of those that did something."""
        self.ran = []
        run_stages(self.stages(), self.state, Silent(), force=force)
        return self.ran


ALL = ["first", "second", "third"]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_all_run_once_and_then_none(shop: Shop) -> None:
    assert shop.run() == ALL
    assert shop.run() == []
    assert shop.run(force=True) == ALL
    assert shop.run() == []


def test_a_changed_input_reruns_what_depends_on_it(shop: Shop) -> None:
    shop.run()
    (shop.folder / "in.txt").write_text("two")
    assert shop.run() == ALL
    assert (shop.folder / "c.txt").read_text() == "TWO False"


def test_a_change_that_makes_no_difference_stops_there(shop: Shop) -> None:
    shop.run()
    (shop.folder / "in.txt").write_text("ONE")
    assert shop.run() == ["first"]


def test_a_touched_file_is_no_changed_file(shop: Shop) -> None:
    shop.run()
    (shop.folder / "in.txt").write_text("one")
    assert shop.run() == []


def test_changed_settings_rerun_a_stage_and_what_depends_on_it(shop: Shop) -> None:
    shop.run()
    shop.settings["loud"] = True
    assert shop.run() == ["second", "third"]


@pytest.mark.parametrize("damage", ["changed", "deleted", "added", "emptied"])
def test_outputs_that_are_not_as_they_were_are_made_again(shop: Shop, damage: str) -> None:
    shop.run()
    target = shop.folder / "b" / "x.txt"
    if damage == "changed":
        target.write_text("edited by hand")
    elif damage == "deleted":
        target.unlink()
    elif damage == "emptied":
        target.write_bytes(b"")
    else:
        (target.parent / "z.txt").write_text("stray")
    assert shop.run()[0] == "second"
    assert target.read_text() == "ONE"


def test_a_missing_output_folder_is_made_again(shop: Shop) -> None:
    shop.run()
    for path in (shop.folder / "b").iterdir():
        path.unlink()
    (shop.folder / "b").rmdir()
    assert shop.run() == ["second"]  # which made the same again


def test_a_new_version_reruns_everything(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.run()
    monkeypatch.setattr(room, "__version__", __version__ + ".post1")
    assert shop.run() == ALL


class Stopped(BaseException):
    """The process was asked to end."""


@pytest.mark.parametrize("failure", [InputError("no"), Stopped(), ValueError("bug")])
def test_a_failing_stage_keeps_what_was_done_before(shop: Shop, failure: BaseException) -> None:
    shop.failing = failure
    with pytest.raises(type(failure)):
        shop.run()
    assert shop.ran == ["first", "second"]
    assert set(json.loads(shop.state.read_text())) == {"first"}
    shop.failing = None
    assert shop.run() == ["second", "third"]


def test_a_stage_that_fails_later_runs_again_later(shop: Shop) -> None:
    shop.run()
    shop.settings["loud"] = True
    shop.failing = InputError("no")
    with pytest.raises(StanceError):
        shop.run()
    shop.failing = None
    assert shop.run() == ["second", "third"]
    assert shop.run() == []


def test_what_is_gone_elsewhere_is_made_again(shop: Shop) -> None:
    shop.run()
    first, second, third = shop.stages()
    made = [first, replace(second, intact=lambda: False), third]
    shop.ran = []
    run_stages(made, shop.state, Silent())
    assert shop.ran == ["second"]


def test_what_was_put_there_on_purpose_is_kept(shop: Shop) -> None:
    shop.run()

    def run(*, force: bool = False) -> list[tuple[str, str]]:
        first, second, third = shop.stages()
        shop.ran = []
        made = [first, replace(second, kept=lambda: "put there by hand"), third]
        return run_stages(made, shop.state, Silent(), force=force)

    assert run()[1] == ("second", "second done")  # nothing was put there yet
    (shop.folder / "b" / "x.txt").write_text("by hand")
    assert run()[1] == ("second", "put there by hand")
    assert shop.ran == ["third"]
    assert (shop.folder / "c.txt").read_text() == "by hand False"
    assert run()[1] == ("second", "put there by hand")
    assert shop.ran == []
    shop.settings["loud"] = True
    assert run()[1] == ("second", "second done")
    (shop.folder / "b" / "x.txt").write_text("by hand")
    run(force=True)
    assert (shop.folder / "b" / "x.txt").read_text() == "ONE"


def test_results_are_told_also_of_skipped_stages(shop: Shop) -> None:
    told = [(name, f"{name} done") for name in ALL]
    assert run_stages(shop.stages(), shop.state, Silent()) == told
    assert run_stages(shop.stages(), shop.state, Silent()) == told


def test_the_watcher_hears_what_runs_and_what_does_not(
    shop: Shop, watcher: Watcher, request: pytest.FixtureRequest
) -> None:
    recorder = request.getfixturevalue("watcher")
    run_stages(shop.stages()[:1], shop.state, watcher)
    run_stages(shop.stages()[:1], shop.state, watcher)
    assert recorder.notes == [
        "first: makes a.txt",
        "first: first done",
        "first: unchanged, skipped",
    ]


@pytest.mark.parametrize(
    "content",
    [b"", b"junk", b"[]", b"3", b'{"first": 3}', b'{"first": {"inputs": 3}}', b"\xff\xfe"],
)
def test_a_broken_state_file_is_one_clear_error(shop: Shop, content: bytes) -> None:
    shop.run()
    shop.state.write_bytes(content)
    with pytest.raises(InputError, match=r"stages\.json: cannot be read .*Delete it"):
        shop.run()
    assert shop.ran == []


def test_a_state_of_other_stages_is_no_obstacle(shop: Shop) -> None:
    shop.state.parent.mkdir()
    shop.state.write_text('{"other": {"inputs": "x", "outputs": "y", "result": "z"}}')
    assert shop.run() == ALL
    assert shop.run() == []


def test_a_state_that_cannot_be_written(shop: Shop) -> None:
    shop.state = shop.folder / "in.txt" / "stages.json"
    with pytest.raises((OutputError, InputError), match=r"stages\.json: cannot be"):
        shop.run()


def test_names_that_are_not_utf8_are_no_obstacle(shop: Shop) -> None:
    shop.run()
    odd = shop.folder / "b" / "caf\udce9.txt"
    odd.write_text("x")
    assert shop.run()[0] == "second"
