"""Turn a trained classifier into one that runs without torch, and prove that they agree."""

from __future__ import annotations

import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from pipeline.classifiers.ensemble import EnsembleClassifier
from pipeline.classifiers.protocol import Classifier
from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule
from pipeline.errors import CheckFailed, InputError
from pipeline.records import Sentence

if TYPE_CHECKING:
    from torch import nn

    from pipeline.classifiers.onnx import OnnxClassifier
    from pipeline.classifiers.transformer import TransformerClassifier


RUN_EVERYWHERE = frozenset({"majority", "rules", "linear", "onnx"})
"""Kinds that predict with the core install."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How far an exported classifier is from the trained one, on n sentences.

    Differences are of calibrated probabilities; `flipped` is the share of decisions that differ,
    one decision a sentence and task.
    """

    sentences: int
    mean_difference: float
    largest_difference: float
    flipped: float

    def figures(self) -> dict[str, float]:
        """Return the measured values by name."""
        return {name: float(value) for name, value in asdict(self).items()}


def deployable(classifier: Classifier, folder: Path) -> Classifier:
    """Return a classifier that predicts the same without torch or scikit-learn.

    Transformers become int8 ONNX models, quantised so that no sentence's answer depends on those
    beside it, written under `folder`, which must outlive the result; ensembles have their members
    exchanged.

    Raises:
        CheckFailed: a classifier of this kind, or a member of it, needs torch to predict.
    """
    if classifier.kind == "transformer":
        return _export_int8(cast("TransformerClassifier", classifier), folder)
    if isinstance(classifier, EnsembleClassifier):
        members = []
        for index, member in enumerate(classifier.members):
            (folder / str(index)).mkdir(parents=True)
            members.append(deployable(member, folder / str(index)))
        return classifier.with_members(members)
    if classifier.kind not in RUN_EVERYWHERE:
        raise CheckFailed(
            f"A classifier of kind '{classifier.kind}' cannot be shipped: it needs the extra "
            f"'train' to predict. Promote a transformer (it is exported), an ensemble of such, or "
            f"one of {', '.join(sorted(RUN_EVERYWHERE))}."
        )
    return classifier


def measure_parity(
    trained: Classifier,
    exported: Classifier,
    sentences: Sequence[Sentence],
    rule: DecisionRule,
    codebook: Codebook,
) -> Parity:
    """Compare both on held-out sentences.

    Raises:
        InputError: there is no sentence to compare on.
    """
    if not sentences:
        raise InputError("Parity needs held-out sentences; the run's test split is empty.")
    before = rule.probabilities(trained.predict_logits(sentences), codebook)
    after = rule.probabilities(exported.predict_logits(sentences), codebook)
    difference = np.abs(before - after)
    old, new = rule.decide(before, codebook), rule.decide(after, codebook)
    differs = (old.given != new.given) | (old.withheld != new.withheld)
    flips = np.stack([differs[:, codebook.slice_of(t)].any(axis=1) for t in codebook.tasks])
    return Parity(
        sentences=len(sentences),
        mean_difference=float(difference.mean()),
        largest_difference=float(difference.max()),
        flipped=float(flips.mean()),
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what the exporter says of its own internals."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def export_float32(network: nn.Module, target: Path, output: str) -> None:
    """Write a network that takes ids, mask and segments of tokens as an ONNX model.

    Args:
        output: the name of its single output.
    """
    import torch

    from pipeline.bundle.quantisation import OPSET

    # Two rows of four tokens: the tracer takes a size of one for a constant, and one tensor given
    # as two inputs for a single input.
    examples = tuple(torch.ones((2, 4), dtype=torch.int64) for _ in range(3))
    names = ["input_ids", "attention_mask", "token_type_ids"]
    batch, tokens = torch.export.Dim("batch"), torch.export.Dim("tokens", max=512)
    with _quiet():
        torch.onnx.export(
            network.to("cpu").eval(),
            examples,
            target,
            input_names=names,
            output_names=[output],
            dynamic_shapes=({0: batch, 1: tokens},) * len(names),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )


def export_int8(network: nn.Module, target: Path, output: str) -> None:
    """Write it as `export_float32` does, for ONNX Runtime only and with matrices in int8.

    See `fused_attention` and `quantise_rows`.
    """
    from pipeline.bundle.attention import fused_attention
    from pipeline.bundle.quantisation import quantise_rows

    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        full = Path(scratch) / "float32.onnx"
        with fused_attention(network):
            export_float32(network, full, output)
        with _quiet():
            quantise_rows(full, target)


def _export_int8(classifier: TransformerClassifier, folder: Path) -> OnnxClassifier:
    from pipeline.classifiers.onnx import MODEL_FILE, OnnxClassifier, SavedOnnx
    from pipeline.classifiers.state import write_saved

    export_int8(classifier.network, folder / MODEL_FILE, "logits")
    classifier.tokenizer.save(folder)
    saved = SavedOnnx(
        codebook=classifier.codebook.signature,
        columns=classifier.codebook.column_names,
        max_tokens=classifier.settings.encoder.max_tokens,
        context=classifier.settings.context,
    )
    write_saved(folder, saved)
    return OnnxClassifier.load(folder, classifier.codebook)
