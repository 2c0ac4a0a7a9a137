"""Cross-validate the project's classifiers on another subject: verbal conflict in the Council.

    python -m benchmarks.unscon.crossvalidate umuc.jsonl [--start TRAINED] [--context]

umuc.jsonl holds the sentences of UMUC, the corrected edition of UNSCon (Zaczynska, Bourgonje and
Stede, LREC-COLING 2024), one JSON object a line with id, text, doc_id, country, neg_eval, challenge
and conflict. It is read where it lies, converted into a temporary folder, and nothing of it is kept
but the scores of its sentences in --work, so that an interrupted run goes on where it stopped.

Each meeting is predicted by classifiers that learned from the other meetings only. Within these,
three models are fitted, each without a third of the speeches, on which it is calibrated; their
calibrated probabilities are averaged. Thresholds are read off the calibrated probabilities of the
learning meetings: those of the types by the product's own rule, that of conflict where the expected
macro-F1 of conflict against none is highest. With --start, the transformer begins with the encoder
of a trained model of this project (the folder that `stance train` writes) instead of the packaged
one; that model never saw a sentence of these data.

Prints macro-F1 of conflict against none and F1 of every type, with 95 % intervals from a bootstrap
over speeches and over meetings (of which there are six: read that interval as a lower bound), and
the paired difference of each classifier to the linear one over speeches.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.unscon.convert import meeting_of, read_rows, write_documents
from pipeline.bundle import load_bundle
from pipeline.classifiers.encoder import encoder_sha256, resolve_encoder
from pipeline.classifiers.ensemble import EnsembleClassifier
from pipeline.classifiers.protocol import Logits
from pipeline.classifiers.registry import build
from pipeline.classifiers.targets import Targets, encode_targets
from pipeline.codebook import Codebook, load_codebook
from pipeline.decision import DecisionRule, Decisions, Probabilities
from pipeline.evaluation.bootstrap import document_weights, percentile_interval
from pipeline.evaluation.comparison import compare
from pipeline.evaluation.metrics import Outcomes, measure, outcomes
from pipeline.labelling import read_labelled
from pipeline.output import whole_file
from pipeline.records import LabelledDocument, LabelledSentence
from pipeline.settings.classifiers import EncoderSettings, LinearSettings, TransformerSettings
from pipeline.training.calibration import fit_calibration
from pipeline.training.splits import grouped_folds
from pipeline.training.thresholds import f1_thresholds
from pipeline.workflows.scoring import groups_of, sentences_of

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Names = npt.NDArray[np.str_]

UNITS = ("speeches", "meetings")

CODEBOOK = Path("configs/codebooks/unscon.yaml")
LINEAR = LinearSettings()
TRANSFORMER = TransformerSettings(epochs=4, learning_rate=1e-4)
WEIGHTS = (0.7, 0.6)
"""Of transformer and linear model in the ensemble; chosen before the runs, for both tasks alike."""
PARTS = 3
"""Models a meeting; each is calibrated on the part of the speeches it did not learn from."""


@dataclass(frozen=True)
class Corpus:
    """The speeches, and for each of their n sentences its targets, speech and meeting."""

    codebook: Codebook
    documents: tuple[LabelledDocument, ...]
    targets: Targets
    speeches: Names
    meetings: Names

    @property
    def sentences(self) -> list[LabelledSentence]:
        """All sentences in order."""
        return sentences_of(self.documents)

    def rows_of(self, documents: Sequence[LabelledDocument]) -> Rows:
        """Return where the sentences of some of the speeches stand."""
        return np.flatnonzero(np.isin(self.speeches, [one.doc_id for one in documents]))


@dataclass(frozen=True)
class Scored:
    """Calibrated probabilities and decisions of sentences, both (n, width)."""

    probabilities: Probabilities
    given: npt.NDArray[np.bool_]

    @classmethod
    def empty(cls, corpus: Corpus) -> Scored:
        """Return room for all sentences."""
        shape = corpus.targets.shape
        return cls(np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=bool))


def read_corpus(data: Path, codebook: Codebook) -> Corpus:
    """Convert the data in a temporary folder and read them as the product reads labelled files."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "unscon.jsonl"
        write_documents(read_rows(data), path)
        documents, rejected = read_labelled(path, codebook)
    if rejected:
        raise SystemExit(f"{data}: {len(rejected)} speeches cannot be used: {rejected[0].detail}")
    speeches = groups_of(documents)
    return Corpus(
        codebook,
        tuple(documents),
        encode_targets(sentences_of(documents), codebook),
        np.asarray(speeches),
        np.asarray([meeting_of(name) for name in speeches]),
    )


