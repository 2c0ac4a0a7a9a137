"""A bundle is whole or absent when written, and is loaded only if it is as it was written."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from pipeline import __version__
from pipeline.bundle import BundleFacts, Manifest, load_bundle, write_bundle
from pipeline.bundle.folder import read_facts
from pipeline.classifiers.majority import MajorityClassifier
from pipeline.classifiers.rules import RulesClassifier
from pipeline.codebook import Codebook, load_codebook
from pipeline.decision import DecisionRule
from pipeline.errors import BundleError, OutputError
from pipeline.records import Sentence
from pipeline.settings.classifiers import MajoritySettings, RulesSettings

ROOT = Path(__file__).parents[3]
TINY = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")
DIPLOMACY = load_codebook(ROOT / "configs" / "codebook.yaml")
FILES = ("manifest.json", "codebook.json", "decision.json", "MODEL_CARD.md", "classifier")
SENTENCES = [
    Sentence("s1", "d", "The soup was excellent."),
    Sentence("s2", "d", "The waiter was rude."),
]
Make = Callable[[Codebook], MajorityClassifier]


def rule_for(codebook: Codebook) -> DecisionRule:
    k = codebook.width
    return DecisionRule(
        scale=tuple(1 + j / 10 for j in range(k)),
        bias=tuple(-j / 7 for j in range(k)),
        threshold=tuple(0.3 + j / 100 for j in range(k)),
        abstain_within=0.05,
    )


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def tiny_bundle(tmp_path: Path, majority: Make, facts: BundleFacts) -> Path:
    folder = tmp_path / "bundle"
    write_bundle(folder, majority(TINY), rule_for(TINY), facts)
    return folder


def reseal(folder: Path, **changes: object) -> None:
    """Change the manifest and seal it again, as another tool would that knows the format."""
    path = folder / "manifest.json"
    manifest = Manifest.model_validate({**json.loads(path.read_bytes()), **changes}).sealed()
    path.write_text(manifest.model_dump_json(), encoding="utf-8")


def test_what_is_written_comes_back(
    codebook: Codebook, majority: Make, facts: BundleFacts, tmp_path: Path
) -> None:
    classifier, rule = majority(codebook), rule_for(codebook)
    manifest = write_bundle(tmp_path / "bundle", classifier, rule, facts)
    assert sorted(path.name for path in (tmp_path / "bundle").iterdir()) == sorted(FILES)
    bundle = load_bundle(tmp_path / "bundle", codebook=codebook)
    assert bundle.rule == rule
    assert bundle.codebook == codebook
    assert bundle.manifest == manifest
    assert bundle.manifest.facts == facts
    assert bundle.model_id == manifest.model_id
    probabilities, decisions = bundle.predict(SENTENCES)
    expected = rule.probabilities(classifier.predict_logits(SENTENCES), codebook)
    np.testing.assert_array_equal(probabilities, expected)
    np.testing.assert_array_equal(decisions.given, rule.decide(expected, codebook).given)


def test_margins_of_single_tasks_come_back(
    majority: Make, facts: BundleFacts, tmp_path: Path
) -> None:
    rule = replace(rule_for(TINY), abstain_within={"tone": 0.125})
    write_bundle(tmp_path / "bundle", majority(TINY), rule, facts)
    found = load_bundle(tmp_path / "bundle").rule
    assert found == rule
    assert (found.within("tone"), found.within("topic")) == (0.125, 0.0)


def test_rules_come_back_with_their_codebook(facts: BundleFacts, tmp_path: Path) -> None:
    classifier = RulesClassifier(TINY, RulesSettings())
    write_bundle(tmp_path / "bundle", classifier, DecisionRule.plain(TINY), facts)
    bundle = load_bundle(tmp_path / "bundle")
    np.testing.assert_array_equal(
        bundle.classifier.predict_logits(SENTENCES), classifier.predict_logits(SENTENCES)
    )


def test_the_manifest_says_where_the_model_comes_from(
    majority: Make, facts: BundleFacts, tmp_path: Path
) -> None:
    created = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    manifest = write_bundle(
        tmp_path / "bundle", majority(TINY), rule_for(TINY), facts, created=created
    )
    assert manifest.created == "2024-05-06T07:08:09+00:00"
    assert manifest.kind == "majority"
    assert manifest.made_by == f"stance-pipeline {__version__}"
    assert (manifest.codebook_name, manifest.codebook_version) == ("kitchen_reviews", "0.3")
    assert set(manifest.files) == set(tree(tmp_path / "bundle")) - {"manifest.json"}


def test_the_id_stands_for_the_content(majority: Make, facts: BundleFacts, tmp_path: Path) -> None:
    def made(name: str, rule: DecisionRule, facts: BundleFacts, year: int) -> str:
        day = datetime(year, 1, 1, tzinfo=UTC)
        return write_bundle(tmp_path / name, majority(TINY), rule, facts, created=day).model_id

    first = made("a", rule_for(TINY), facts, 2024)
    assert first.startswith("reviews-majority-")
    other_figures = facts.model_copy(update={"figures": ()})
    assert made("b", rule_for(TINY), other_figures, 2025) == first
    assert made("c", DecisionRule.plain(TINY), facts, 2024) != first


def test_no_file_is_a_pickle(tiny_bundle: Path) -> None:
    for name, content in tree(tiny_bundle).items():
        assert Path(name).suffix in {".json", ".md"}
        content.decode("utf-8")


def test_everybody_may_read_it(tiny_bundle: Path) -> None:
    assert tiny_bundle.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", [*FILES[:-1], "classifier/classifier.json"])
def test_a_changed_byte_anywhere_is_found(tiny_bundle: Path, name: str) -> None:
    path = tiny_bundle / name
    whole = path.read_bytes()
    printable = [i for i, byte in enumerate(whole) if chr(byte).isalnum()]
    for position in printable[:: max(1, len(printable) // 60)]:
        changed = bytearray(whole)
        changed[position] = ord("0") if whole[position] != ord("0") else ord("1")
        path.write_bytes(bytes(changed))
        with pytest.raises(BundleError) as caught:
            load_bundle(tiny_bundle)
        assert str(tiny_bundle) in str(caught.value)
        if name != "manifest.json":
            assert f"{name} was changed" in str(caught.value)
    path.write_bytes(whole)
    load_bundle(tiny_bundle)


@pytest.mark.parametrize("name", [*FILES[1:-1], "classifier/classifier.json"])
def test_a_missing_file_is_found(tiny_bundle: Path, name: str) -> None:
    (tiny_bundle / name).unlink()
    with pytest.raises(BundleError, match=f"{name} is missing.*Restore it"):
        load_bundle(tiny_bundle)


def test_all_damage_is_named_at_once(tiny_bundle: Path) -> None:
    (tiny_bundle / "decision.json").unlink()
    (tiny_bundle / "codebook.json").write_text("{}")
    with pytest.raises(
        BundleError, match=r"(?s)codebook\.json was changed.*decision\.json is miss"
    ):
        load_bundle(tiny_bundle)


def test_a_folder_without_a_manifest_is_no_model(tmp_path: Path) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(BundleError, match=f"{folder}: no model here"):
            load_bundle(folder)


def test_a_file_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BundleError, match=r"file/manifest\.json: cannot be read"):
        load_bundle(tmp_path / "file")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read as JSON"),
        (b"junk", "cannot be read as JSON"),
        (b"\xff\xfe", "cannot be read as JSON"),
        (b"[" * 100_000, "cannot be read as JSON"),
        (b"[]", "is of format None"),
        (b"3", "is of format None"),
        (b"{}", "is of format None"),
        (b'{"format": 1}', "'model_id' is missing"),
    ],
)
def test_a_junk_manifest(tiny_bundle: Path, content: bytes, message: str) -> None:
    (tiny_bundle / "manifest.json").write_bytes(content)
    with pytest.raises(BundleError, match=message) as caught:
        load_bundle(tiny_bundle)
    assert "pydantic" not in str(caught.value)


def test_another_format(tiny_bundle: Path) -> None:
    path = tiny_bundle / "manifest.json"
    data = json.loads(path.read_bytes())
    path.write_text(json.dumps({**data, "format": 2}))
    with pytest.raises(BundleError, match=r"format 2; this version .* reads format 1"):
        load_bundle(tiny_bundle)


def test_an_unknown_key_in_the_manifest(tiny_bundle: Path) -> None:
    path = tiny_bundle / "manifest.json"
    data = json.loads(path.read_bytes())
    path.write_text(json.dumps({**data, "kint": "majority"}))
    with pytest.raises(BundleError, match=r"unknown key 'kint'. Did you mean 'kind'\?"):
        load_bundle(tiny_bundle)


def test_figures_cannot_be_edited_unnoticed(tiny_bundle: Path) -> None:
    path = tiny_bundle / "manifest.json"
    data = json.loads(path.read_bytes())
    data["facts"]["figures"][0]["value"] = 0.99
    path.write_text(json.dumps(data))
    with pytest.raises(BundleError, match="was changed after the model was made"):
        load_bundle(tiny_bundle)
    path.write_text(json.dumps({**data, "seal": None}))
    with pytest.raises(BundleError, match="carries no seal"):
        load_bundle(tiny_bundle)


def test_spacing_of_the_manifest_does_not_matter(tiny_bundle: Path) -> None:
    path = tiny_bundle / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_bytes())))
    load_bundle(tiny_bundle)


def test_another_codebook_is_refused_with_both_named(
    codebook: Codebook, majority: Make, facts: BundleFacts, tmp_path: Path
) -> None:
    write_bundle(tmp_path / "bundle", majority(codebook), rule_for(codebook), facts)
    other = DIPLOMACY if codebook.name == TINY.name else TINY
    with pytest.raises(BundleError) as caught:
        load_bundle(tmp_path / "bundle", codebook=other)
    message = str(caught.value)
    for book in (codebook, other):
        assert book.name in message
        assert all(name in message for name in book.column_names)
    assert "train a model for yours" in message


def test_a_codebook_that_differs_in_wording_only_fits(tiny_bundle: Path) -> None:
    reworded = TINY.model_copy(update={"about": "Something else.", "version": "0.4"})
    assert load_bundle(tiny_bundle, codebook=reworded).codebook.version == "0.3"


def rehashed(folder: Path, name: str, content: str) -> None:
    """Replace a file and its hash: a bundle that is consistent but wrong."""
    import hashlib

    (folder / name).write_text(content, encoding="utf-8")
    files = json.loads((folder / "manifest.json").read_bytes())["files"]
    reseal(folder, files={**files, name: hashlib.sha256(content.encode()).hexdigest()})


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{}",
        "junk",
        '{"scale": 1, "bias": 1, "threshold": 1}',
        '{"scale": ["a"], "bias": [0], "threshold": [0]}',
        '{"scale": [1], "bias": [0], "threshold": [0]}',
        '{"scale": [1,1,1,1,1], "bias": [0,0,0,0,0], "threshold": [0.5]}',
        '{"scale": [1,1,1,1,1], "bias": [0,0,0,0,0]}',
    ],
)
def test_a_decision_rule_that_does_not_fit(tiny_bundle: Path, content: str) -> None:
    rehashed(tiny_bundle, "decision.json", content)
    with pytest.raises(BundleError, match=r"decision\.json"):
        load_bundle(tiny_bundle)


def test_a_codebook_that_is_not_the_manifests(tiny_bundle: Path) -> None:
    rehashed(tiny_bundle, "codebook.json", DIPLOMACY.model_dump_json())
    with pytest.raises(BundleError, match="do not belong together"):
        load_bundle(tiny_bundle)
    rehashed(tiny_bundle, "codebook.json", "{}")
    with pytest.raises(BundleError, match="codebook cannot be read"):
        load_bundle(tiny_bundle)


def test_a_kind_that_this_version_does_not_know(tiny_bundle: Path) -> None:
    reseal(tiny_bundle, kind="majorty")
    with pytest.raises(BundleError, match=r"unknown kind.*'majority'"):
        load_bundle(tiny_bundle)


def test_facts_are_read_without_the_classifier(tiny_bundle: Path, facts: BundleFacts) -> None:
    manifest, codebook = read_facts(tiny_bundle)
    assert (manifest.facts, codebook) == (facts, TINY)
    (tiny_bundle / "classifier" / "classifier.json").write_text("{}")
    with pytest.raises(BundleError, match="was changed"):
        read_facts(tiny_bundle)


class Failing(MajorityClassifier):
    """Saves half of itself."""

    failure: BaseException = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def save(self, folder: Path) -> None:
        (folder / "half").write_text("x")
        raise self.failure


class Stopped(BaseException):
    """The process was asked to end."""


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), ValueError("bug"), Stopped()]
)
def test_a_save_that_fails_leaves_everything_as_it_was(
    majority: Make, facts: BundleFacts, tmp_path: Path, failure: BaseException, existing: bool
) -> None:
    folder = tmp_path / "models" / "bundle"
    folder.parent.mkdir()
    if existing:
        write_bundle(folder, majority(TINY), rule_for(TINY), facts)
    before = tree(tmp_path)
    classifier = Failing(TINY, MajoritySettings())
    classifier.failure = failure
    expected = OutputError if isinstance(failure, OSError) else type(failure)
    with pytest.raises(expected):
        write_bundle(folder, classifier, rule_for(TINY), facts)
    assert tree(tmp_path) == before
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"] * existing


@pytest.mark.parametrize("moment", [1, 2])
@pytest.mark.parametrize("failure", [OSError(errno.EACCES, "no"), Stopped()])
def test_a_swap_that_fails_leaves_a_whole_bundle(
    majority: Make,
    facts: BundleFacts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    moment: int,
    failure: BaseException,
) -> None:
    """Stopped before either of the two renames."""
    folder = tmp_path / "bundle"
    write_bundle(folder, majority(TINY), rule_for(TINY), facts)
    before = tree(folder)
    real, calls = Path.rename, 0

    def rename(self: Path, target: Path) -> Path:
        nonlocal calls
        if tmp_path in self.parents and self.suffix != ".partial":
            calls += 1
            if calls == moment:
                raise failure
        return real(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", rename)
        with pytest.raises(OutputError if isinstance(failure, OSError) else Stopped):
            write_bundle(folder, majority(TINY), DecisionRule.plain(TINY), facts)
    assert tree(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_a_new_bundle_replaces_the_old_one_completely(
    majority: Make, facts: BundleFacts, tmp_path: Path
) -> None:
    folder = tmp_path / "bundle"
    write_bundle(folder, majority(DIPLOMACY), rule_for(DIPLOMACY), facts)
    (folder / "classifier" / "left.json").write_text("{}")
    manifest = write_bundle(folder, majority(TINY), rule_for(TINY), facts)
    assert set(tree(folder)) == {*manifest.files, "manifest.json"}
    assert load_bundle(folder).codebook == TINY
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_an_empty_folder_is_used(majority: Make, facts: BundleFacts, tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    write_bundle(tmp_path / "bundle", majority(TINY), rule_for(TINY), facts)
    load_bundle(tmp_path / "bundle")


def test_a_folder_of_something_else_is_never_replaced(
    majority: Make, facts: BundleFacts, tmp_path: Path
) -> None:
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter1.txt").write_text("years of work")
    with pytest.raises(OutputError, match="thesis: exists and is no bundle; choose another"):
        write_bundle(folder, majority(TINY), rule_for(TINY), facts)
    assert tree(tmp_path) == {"thesis/chapter1.txt": b"years of work"}


def test_a_file_is_never_replaced(majority: Make, facts: BundleFacts, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for target in (tmp_path / "file", tmp_path / "file" / "bundle"):
        with pytest.raises(OutputError, match=f"{target}: "):
            write_bundle(target, majority(TINY), rule_for(TINY), facts)
    assert tree(tmp_path) == {"file": b"x"}


@pytest.mark.parametrize("target", ["/proc/bundle", "x" * 300])
def test_a_place_that_takes_no_folder(
    majority: Make, facts: BundleFacts, tmp_path: Path, target: str
) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_bundle(tmp_path / target, majority(TINY), rule_for(TINY), facts)


def test_bundles_can_be_moved(tiny_bundle: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "x"
    shutil.copytree(tiny_bundle, moved)
    shutil.rmtree(tiny_bundle)
    assert load_bundle(moved).codebook == TINY
