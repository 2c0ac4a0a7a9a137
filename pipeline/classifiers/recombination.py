"""New sentences out of parts of known ones, for a teacher to label.

Two sentences are cut before the same joining word, or after the same mark, and the beginning of
one is continued by the end of the other, so that most results are well formed. Nobody knows their
labels but a teacher; what a student learns from them is how the teacher decides away from the
sentences both were shown (as by other augmentation in TinyBERT; Jiao et al., 2020).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.records import Sentence

_JOINTS = (
    "and|or|but|that|which|who|whose|where|when|while|if|unless|until|because|although|since|as"
    "|after|before|in|on|at|by|for|from|of|to|with|without|against|between|through|under|into"
    "|is|are|was|were|has|have|had|will|would|must|should|can|cannot|could|not|said|told"
)
_JOINT = re.compile(rf"(?<=[,;:] )(?=\S)|(?<= )(?=(?:{_JOINTS}) )")
_LEAST, _MOST = 20, 400
"""Characters of a recombined sentence."""


def recombined(sentences: Sequence[Sentence], count: int, *, seed: int) -> list[Sentence]:
    """Return `count` sentences, each the beginning of one of `sentences` and the end of another.

    Fewer where there are not so many places to cut: each gives one beginning at most. The same
    sentences and seed give the same result. What a sentence is read with (context) is that of its
    beginning.
    """
    random = np.random.default_rng((seed, len(sentences), count))
    heads: list[tuple[int, int, str]] = []
    tails: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row, sentence in enumerate(sentences):
        for found in _JOINT.finditer(sentence.text):
            place = found.start()
            joint = _joint(sentence.text, place)
            heads.append((row, place, joint))
            tails[joint].append((row, place))
    made: dict[str, Sentence] = {}
    known = {sentence.text for sentence in sentences}
    for pick in random.permutation(len(heads)) if heads else ():
        if len(made) == count:
            break
        row, place, joint = heads[pick]
        other, start = tails[joint][random.integers(len(tails[joint]))]
        text = sentences[row].text[:place] + sentences[other].text[start:]
        if other != row and _LEAST <= len(text) <= _MOST and text not in known:
            made[text] = replace(sentences[row], text=text, end=sentences[row].start + len(text))
    return list(made.values())


def _joint(text: str, place: int) -> str:
    """Return the mark before a place to cut, or the word behind it."""
    return text[place - 2] if text[place - 2] in ",;:" else text[place:].split(" ", 1)[0]
