"""Logistic regression with scikit-learn's defaults, on features of whatever kind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import spmatrix
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from benchmarks.peers.exchange import Array, PeerTask

Features = spmatrix | np.ndarray
Probabilities = Callable[[Features], Array]


def fit_regression(features: Features, given: Array, task: PeerTask) -> Probabilities:
    """Return what gives probabilities, (n, labels): one model a label, or one multinomial.

    `given` is 0/1 of shape (m, labels).
    """
    model = LogisticRegression(max_iter=1000)
    if task.several:
        each = OneVsRestClassifier(model).fit(features, given.astype(int))
        return lambda rows: np.asarray(each.predict_proba(rows))
    model.fit(features, given.argmax(axis=1))

    def probabilities(rows: Features) -> Array:
        out = np.zeros((rows.shape[0], len(task.labels)))
        out[:, model.classes_] = model.predict_proba(rows)  # labels never seen keep zero
        return out

    return probabilities
