"""From a trained span network to the folder that is shipped, and how far the two agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from pipeline.attribution.decoding import decode
from pipeline.attribution.encoding import Floats, QuestionTokenizer, pad_questions
from pipeline.attribution.network import SpanNetwork
from pipeline.attribution.questions import Answer, Question
from pipeline.attribution.spans import KIND, OUTPUT, RECORD, SavedSpans, SpanModel
from pipeline.bundle.export import export_int8
from pipeline.bundle.folder import seal, staged
from pipeline.bundle.manifest import BundleFacts, Manifest
from pipeline.classifiers.onnx import MODEL_FILE
from pipeline.codebook import Codebook
from pipeline.errors import InputError
from pipeline.output import write_text


@dataclass(frozen=True, slots=True)
class SpanParity:
    """Shares of questions to which the exported model gives another holder or target.

    `mean_difference` is that of the probabilities of the choices.
    """

    questions: int
    holders_changed: float
    targets_changed: float
    mean_difference: float

    def figures(self) -> dict[str, float]:
        """Return the measured values by name."""
        return {name: float(value) for name, value in asdict(self).items()}


class TrainedSpans:
    """Answers with a network that has just been trained; needs torch."""

    name = "trained"

    def __init__(self, network: SpanNetwork, tokenizer: QuestionTokenizer) -> None:
        self.network, self.tokenizer = network, tokenizer

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Return one answer a question, with its probabilities."""
        answers = []
        with torch.inference_mode():
            for one in self.tokenizer.encode(questions):
                arrays = pad_questions([one])
                found = self.network(**{k: torch.from_numpy(v) for k, v in arrays.items()})
                scores: Floats = found[0].float().numpy()
                answers.append(decode(one, scores))
        return answers


def write_model_files(folder: Path, trained: TrainedSpans) -> SpanModel:
    """Write the int8 model, tokenizer and record of `trained` into `folder`, and load them."""
    export_int8(trained.network, folder / MODEL_FILE, OUTPUT)
    trained.tokenizer.save(folder)
    saved = SavedSpans(
        max_tokens=trained.tokenizer.max_tokens, context_tokens=trained.tokenizer.context_tokens
    )
    write_text(folder / RECORD, saved.model_dump_json(indent=1) + "\n")
    return SpanModel(folder, saved, "exported")


def measure_span_parity(
    trained: TrainedSpans, exported: SpanModel, questions: Sequence[Question]
) -> SpanParity:
    """Compare both on held-out questions.

    Raises:
        InputError: there is none.
    """
    if not questions:
        raise InputError("Parity needs held-out questions; the held-out documents have none.")
    before, after = trained.answer(questions), exported.answer(questions)
    pairs = list(zip(before, after, strict=True))
    differences = [
        abs((a.p_holder or 0.0) - (b.p_holder or 0.0)) / 2
        + abs((a.p_target or 0.0) - (b.p_target or 0.0)) / 2
        for a, b in pairs
    ]
    return SpanParity(
        len(questions),
        float(np.mean([a.holder != b.holder for a, b in pairs])),
        float(np.mean([a.target != b.target for a, b in pairs])),
        float(np.mean(differences)),
    )


def write_span_folder(
    folder: Path, files: Path, codebook: Codebook, facts: BundleFacts
) -> Manifest:
    """Put the model whose files stand in `files` into `folder`, whole or not at all.

    Raises:
        OutputError: the folder cannot be written, or holds something that is no model.
    """
    with staged(folder) as staging:
        for path in sorted(files.iterdir()):
            (staging / path.name).write_bytes(path.read_bytes())
        return seal(staging, KIND, codebook, facts)