def start_encoder(trained: Path | None, folder: Path) -> Path:
    """Return the encoder to begin with: the packaged one, or a trained one, put into `folder`."""
    if trained is None:
        return resolve_encoder(EncoderSettings())
    from pipeline.classifiers.transformer import TransformerClassifier

    classifier = load_bundle(trained).classifier
    members = classifier.members if isinstance(classifier, EnsembleClassifier) else (classifier,)
    found = [one for one in members if isinstance(one, TransformerClassifier)]
    if not found:
        raise SystemExit(f"{trained} is of kind '{classifier.kind}'; give one with a transformer.")
    found[0].network.encoder.save_pretrained(folder)
    found[0].tokenizer.save(folder)
    return folder


def score_meeting(
    corpus: Corpus, meeting: str, transformer: TransformerSettings, work: Path, seed: int
) -> dict[str, Scored]:
    """Return what classifiers of all other meetings say of a meeting, by kind.

    Logits of finished parts are kept in `work`.
    """
    rows = np.flatnonzero(corpus.meetings == meeting)
    others = [one for one in corpus.documents if meeting_of(one.doc_id) != meeting]
    logits: dict[str, list[tuple[Rows, Logits, Logits]]] = {}
    folds = grouped_folds(others, corpus.codebook, folds=PARTS, seed=seed)
    for number, fold in enumerate(folds, start=1):
        kept = work / f"{meeting}-{number}.npz"
        held = corpus.rows_of(fold.test)
        if not kept.is_file():
            print(f"{meeting}, part {number} of {PARTS}", file=sys.stderr)
            found = fit_and_score(corpus, sentences_of(fold.train), [held, rows], transformer, seed)
            with whole_file(kept) as file:
                np.savez(file, **found)
        with np.load(kept, allow_pickle=False) as arrays:
            for name in arrays.files:
                here = np.split(arrays[name], [len(held)])
                logits.setdefault(name, []).append((held, here[0], here[1]))
    return {kind: combine(corpus, rows, parts) for kind, parts in logits.items()}


def fit_and_score(
    corpus: Corpus,
    learn: Sequence[LabelledSentence],
    rows: Sequence[Rows],
    transformer: TransformerSettings,
    seed: int,
) -> dict[str, Logits]:
    """Fit the members on `learn`, and return the logits of all `rows` by kind."""
    members = [build(one, corpus.codebook, seed=seed) for one in (transformer, LINEAR)]
    for member in members:
        member.fit(learn)
    ensemble = EnsembleClassifier.of(corpus.codebook, members, WEIGHTS)
    sentences = corpus.sentences
    asked = [sentences[i].sentence for i in np.concatenate(rows)]
    return {one.kind: one.predict_logits(asked) for one in (members[1], members[0], ensemble)}


def combine(corpus: Corpus, rows: Rows, parts: Sequence[tuple[Rows, Logits, Logits]]) -> Scored:
    """Calibrate every part on its held-out speeches, average, and decide the rows.

    A part is (held-out rows, their logits, the logits of `rows`).
    """
    codebook, halves = corpus.codebook, (0.5,) * corpus.codebook.width
    learned = np.full(corpus.targets.shape, np.nan, dtype=np.float32)
    asked = np.zeros((len(rows), codebook.width), dtype=np.float32)
    for held, of_held, of_rows in parts:
        fitted = fit_calibration(of_held, corpus.targets[held], codebook)
        rule = DecisionRule(fitted.scale, fitted.bias, halves)
        learned[held] = rule.probabilities(of_held, codebook)
        asked += rule.probabilities(of_rows, codebook) / len(parts)
    known = np.concatenate([held for held, _, _ in parts])
    learned, targets = learned[known], corpus.targets[known]
    threshold = f1_thresholds(learned, targets, codebook).values
    given = asked >= np.asarray(threshold, dtype=np.float32)
    for task in codebook.multiclass_tasks():  # two labels: the first, and none of it
        part = codebook.slice_of(task)
        first = asked[:, part.start] >= macro_f1_cut(learned[:, part.start])
        given[:, part] = np.stack([first, ~first], axis=1)
    return Scored(asked, given)


def macro_f1_cut(probabilities: npt.NDArray[np.float32]) -> float:
    """Return the cut with the highest expected macro-F1 of a label and its absence.

    Both F1 are taken at the expected counts, as `expected_f1_optimum` does for one label.
    """
    p = np.sort(probabilities.astype(np.float64))[::-1]
    taken = np.arange(1, len(p) + 1)
    hits, positives = np.cumsum(p), p.sum()
    misses = positives - hits
    left = len(p) - taken
    f1 = 2 * hits / (taken + positives)
    f1_of_none = 2 * (left - misses) / np.maximum(left + len(p) - positives, 1e-9)
    return float(p[(f1 + f1_of_none).argmax()])


