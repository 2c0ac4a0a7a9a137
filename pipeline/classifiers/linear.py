"""TF-IDF of words and characters with logistic regression: fast, small, and hard to beat."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from pipeline.classifiers.features import (
    FloatArray,
    TfidfBlock,
    fit_block,
    read_terms,
)
from pipeline.classifiers.inputs import as_read
from pipeline.classifiers.logistic import Regressions, SavedRegressions, fit_regressions
from pipeline.classifiers.protocol import QUIET, FitMonitor, Logits
from pipeline.classifiers.state import (
    fitted,
    known_part,
    read_arrays,
    read_saved,
    write_arrays,
    write_saved,
)
from pipeline.codebook import Codebook
from pipeline.labelling.typography import plain
from pipeline.records import LabelledSentence, Sentence
from pipeline.settings.classifiers import LinearSettings

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_WORDS, _CHARACTERS, _ARRAYS = "words.txt", "characters.txt", "linear.npz"


class _SavedLinear(SavedRegressions):
    kind: Literal["linear"]
    settings: LinearSettings


class LinearClassifier:
    """One logistic regression a multilabel column and one multinomial a multiclass task.

    Deterministic: the seed is kept for the protocol and changes nothing. Prediction needs numpy
    only; weights are kept in half precision, before saving as after.
    """

    kind: ClassVar[str] = "linear"
    reads_context: ClassVar[bool] = False

    def __init__(self, codebook: Codebook, settings: LinearSettings, *, seed: int = 0) -> None:
        self.codebook = codebook
        self.settings = settings
        self.seed = seed
        self._blocks: tuple[TfidfBlock, TfidfBlock] | None = None
        self._regressions: Regressions | None = None

    def fit(self, train: Sequence[LabelledSentence], monitor: FitMonitor = QUIET) -> None:
        """Learn vocabulary, inverse document frequencies and weights.

        Raises:
            InputError: no sentence carries a known label.
        """
        del monitor  # fitted in one go: there is nothing to report
        from scipy.sparse import hstack

        known, targets = known_part(train, self.codebook, self.kind)
        texts = [as_read(labelled.sentence.text) for labelled in known]
        limits = {"min_df": self.settings.min_df, "max_features": self.settings.max_features}
        words = fit_block(texts, analyzer="word", ngrams=self.settings.word_ngrams, **limits)
        characters = fit_block(
            texts, analyzer="char_wb", ngrams=self.settings.char_ngrams, **limits
        )

        found = fit_regressions(
            hstack([_matrix(words, texts), _matrix(characters, texts)], format="csr"),
            targets,
            self.codebook,
            c=self.settings.c,
            balanced=self.settings.balanced,
        )
        self._blocks = (words, characters)
        self._regressions = Regressions(_halved(found.weights), found.bias, found.learned)

    def predict_logits(self, sentences: Sequence[Sentence]) -> Logits:
        """Return log-odds and log-probabilities, float32 (n, width)."""
        words, characters = fitted(self._blocks, self.kind)
        regressions = fitted(self._regressions, self.kind)
        texts = [as_read(sentence.text) for sentence in sentences]
        border = len(words.terms)
        products = words.dot(texts, regressions.weights[:border])
        products += characters.dot(texts, regressions.weights[border:])
        return regressions.logits(products, self.codebook)

    def word_shares(self, sentence: Sentence) -> FloatArray:
        """Return what each word adds to the logits, float32 (words, width).

        Words are what stands between white space. With the bias the rows sum to the logits; in a
        multiclass task up to a constant of the sentence, so that differences of labels are exact.
        """
        words, characters = fitted(self._blocks, self.kind)
        weights = fitted(self._regressions, self.kind).weights
        text, border = as_read(sentence.text), len(words.terms)
        shares = words.word_shares(text, weights[:border])
        shares += characters.word_shares(text, weights[border:])
        unread = plain(sentence.text)[: len(sentence.text) - len(text)].split()
        return np.pad(shares, ((len(unread), 0), (0, 0)))  # zero for what is not read

    def save(self, folder: Path) -> None:
        """Write classifier.json, two vocabularies as text, and the weights as half floats."""
        words, characters = fitted(self._blocks, self.kind)
        regressions = fitted(self._regressions, self.kind)
        words.write_terms(folder / _WORDS)
        characters.write_terms(folder / _CHARACTERS)
        arrays: dict[str, npt.NDArray[np.floating]] = {
            "weights": regressions.weights.astype(np.float16),
            "bias": regressions.bias,
            "word_idf": words.idf,
            "character_idf": characters.idf,
        }
        write_arrays(folder / _ARRAYS, arrays)
        saved = _SavedLinear(
            kind="linear",
            codebook=self.codebook.signature,
            columns=self.codebook.column_names,
            settings=self.settings,
            learned=regressions.learned,
        )
        write_saved(folder, saved)

    @classmethod
    def load(cls, folder: Path, codebook: Codebook) -> Self:
        """Read what `save` wrote.

        Raises:
            BundleError: a file is missing, not valid, does not fit the others or the codebook.
        """
        saved = read_saved(_SavedLinear, folder, codebook, cls.kind)
        words, characters = read_terms(folder / _WORDS), read_terms(folder / _CHARACTERS)
        shapes = {
            "weights": (len(words) + len(characters), codebook.width),
            "bias": (codebook.width,),
            "word_idf": (len(words),),
            "character_idf": (len(characters),),
        }
        arrays = read_arrays(folder / _ARRAYS, shapes)
        made = cls(codebook, saved.settings)
        made._blocks = (
            TfidfBlock("word", saved.settings.word_ngrams, words, arrays["word_idf"]),
            TfidfBlock("char_wb", saved.settings.char_ngrams, characters, arrays["character_idf"]),
        )
        made._regressions = Regressions(arrays["weights"], arrays["bias"], saved.learned)
        return made


def _matrix(block: TfidfBlock, texts: Sequence[str]) -> csr_matrix:
    from scipy.sparse import csr_matrix

    rows = block.transform(texts)
    shape = (len(texts), len(block.terms))
    return csr_matrix((rows.values, rows.columns, rows.starts), shape=shape)


def _halved(weights: FloatArray) -> FloatArray:
    """Round to the nearest half float, so that a saved classifier scores as the fitted one did."""
    return weights.astype(np.float16).astype(np.float32)
