"""spaCy's text categoriser on a blank English pipeline, with its default architecture.

One component a task: `textcat_multilabel` where a sentence may have several labels, `textcat` where
it has one. Ten passes in batches that grow from 4 to 32 sentences, dropout 0.2, as in spaCy's own
example of training in code.
"""

from __future__ import annotations

import random

import numpy as np
import spacy
from spacy.training import Example
from spacy.util import compounding, fix_random_seed, minibatch

from benchmarks.peers.exchange import Array, PeerTask, Predictor, Work

PASSES = 10


def fit(work: Work) -> Predictor:
    """Train one pipeline a task."""
    pipelines = {name: _train(work, name) for name in work.tasks}

    def predict(texts: list[str]) -> dict[str, Array]:
        return {
            name: _probabilities(pipelines[name], task, texts) for name, task in work.tasks.items()
        }

    return predict


def _train(work: Work, name: str) -> spacy.Language:
    fix_random_seed(work.seed)
    task = work.tasks[name]
    texts, given = work.known(name)
    nlp = spacy.blank("en")
    component = nlp.add_pipe("textcat_multilabel" if task.several else "textcat")
    for label in task.labels:
        component.add_label(label)
    examples = [
        Example.from_dict(
            nlp.make_doc(text), {"cats": dict(zip(task.labels, row.tolist(), strict=True))}
        )
        for text, row in zip(texts, given, strict=True)
    ]
    nlp.initialize(lambda: examples)
    shuffle = random.Random(work.seed)  # noqa: S311 - order of the examples, not a secret
    for _ in range(PASSES):
        shuffle.shuffle(examples)
        for batch in minibatch(examples, size=compounding(4.0, 32.0, 1.001)):
            nlp.update(batch, drop=0.2)
    return nlp


def _probabilities(nlp: spacy.Language, task: PeerTask, texts: list[str]) -> Array:
    rows = [[doc.cats[label] for label in task.labels] for doc in nlp.pipe(texts)]
    return np.asarray(rows, dtype=np.float64).reshape(len(texts), len(task.labels))
