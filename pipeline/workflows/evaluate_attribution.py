"""Stage `evaluate-attribution`: holders and targets against labelled documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.attribution import Attributor, Question, asked_of
from pipeline.attribution.questions import Answer, passage_of
from pipeline.bundle import Bundle, Figure
from pipeline.codebook import Codebook
from pipeline.decision import to_predictions
from pipeline.errors import InputError
from pipeline.evaluation.attribution import Expressed, Found, attribution_scores, expressed_f1
from pipeline.records import SPEAKER, LabelledDocument, Score
from pipeline.workflows.scoring import sentences_of

REPLICATES = 1000


@dataclass(frozen=True, slots=True)
class AttributionEvaluation:
    """Scores of one way to answer on one data set; `end_to_end` needs a classifier."""

    dataset: str
    method: str
    scores: Mapping[str, Score]
    end_to_end: Mapping[str, Score]

    def figures(self) -> list[Figure]:
        """Return all defined scores as they are kept with a model."""
        joint = {f"end_to_end.{name}": score for name, score in self.end_to_end.items()}
        return [
            Figure.of(self.dataset, name, score)
            for name, score in {**self.scores, **joint}.items()
            if score.defined
        ]


def evaluate_attribution(
    documents: Sequence[LabelledDocument],
    codebook: Codebook,
    attributor: Attributor,
    *,
    dataset: str,
    method: str,
    bundle: Bundle | None = None,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> AttributionEvaluation:
    """Compare answers with the labelled holders and targets.

    With a `bundle`, the labels it gives are attributed as well (`end_to_end`).

    Raises:
        InputError: no label in the documents says who holds it.
    """
    asked = [one for one in asked_of(documents, codebook) if one.gold.holder is not None]
    if not asked:
        raise InputError(
            f"{dataset}: no label there says who holds it. Give documents whose labels are objects "
            "with 'label', 'holder' and 'target'."
        )
    answers = attributor.answer([one.question for one in asked])
    found = [
        Found(
            one.doc_id,
            holder_of(one.question, answer),
            one.gold.holder or SPEAKER,
            target_of(one.question, answer),
            one.gold.target,
        )
        for one, answer in zip(asked, answers, strict=True)
    ]
    scores = attribution_scores(found, replicates=replicates, seed=seed)
    joint: Mapping[str, Score] = {}
    if bundle is not None:
        joint = _end_to_end(documents, bundle, attributor, replicates=replicates, seed=seed)
    return AttributionEvaluation(dataset, method, scores, joint)


def holder_of(question: Question, answer: Answer) -> str:
    """Return the holder in words, or SPEAKER."""
    return SPEAKER if answer.holder is None else question.passage.words(answer.holder)


def target_of(question: Question, answer: Answer) -> str | None:
    """Return the target in words."""
    return None if answer.target is None else question.passage.words(answer.target)


def _end_to_end(
    documents: Sequence[LabelledDocument],
    bundle: Bundle,
    attributor: Attributor,
    *,
    replicates: int,
    seed: int,
) -> Mapping[str, Score]:
    codebook = bundle.codebook
    titles = {
        (name, label): facts.title
        for name, task in codebook.tasks.items()
        if task.attribution
        for label, facts in task.labels.items()
    }
    labelled = sentences_of(documents)
    sentences = [one.sentence for one in labelled]
    predictions = to_predictions(
        sentences, *bundle.predict(sentences), codebook, model_id=bundle.model_id
    )
    passages = [passage_of(document) for document in documents]
    places = [(passage, at) for passage, positions in passages for at in positions]
    given: list[tuple[str, str, str, Question]] = []
    for prediction, one, (passage, at) in zip(predictions, labelled, places, strict=True):
        sentence = prediction.sentence
        attributed = {gold.label for gold in one.attributions if gold.holder is not None}
        for (task, label), title in titles.items():
            right = one.labels.get(task)
            if right is None or (label in right and label not in attributed):
                continue  # whether it is expressed, or by whom, nobody knows
            if label in (prediction.labels[task] or ()):
                question = Question(passage, at, title)
                given.append((sentence.doc_id, sentence.sentence_id, label, question))
    answers = attributor.answer([question for *_, question in given])
    return expressed_f1(
        [
            Expressed(doc_id, sentence_id, label, holder_of(question, answer))
            for (doc_id, sentence_id, label, question), answer in zip(given, answers, strict=True)
        ],
        [
            Expressed(one.sentence.doc_id, one.sentence.sentence_id, gold.label, gold.holder)
            for one in labelled
            for gold in one.attributions
            if gold.holder is not None and gold.label in {label for _, label in titles}
        ],
        [document.doc_id for document in documents],
        [label for _, label in titles],
        replicates=replicates,
        seed=seed,
    )
