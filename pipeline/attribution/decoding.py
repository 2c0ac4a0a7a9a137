"""From scores of tokens to spans: the most probable one, or none.

The model scores every token as the start and as the end of a span, and the first token for "no
span" (Devlin et al., 2019, on SQuAD 2). All spans that could be an answer compete with "none" in
one softmax.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.attribution.encoding import EncodedQuestion, Floats
from pipeline.attribution.questions import Answer, Span

Mask = npt.NDArray[np.bool_]
OUTPUTS = ("holder_start", "holder_end", "target_start", "target_end")
MOST_TOKENS = 48
"""In a span; holders and targets of the corpus have at most so many."""
NO_TARGET = 0.6
"""Least probability of "no target". Many spans that nearly agree share the probability that there
is one, and none of them alone may exceed it. Chosen on documents of the corpus not learned from."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The most probable span, `None` for none, and its probability."""

    span: Span | None
    probability: float


def decode(encoded: EncodedQuestion, scores: Floats) -> Answer:
    """Return the answer that scores of shape (tokens, 4) favour; columns are as in `OUTPUTS`."""
    in_text = encoded.sentences >= 0
    own = in_text & (encoded.types == 1)
    holder = best_span(encoded, scores[:, 0], scores[:, 1], in_text)
    target = best_span(encoded, scores[:, 2], scores[:, 3], own, least_none=NO_TARGET)
    return Answer(holder.span, target.span, holder.probability, target.probability)


def best_span(
    encoded: EncodedQuestion, starts: Floats, ends: Floats, allowed: Mask, least_none: float = 0.0
) -> Choice:
    """Return the most probable span, or none if that is more probable and `least_none` at least.

    A span consists of whole words of one sentence and has at most `MOST_TOKENS` tokens. `starts`
    and `ends` are scores of shape (tokens,); those of the first token are for "none".
    """
    n = int(np.flatnonzero(allowed).max(initial=-1)) + 1
    places = np.arange(n)
    distance = places[None, :] - places[:, None]
    sentences = encoded.sentences[:n]
    closes = np.append(encoded.begins[1:], True)[:n]  # the token behind begins another word
    possible = (
        (distance >= 0)
        & (distance < MOST_TOKENS)
        & (sentences[:, None] == sentences[None, :])
        & (encoded.begins[:n] & allowed[:n])[:, None]
        & (closes & allowed[:n])[None, :]
    )
    sums = np.where(possible, starts[:n, None].astype(np.float64) + ends[None, :n], -np.inf)
    none = float(starts[0]) + float(ends[0])
    best = float(sums.max(initial=-np.inf))
    top = max(best, none)
    total = float(np.exp(sums - top).sum() + np.exp(none - top))
    p_none = float(np.exp(none - top)) / total
    if none >= best and (p_none >= least_none or best == -np.inf):
        return Choice(None, p_none)
    first, last = divmod(int(sums.argmax()), n)
    span = Span(int(encoded.starts[first]), int(encoded.ends[last]))
    return Choice(span, float(np.exp(best - top)) / total)
