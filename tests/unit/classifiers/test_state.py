from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.classifiers.state import (
    RECORD,
    Saved,
    fitted,
    known_part,
    read_arrays,
    read_saved,
    write_arrays,
    write_saved,
)
from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import BundleError, InputError, SettingsError
from pipeline.records import LabelledSentence, Sentence

TINY = load_codebook(Path(__file__).parents[2] / "codebooks" / "tiny.yaml")


class Example(Saved):
    kind: Literal["example"]
    size: int


def saved() -> Example:
    return Example(kind="example", codebook=TINY.signature, columns=TINY.column_names, size=3)


def labelled(text: str, **labels: tuple[str, ...] | None) -> LabelledSentence:
    return LabelledSentence(Sentence("s", "d", text), labels)


def test_a_record_survives_the_file(tmp_path: Path) -> None:
    write_saved(tmp_path, saved())
    assert read_saved(Example, tmp_path, TINY, "example") == saved()
    assert [path.name for path in tmp_path.iterdir()] == [RECORD]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "other"}, "kind 'other', expected 'example'"),
        ({"size": "big"}, "size"),
        ({"extra": 1}, "unknown key 'extra'"),
        ({"codebook": "0" * 16}, "train again"),
        ({"columns": ["topic.food"]}, r"for the labels topic\.food; the codebook"),
    ],
)
def test_a_changed_record_is_a_bundle_error(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    write_saved(tmp_path, saved())
    path = tmp_path / RECORD
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BundleError, match=message):
        read_saved(Example, tmp_path, TINY, "example")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'"text"'])
def test_what_is_no_record_is_a_bundle_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / RECORD).write_bytes(content)
    with pytest.raises(BundleError, match=RECORD):
        read_saved(Example, tmp_path, TINY, "example")


def test_another_codebook_is_named_with_its_labels(tmp_path: Path) -> None:
    data = TINY.model_dump(mode="json")
    data["tasks"]["tone"]["labels"]["shrug"] = data["tasks"]["tone"]["labels"].pop("neither")
    other = Codebook.model_validate(data)
    write_saved(tmp_path, saved())
    with pytest.raises(BundleError, match=r"tone\.neither.*tone\.shrug"):
        read_saved(Example, tmp_path, other, "example")


@given(arrays(np.float32, (3, 2), elements=st.floats(-1e3, 1e3, width=32)))
def test_arrays_survive_the_file(
    tmp_path_factory: pytest.TempPathFactory, values: np.ndarray
) -> None:
    path = tmp_path_factory.mktemp("arrays") / "a.npz"
    write_arrays(path, {"values": values})
    np.testing.assert_array_equal(read_arrays(path, {"values": (3, 2)})["values"], values)


def test_equal_arrays_make_equal_files(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        write_arrays(tmp_path / name, {"values": np.arange(6, dtype=np.float32)})
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_changed_arrays_are_a_bundle_error(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_arrays(path, {"values": np.ones((3, 2), np.float32)})
    with pytest.raises(BundleError, match=r"'values' is \(3, 2\), expected \(2, 2\)"):
        read_arrays(path, {"values": (2, 2)})
    with pytest.raises(BundleError, match="other"):
        read_arrays(path, {"other": (3, 2)})
    content = path.read_bytes()
    middle = len(content) // 3
    flipped = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
    np.save(tmp_path / "single.npy", np.ones(3))
    single = (tmp_path / "single.npy").read_bytes()
    for broken in (b"", b"no archive", content[:-20], flipped, single):
        path.write_bytes(broken)
        with pytest.raises(BundleError, match=r"a\.npz"):
            read_arrays(path, {"values": (3, 2)})
    write_arrays(path, {"values": np.full((3, 2), np.inf, np.float32)})
    with pytest.raises(BundleError, match="not finite"):
        read_arrays(path, {"values": (3, 2)})


def test_a_pickle_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, values=np.array([{"an": "object"}], dtype=object))
    with pytest.raises(BundleError, match="allow_pickle"):
        read_arrays(path, {"values": (1,)})


def test_keeps_the_sentences_of_which_something_is_known() -> None:
    train = [
        labelled("a", topic=None, tone=None),
        labelled("b", topic=(), tone=None),
        labelled("c"),
        labelled("d", topic=None, tone=("blame",)),
    ]
    known, targets = known_part(train, TINY, "example")
    assert [row.sentence.text for row in known] == ["b", "d"]
    nan = float("nan")
    np.testing.assert_array_equal(targets, [[0, 0, nan, nan, nan], [nan, nan, 0, 1, 0]])


def test_what_a_label_model_is_sure_of_is_what_is_learned() -> None:
    chances = {"topic": {"food": 0.75, "service": 0.25}}
    row = LabelledSentence(Sentence("s", "d", "text"), {"topic": ("food",)}, probabilities=chances)
    _, targets = known_part([row], TINY, "example")
    np.testing.assert_array_equal(targets[:, :2], [[0.75, 0.25]])


def test_refuses_what_it_cannot_learn_from() -> None:
    with pytest.raises(InputError, match="2 sentences"):
        known_part([labelled("a"), labelled("b", topic=None)], TINY, "example")
    with pytest.raises(SettingsError, match=r"foood.*Did you mean 'food'"):
        known_part([labelled("a", topic=("foood",))], TINY, "example")


def test_what_was_not_learned_cannot_be_used() -> None:
    assert fitted(3, "example") == 3
    with pytest.raises(BundleError, match="call fit or load"):
        fitted(None, "example")
