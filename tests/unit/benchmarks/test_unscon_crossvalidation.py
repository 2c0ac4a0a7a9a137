from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks.unscon import crossvalidate
from benchmarks.unscon.crossvalidate import (
    PARTS,
    Corpus,
    fingerprint,
    macro_f1_cut,
    outcomes_by_kind,
    read_corpus,
    start_encoder,
    table,
)
from pipeline.bundle import BundleFacts, write_bundle
from pipeline.classifiers.encoder import encoder_sha256
from pipeline.classifiers.registry import build
from pipeline.codebook import load_codebook
from pipeline.decision import DecisionRule
from pipeline.records import LabelledSentence
from pipeline.settings.classifiers import EncoderSettings, RulesSettings, TransformerSettings

ROOT = Path(__file__).parents[3]
CODEBOOK = load_codebook(ROOT / "configs/codebooks/unscon.yaml")


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    """Made-up speeches: four meetings of three speeches, conflict where the soup was stale."""
    lines = []
    for number in range(12):
        speech = f"M{number // 3}_spch{number % 3:03}"
        for i in range(6):
            direct = (number + i) % 3 == 0
            text = f"the bread was {'stale' if direct else 'excellent'} {number} {i}"
            row = {
                "id": f"{speech}#s{i}",
                "text": text,
                "doc_id": speech,
                "country": "Norland",
                "neg_eval": "Direct_NegEval" if direct else None,
                "challenge": None,
                "conflict": direct,
            }
            lines.append(json.dumps(row) + "\n")
    data = tmp_path / "data.jsonl"
    data.write_text("".join(lines), encoding="utf-8")
    return read_corpus(data, CODEBOOK)


def small(encoder: Path) -> TransformerSettings:
    return TransformerSettings(
        encoder=EncoderSettings(name=str(encoder), max_tokens=32), max_steps=2, precision="float32"
    )


def test_no_model_learns_from_the_meeting_it_scores_nor_from_what_calibrates_it(
    corpus: Corpus, tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def watched(
        of: Corpus,
        learn: Sequence[LabelledSentence],
        rows: Sequence[np.ndarray],
        transformer: TransformerSettings,
        seed: int,
    ) -> dict[str, np.ndarray]:
        nonlocal calls
        calls += 1
        learned = {one.sentence.doc_id for one in learn}
        held, scored = (set(of.speeches[r].tolist()) for r in rows)
        assert learned
        assert held
        assert not learned & held
        assert len({name.split("_")[0] for name in scored}) == 1
        assert not {n.split("_")[0] for n in learned | held} & {n.split("_")[0] for n in scored}
        assert learned | held | scored == set(of.speeches.tolist())
        truth = of.targets[np.concatenate(rows)]
        return {"knows all": np.where(truth == 1.0, 4.0, -4.0).astype(np.float32)}

    monkeypatch.setattr(crossvalidate, "fit_and_score", watched)
    found = outcomes_by_kind(corpus, small(tiny_encoder), tmp_path / "work", seed=1)
    assert calls == 4 * PARTS
    speeches, meetings = found["knows all"]
    assert (speeches.document_count, meetings.document_count) == (12, 4)
    np.testing.assert_array_equal(speeches.given[:, :2], corpus.targets[:, :2] == 1.0)
    # What is kept is used again.
    again = outcomes_by_kind(corpus, small(tiny_encoder), tmp_path / "work", seed=1)
    assert calls == 4 * PARTS
    np.testing.assert_array_equal(again["knows all"][0].given, speeches.given)


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_the_projects_classifiers_run_under_the_other_codebook(
    corpus: Corpus, tiny_encoder: Path, tmp_path: Path
) -> None:
    found = outcomes_by_kind(corpus, small(tiny_encoder), tmp_path / "work", seed=1)
    assert list(found) == ["linear", "transformer", "ensemble"]
    for speeches, _ in found.values():
        assert (speeches.given[:, :2].sum(axis=1) == 1).all()
        np.testing.assert_allclose(speeches.probabilities[:, :2].sum(axis=1), 1.0, atol=1e-5)
    lines = table(found, CODEBOOK, 100, 1).splitlines()
    assert lines[0] == "| score | resampled | linear | transformer | ensemble |"
    assert {line.count("|") for line in lines} == {6}
    assert lines[2].startswith("| conflict.macro_f1 | speeches | 1.000 [1.000, 1.000] |")


def test_kept_logits_are_not_mixed_up(corpus: Corpus, tiny_encoder: Path) -> None:
    settings = small(tiny_encoder)
    names = {
        fingerprint(corpus, settings, 1),
        fingerprint(corpus, settings, 2),
        fingerprint(corpus, settings.model_copy(update={"context": True}), 1),
        fingerprint(
            Corpus(
                corpus.codebook,
                corpus.documents,
                1.0 - corpus.targets,
                corpus.speeches,
                corpus.meetings,
            ),
            settings,
            1,
        ),
    }
    assert len(names) == 4
    assert fingerprint(corpus, settings, 1) in names


def test_the_cut_has_the_highest_expected_macro_f1() -> None:
    p = np.random.default_rng(3).beta(0.6, 2.0, size=200).astype(np.float32)

    def expected(cut: float) -> float:
        taken = p >= cut
        f1 = 2 * p[taken].sum() / (taken.sum() + p.sum())
        q = 1.0 - p
        return float(f1 + 2 * q[~taken].sum() / ((~taken).sum() + q.sum())) / 2

    best = macro_f1_cut(p)
    assert expected(best) == pytest.approx(max(expected(float(cut)) for cut in p), abs=1e-6)


@pytest.mark.usefixtures("one_thread")
def test_a_trained_model_lends_its_encoder(
    corpus: Corpus, tiny_encoder: Path, tmp_path: Path
) -> None:
    classifier = build(small(tiny_encoder), CODEBOOK, seed=1)
    classifier.fit(corpus.sentences)
    rule = DecisionRule.plain(CODEBOOK)
    write_bundle(tmp_path / "trained", classifier, rule, BundleFacts(name="t", description="d"))
    (tmp_path / "start").mkdir()
    start = start_encoder(tmp_path / "trained", tmp_path / "start")
    assert encoder_sha256(start) != encoder_sha256(tiny_encoder)
    build(small(start), CODEBOOK, seed=1).fit(corpus.sentences)
    plain = build(RulesSettings(), CODEBOOK, seed=0)
    write_bundle(tmp_path / "rules", plain, rule, BundleFacts(name="r", description="d"))
    with pytest.raises(SystemExit, match="give one with a transformer"):
        start_encoder(tmp_path / "rules", tmp_path / "start")
