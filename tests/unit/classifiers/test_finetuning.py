"""The training loop: its loss, its plan, and going on from a checkpoint as if never stopped."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open

from pipeline.classifiers import finetuning
from pipeline.classifiers.finetuning import _epoch_batches, _Loss, _schedule, preferred_dtype
from pipeline.classifiers.protocol import FitMonitor, FitStep
from pipeline.classifiers.transformer import TransformerClassifier
from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import InputError, OutputError
from pipeline.records import LabelledSentence
from pipeline.settings.classifiers import TransformerSettings

ROOT = Path(__file__).parents[3]
TINY = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")
NAN = float("nan")
EVERY = 3
"""Steps between two checkpoints in these tests."""

Toy = Callable[..., list[LabelledSentence]]


class Stopped(BaseException):
    """The process was asked to end."""


@pytest.fixture(autouse=True)
def frequent_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finetuning, "CHECKPOINT_EVERY", EVERY)


@pytest.fixture
def short(tiny_settings: TransformerSettings) -> TransformerSettings:
    return tiny_settings.model_copy(update={"epochs": 2, "tokens_per_batch": 64})


def fit(
    settings: TransformerSettings,
    rows: list[LabelledSentence],
    checkpoints: Path | None = None,
    *,
    stop_at: int | None = None,
    seed: int = 3,
    codebook: Codebook = TINY,
) -> tuple[TransformerClassifier, list[FitStep]]:
    steps: list[FitStep] = []

    def on_step(step: FitStep) -> None:
        steps.append(step)
        if step.done == stop_at:
            raise Stopped

    classifier = TransformerClassifier(codebook, settings, seed=seed)
    try:
        classifier.fit(rows, FitMonitor(on_step, checkpoints))
    except Stopped:
        assert stop_at is not None
    return classifier, steps


def assert_equal_weights(one: TransformerClassifier, other: TransformerClassifier) -> None:
    for name, values in one.network.state_dict().items():
        assert torch.equal(values, other.network.state_dict()[name]), name


def test_reports_every_step(toy: Toy, short: TransformerSettings) -> None:
    _, steps = fit(short, toy(TINY))
    planned = steps[0].planned
    assert [step.done for step in steps] == list(range(1, planned + 1))
    assert {step.planned for step in steps} == {planned}
    half = planned // 2
    assert [step.epoch for step in steps] == [0] * (half - 1) + [1] * half + [2]
    assert all(np.isfinite(step.loss) for step in steps)
    rates = [step.learning_rate for step in steps]
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert max(rates) == pytest.approx(short.learning_rate)
    assert 0 < rates[-1] < short.learning_rate / 5


def test_the_steps_of_all_trainings_of_a_soup_are_counted_on(
    toy: Toy, short: TransformerSettings, tmp_path: Path
) -> None:
    soup = short.model_copy(update={"soup": 3, "max_steps": 4})
    _, steps = fit(soup, toy(TINY), tmp_path)
    assert [(step.done, step.planned) for step in steps] == [(n, 12) for n in range(1, 13)]
    epochs = [step.epoch for step in steps]
    assert epochs == sorted(epochs)
    assert fit(soup, toy(TINY), tmp_path)[1] == []


def test_a_soup_stopped_in_its_second_training_equals_an_unbroken_one(
    toy: Toy, short: TransformerSettings, tmp_path: Path
) -> None:
    soup = short.model_copy(update={"soup": 2, "max_steps": 5})
    unbroken, _ = fit(soup, toy(TINY))
    fit(soup, toy(TINY), tmp_path, stop_at=5 + EVERY + 1)
    resumed, steps = fit(soup, toy(TINY), tmp_path)
    assert [step.done for step in steps] == [5 + EVERY + 1, 5 + EVERY + 2]
    assert_equal_weights(resumed, unbroken)


def test_a_larger_soup_takes_up_the_trainings_of_a_smaller_one(
    toy: Toy, short: TransformerSettings, tmp_path: Path
) -> None:
    _, first = fit(short, toy(TINY), tmp_path)
    larger = short.model_copy(update={"soup": 2})
    classifier, more = fit(larger, toy(TINY), tmp_path)
    assert len(more) == len(first)
    assert_equal_weights(classifier, fit(larger, toy(TINY))[0])


def test_stops_early_if_asked_to(toy: Toy, short: TransformerSettings) -> None:
    _, steps = fit(short.model_copy(update={"max_steps": 2}), toy(TINY))
    assert [(step.done, step.planned) for step in steps] == [(1, 2), (2, 2)]


@pytest.mark.parametrize("stop_at", [2, EVERY, EVERY + 1, 2 * EVERY + 1])
def test_a_resumed_run_equals_an_unbroken_one(
    toy: Toy, short: TransformerSettings, tmp_path: Path, stop_at: int
) -> None:
    rows = toy(TINY)
    unbroken, all_steps = fit(short, rows)
    assert len(all_steps) > 2 * EVERY + 2
    fit(short, rows, tmp_path, stop_at=stop_at)
    resumed, steps = fit(short, rows, tmp_path)
    # The stop came in the report of a step, before its checkpoint was written.
    kept = (stop_at - 1) // EVERY * EVERY
    assert [step.done for step in steps] == list(range(kept + 1, len(all_steps) + 1))
    assert [s.learning_rate for s in steps] == [s.learning_rate for s in all_steps[kept:]]
    assert_equal_weights(resumed, unbroken)


def test_a_run_stopped_twice_equals_an_unbroken_one(
    toy: Toy, short: TransformerSettings, tmp_path: Path
) -> None:
    rows = toy(TINY)
    fit(short, rows, tmp_path, stop_at=EVERY + 1)
    fit(short, rows, tmp_path, stop_at=2 * EVERY + 2)
    assert_equal_weights(fit(short, rows, tmp_path)[0], fit(short, rows)[0])


def test_a_finished_run_is_not_run_again(
    toy: Toy, short: TransformerSettings, tmp_path: Path
) -> None:
    rows = toy(TINY)
    first, _ = fit(short, rows, tmp_path)
    (path,) = tmp_path.iterdir()
    second, steps = fit(short, rows, tmp_path)
    assert steps == []
    assert_equal_weights(second, first)
    assert list(tmp_path.iterdir()) == [path]


def test_whatever_the_result_depends_on_has_its_own_checkpoint(
    toy: Toy, short: TransformerSettings, tmp_path: Path
) -> None:
    rows, few = toy(TINY), short.model_copy(update={"max_steps": 1})
    data = TINY.model_dump(mode="json")
    data["tasks"] = {"topics": data["tasks"]["topic"], "tone": data["tasks"]["tone"]}
    renamed = Codebook.model_validate(data)
    others = [
        LabelledSentence(row.sentence, {"topics": row.labels["topic"], "tone": row.labels["tone"]})
        for row in rows
    ]
    relabelled = [LabelledSentence(row.sentence, {**row.labels, "topic": ()}) for row in rows]
    likely, less = (
        [replace(row, probabilities={"topic": {"food": p, "service": 0.1}}) for row in rows]
        for p in (0.8, 0.7999)
    )
    runs: list[Callable[[], tuple[TransformerClassifier, list[FitStep]]]] = [
        lambda: fit(few, rows, tmp_path),
        lambda: fit(few, rows, tmp_path, seed=4),
        lambda: fit(few.model_copy(update={"learning_rate": 1e-4}), rows, tmp_path),
        lambda: fit(few, rows[1:], tmp_path),
        lambda: fit(few, rows[::-1], tmp_path),
        lambda: fit(few, relabelled, tmp_path),
        lambda: fit(few, likely, tmp_path),
        lambda: fit(few, less, tmp_path),
        lambda: fit(few, others, tmp_path, codebook=renamed),
    ]
    for number, run in enumerate(runs, start=1):
        assert len(run()[1]) == 1, number
        assert len(list(tmp_path.iterdir())) == number


def test_a_checkpoint_holds_tensors_only(
    toy: Toy, short: TransformerSettings, tmp_path: Path
) -> None:
    fit(short, toy(TINY), tmp_path, stop_at=EVERY + 1)
    (path,) = tmp_path.iterdir()
    assert path.suffix == ".safetensors"
    with safe_open(path, framework="pt") as file:
        assert file.metadata() == {"steps": str(EVERY)}


def test_a_broken_checkpoint_is_one_clear_error(
    toy: Toy, short: TransformerSettings, tmp_path: Path
) -> None:
    fit(short, toy(TINY), tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"checkpoint cannot be read.*Delete it"):
        fit(short, toy(TINY), tmp_path)


def test_a_checkpoint_folder_that_cannot_be_made(
    toy: Toy, short: TransformerSettings, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="checkpoint cannot be written"):
        fit(short, toy(TINY), tmp_path / "file" / "checkpoints")


@pytest.mark.parametrize(
    "failure",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        SafetensorError("I/O error: No space left on device"),
        Stopped(),
    ],
)
def test_a_checkpoint_is_whole_or_the_one_before(
    toy: Toy,
    short: TransformerSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: BaseException,
) -> None:
    rows = toy(TINY)
    fit(short, rows, tmp_path, stop_at=EVERY + 1)
    (path,) = tmp_path.iterdir()
    before = path.read_bytes()

    def fail(tensors: object, filename: Path, metadata: object) -> None:
        filename.write_bytes(b"half")
        raise failure

    with monkeypatch.context() as patched:
        patched.setattr(finetuning, "save_file", fail)
        expected = Stopped if isinstance(failure, Stopped) else OutputError
        classifier = TransformerClassifier(TINY, short, seed=3)
        with pytest.raises(expected):
            classifier.fit(rows, FitMonitor(checkpoints=tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == before
    assert_equal_weights(fit(short, rows, tmp_path)[0], fit(short, rows)[0])


def weighted(exponent: float, multiclass: float = 1.0) -> TransformerSettings:
    return TransformerSettings(positive_weight=exponent, multiclass_weight=multiclass)


def loss_on(targets: list[list[float]], logits: torch.Tensor, exponent: float = 0.5) -> float:
    array = np.array(targets, dtype=np.float32)
    return float(_Loss.of(TINY, array, weighted(exponent, 0.7))(logits, torch.from_numpy(array)))


LOGITS = torch.tensor([[0.5, -1.0, 2.0, 0.0, -1.0], [1.5, 0.3, -0.2, 0.4, 0.9]])


def test_the_loss_is_what_the_formula_says() -> None:
    """Binary cross-entropy a sentence plus 0.7 times the mean cross-entropy, worked out by hand."""
    got = loss_on([[1, 0, 0, 1, 0], [0, 1, 1, 0, 0]], LOGITS, exponent=0.0)
    z = LOGITS.double().numpy()
    sign = np.array([[1, -1], [-1, 1]])
    binary = np.log1p(np.exp(-sign * z[:, :2])).sum(axis=1).mean()
    classes = -(z[[0, 1], [3, 2]] - np.log(np.exp(z[:, 2:]).sum(axis=1))).mean()
    assert got == pytest.approx(binary + 0.7 * classes, rel=1e-6)


def test_the_loss_of_probabilities_is_the_one_expected_under_them() -> None:
    """A mixture of two answers costs what the answers cost, each by its share."""
    one, other = [1.0, 0, 0, 1, 0], [0.0, 0, 1, 0, 0]
    mixed = [0.3 * a + 0.7 * b for a, b in zip(one, other, strict=True)]
    expected = 0.3 * loss_on([one], LOGITS[:1], 0.0) + 0.7 * loss_on([other], LOGITS[:1], 0.0)
    assert loss_on([mixed], LOGITS[:1], 0.0) == pytest.approx(expected, rel=1e-6)


def test_rare_positives_weigh_more() -> None:
    targets = np.array([[1, 1]] + [[0, 1]] * 9, dtype=np.float32)
    rest = np.tile(np.array([[1, 0, 0]], dtype=np.float32), (10, 1))
    rest[:2] = [0, 1, 0]
    weights = _Loss.of(TINY, np.hstack([targets, rest]), weighted(0.5)).weights.numpy()
    assert weights[0] == pytest.approx(3.0)  # (9 negatives / 1 positive) ** 0.5
    assert weights[1] == pytest.approx((1 / 10) ** 0.5)
    expected = np.array([(2 / 8) ** 0.5, (8 / 2) ** 0.5, (10 / 1) ** 0.5])
    np.testing.assert_allclose(weights[2:], expected / expected.mean(), rtol=1e-6)


def test_unknown_labels_do_not_count() -> None:
    known = [[1.0, 0, 0, 1, 0]]
    assert loss_on([[1, 0, 0, 1, 0], [NAN] * 5], LOGITS) == pytest.approx(
        loss_on(known, LOGITS[:1]), rel=1e-6
    )
    half_known = [[1, 0, NAN, NAN, NAN], [NAN, NAN, 1, 0, 0]]
    moved = LOGITS.clone()
    moved[0, 2:] += 100  # logits of what is unknown
    moved[1, :2] -= 100
    assert loss_on(half_known, moved) == pytest.approx(loss_on(half_known, LOGITS), rel=1e-6)


def test_nothing_known_is_no_loss_and_no_gradient() -> None:
    logits = LOGITS.clone().requires_grad_()
    array = np.full((2, 5), NAN, dtype=np.float32)
    loss = _Loss.of(TINY, array, weighted(0.5))(logits, torch.from_numpy(array))
    torch.autograd.backward(loss)
    assert float(loss.detach()) == 0.0
    assert logits.grad is not None
    assert (logits.grad == 0).all()


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(2, 120), min_size=1, max_size=80),
    budget=st.integers(64, 512),
    epoch=st.integers(0, 3),
)
def test_every_sentence_comes_once_an_epoch(lengths: list[int], budget: int, epoch: int) -> None:
    config = TransformerSettings(tokens_per_batch=budget)
    batches = _epoch_batches(lengths, config, 5, epoch)
    assert sorted(int(i) for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or max(lengths[i] for i in batch) * len(batch) <= budget
    again = _epoch_batches(lengths, config, 5, epoch)
    assert [batch.tolist() for batch in again] == [batch.tolist() for batch in batches]


def test_epochs_differ() -> None:
    config = TransformerSettings(tokens_per_batch=64)
    first, second = (_epoch_batches([10] * 60, config, 5, epoch) for epoch in (0, 1))
    assert [b.tolist() for b in first] != [b.tolist() for b in second]


@given(steps=st.integers(1, 500), warmup=st.floats(0, 1))
def test_the_learning_rate_rises_then_falls_and_is_never_zero(steps: int, warmup: float) -> None:
    share = _schedule(steps, warmup)
    shares = [share(step) for step in range(steps)]
    assert all(0 < s <= 1 for s in shares)
    top = shares.index(max(shares))
    assert shares[:top] == sorted(shares[:top])
    assert shares[top:] == sorted(shares[top:], reverse=True)


@pytest.mark.parametrize(
    ("precision", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)]
)
def test_precision_is_what_is_asked_for(precision: str, dtype: torch.dtype) -> None:
    wanted = TransformerSettings.model_validate({"precision": precision})
    assert preferred_dtype(wanted) is dtype
    assert preferred_dtype(TransformerSettings()) in (torch.float32, torch.bfloat16)
