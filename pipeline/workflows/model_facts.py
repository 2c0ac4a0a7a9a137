"""What is said of a model on its card and in its reports; wording lives here, figures come in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.bundle import BundleFacts, Figure
from pipeline.codebook import Codebook
from pipeline.settings.classifiers import ClassifierSettings
from pipeline.settings.experiment import CardSettings

ALWAYS = (
    "Labels are predictions for single sentences. Read the sentence before you quote a label, and "
    "do not read counts of labels as prevalence: uncorrected counts of predictions are biased.",
    "A label says that the sentence expresses or reports a position, not whose: who holds it and "
    "toward whom, 'stance attribute' finds, with errors of its own.",
)


def facts_for(
    name: str,
    settings: ClassifierSettings,
    codebook: Codebook,
    *,
    card: CardSettings,
    corpus: Sequence[Path],
    documents: dict[str, int],
    seed: int,
    run_id: str | None,
    figures: Sequence[Figure] = (),
    notes: Sequence[str] = (),
) -> BundleFacts:
    """Return the facts of a trained model.

    Args:
        card: what the settings say about data and licence.
        documents: number of documents by their use (train, calibration, test).
        notes: remarks of calibration and threshold choice.
    """
    tasks = " and ".join(codebook.tasks)
    training = {
        "classifier": settings.model_dump_json(),
        "corpus": ", ".join(map(str, corpus)),
        **{f"documents for {use}": str(n) for use, n in documents.items()},
        "seed": str(seed),
        **({"remarks": "; ".join(notes)} if notes else {}),
    }
    return BundleFacts(
        name=f"{codebook.name.replace('_', '-')}-{name}",
        description=f"Labels single sentences by {tasks}, after codebook '{codebook.name}' "
        f"{codebook.version}: {codebook.about}",
        licence=card.licence,
        run_id=run_id,
        training=training,
        figures=tuple(figures),
        limits=(*card.limits, *ALWAYS),
    )