def fingerprint(corpus: Corpus, transformer: TransformerSettings, seed: int) -> str:
    """Return a hash of all that the logits depend on but the version of the code."""
    settings = [one.model_dump_json(exclude={"encoder"}) for one in (transformer, LINEAR)]
    start = encoder_sha256(Path(transformer.encoder.name))
    texts = [one.sentence.text for one in corpus.sentences]
    chosen = [*settings, str(WEIGHTS), str(PARTS), start, str(seed)]
    digest = hashlib.sha256("\0".join([*chosen, *texts]).encode())
    digest.update(corpus.targets.tobytes())
    return digest.hexdigest()[:12]


def outcomes_by_kind(
    corpus: Corpus, transformer: TransformerSettings, work: Path, seed: int
) -> dict[str, tuple[Outcomes, Outcomes]]:
    """Return what each kind comes to on all meetings, resampled by speeches and by meetings."""
    scored: dict[str, Scored] = {}
    for meeting in np.unique(corpus.meetings):
        rows = np.flatnonzero(corpus.meetings == meeting)
        for kind, one in score_meeting(corpus, meeting, transformer, work, seed).items():
            whole = scored.setdefault(kind, Scored.empty(corpus))
            whole.probabilities[rows], whole.given[rows] = one.probabilities, one.given
    withheld = np.zeros(corpus.targets.shape, dtype=bool)
    return {
        kind: tuple(
            outcomes(
                units.tolist(),
                one.probabilities,
                Decisions(one.given, withheld),
                corpus.targets,
                corpus.codebook,
            )
            for units in (corpus.speeches, corpus.meetings)
        )
        for kind, one in scored.items()
    }


def table(
    found: Mapping[str, tuple[Outcomes, Outcomes]], codebook: Codebook, replicates: int, seed: int
) -> str:
    """Return one Markdown table: a score a row, a classifier a column."""
    kinds = list(found)
    macro = [f"{task}.macro_f1" for task in codebook.tasks]
    of_label = [f"{column}.f1" for column in codebook.column_names]
    measured = {
        (kind, unit): evaluated(seen, codebook, replicates, seed)
        for kind, both in found.items()
        for unit, seen in zip(UNITS, both, strict=True)
    }
    lines = [["score", "resampled", *kinds], ["---"] * (2 + len(kinds))]
    for name in [*macro, *of_label]:
        for unit in UNITS if name in macro else UNITS[:1]:
            lines.append([name, unit, *(cell(measured[kind, unit][name]) for kind in kinds)])
    first = found[kinds[0]][0]
    gaps = {
        (kind, one.name): one
        for kind, both in found.items()
        for one in compare(both[0], first, codebook, replicates=replicates, seed=seed)
    }
    for name in macro:
        shown = [gaps[kind, name] for kind in kinds[1:]]
        cells = [
            "" if d.low is None else f"{d.difference:+.3f} [{d.low:+.3f}, {d.high:+.3f}]"
            for d in shown
        ]
        lines.append([f"{name}, less {kinds[0]}", UNITS[0], "", *cells])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def evaluated(
    seen: Outcomes, codebook: Codebook, replicates: int, seed: int
) -> Mapping[str, Array]:
    """Return every score: the plain one first, then its replicates."""
    weights = document_weights(seen.document_count, replicates=replicates, seed=seed)
    weights = np.vstack([np.ones((1, seen.document_count)), weights])
    return {name: one.values for name, one in measure(seen, codebook, weights).items()}


def cell(values: Array) -> str:
    """Return a score with its interval."""
    interval = percentile_interval(values[1:])
    shown = "" if interval is None else f" [{interval[0]:.3f}, {interval[1]:.3f}]"
    return f"{values[0]:.3f}{shown}"


def main() -> None:
    """Cross-validate and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--start", type=Path, metavar="TRAINED")
    parser.add_argument("--context", action="store_true", help="read the sentence before as well")
    parser.add_argument("--work", type=Path, default=Path("experiments/unscon"))
    parser.add_argument("--seed", type=int, default=13)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--max-steps", type=int, help="stop trainings early, for quick trials")
    options = parser.parse_args()
    corpus = read_corpus(options.data, load_codebook(CODEBOOK))
    with tempfile.TemporaryDirectory() as scratch:
        start = start_encoder(options.start, Path(scratch))
        transformer = TRANSFORMER.model_copy(
            update={
                "encoder": EncoderSettings(name=str(start)),
                "context": options.context,
                "max_steps": options.max_steps,
            }
        )
        work = options.work / fingerprint(corpus, transformer, options.seed)
        found = outcomes_by_kind(corpus, transformer, work, options.seed)
    count = f"{len(corpus.targets)} sentences, {len(corpus.documents)} speeches"
    print(f"{count}, {len(np.unique(corpus.meetings))} meetings, each predicted from the others\n")
    print(table(found, corpus.codebook, options.replicates, options.seed))


if __name__ == "__main__":
    main()
