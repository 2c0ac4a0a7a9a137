"""Questions as token ids, and token positions back as positions in the text.

    [CLS] label. speaker [SEP] the sentences before, as many words as fit [SEP] the sentence [SEP]

The sentence is the second segment. Needs `tokenizers` and numpy only, so that the model reads in
service exactly what it read in training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding, Tokenizer

from pipeline.attribution.questions import Question, Span
from pipeline.classifiers.tokenization import (
    CHARACTERS_PER_TOKEN,
    TOKENIZER_FILE,
    encodable,
    read_tokenizer,
)
from pipeline.errors import BundleError
from pipeline.records import Sentence

Indices = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
HEAD_TOKENS = 24
"""Of label and speaker together; a speaker is rarely longer than ten."""


@dataclass(frozen=True, slots=True)
class EncodedQuestion:
    """Token ids with the place of each token.

    `starts` and `ends` are positions in the statement's text, -1 for tokens that stand for none;
    `sentences` is the position of the token's sentence in the passage, -1 likewise. Word pieces
    that go on with a word have `begins` false.
    """

    ids: Indices
    types: Indices
    starts: Indices
    ends: Indices
    sentences: Indices
    begins: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)


class QuestionTokenizer:
    """Turns questions into model inputs of at most `max_tokens` tokens.

    At most `context_tokens` of them are of earlier sentences, the nearest ones; a sentence that is
    still too long keeps its beginning.
    """

    def __init__(self, tokenizer: Tokenizer, *, max_tokens: int, context_tokens: int) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self.max_tokens = max_tokens
        self.context_tokens = context_tokens
        self._first, self._last = _specials(tokenizer)

    @classmethod
    def from_folder(
        cls, folder: Path, *, max_tokens: int, context_tokens: int
    ) -> QuestionTokenizer:
        """Read `tokenizer.json` of a model folder.

        Raises:
            BundleError: the file is missing or is not a tokenizer.
        """
        return cls(read_tokenizer(folder), max_tokens=max_tokens, context_tokens=context_tokens)

    def save(self, folder: Path) -> None:
        """Write `tokenizer.json` into `folder`."""
        self._tokenizer.save(str(folder / TOKENIZER_FILE))

    def encode(self, questions: Sequence[Question]) -> list[EncodedQuestion]:
        """Return one encoding a question."""
        heads = self._texts([head_of(question) for question in questions])
        known: dict[tuple[int, int], Encoding] = {}
        encoded = []
        for question, head in zip(questions, heads, strict=True):
            head.truncate(HEAD_TOKENS)
            encoded.append(self._join(question, head, known))
        return encoded

    def _texts(self, texts: Sequence[str]) -> list[Encoding]:
        far = self.max_tokens * CHARACTERS_PER_TOKEN
        cut = [encodable(text[:far]) for text in texts]
        return list(self._tokenizer.encode_batch(cut, add_special_tokens=False))

    def _sentence(
        self, question: Question, at: int, known: dict[tuple[int, int], Encoding]
    ) -> Encoding:
        """Return the tokens of a sentence of the passage, which many questions may share."""
        key = (id(question.passage), at)
        if key not in known:
            [known[key]] = self._texts([question.passage.sentences[at].text])
        return known[key]

    def _join(
        self, question: Question, head: Encoding, known: dict[tuple[int, int], Encoding]
    ) -> EncodedQuestion:
        parts = _Parts()
        parts.special(self._first, 0)
        parts.plain(head.ids)
        parts.special(self._last, 0)
        own = self._sentence(question, question.position, known)
        room = self.max_tokens - len(parts.ids) - 2
        size = min(len(own), room)
        room = min(room - size, self.context_tokens)
        before: list[tuple[int, Encoding, int]] = []
        at = question.position - 1
        while room > 0 and at >= 0:
            tokens = self._sentence(question, at, known)
            taken = min(len(tokens), room)
            before.append((at, tokens, len(tokens) - taken))
            room -= taken
            at -= 1
        for at, tokens, start in reversed(before):
            parts.text(tokens, question.passage.sentences[at], at, 0, slice(start, None))
        parts.special(self._last, 0)
        parts.text(own, question.sentence, question.position, 1, slice(size))
        parts.special(self._last, 1)
        return parts.whole()


def head_of(question: Question) -> str:
    """Return what the model is told besides the text: the label and who speaks."""
    speaker = question.passage.speaker
    return f"{question.label}. {speaker}" if speaker else f"{question.label}."


class _Parts:
    """Collects the tokens of an encoding, part by part."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self._types: list[int] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._sentences: list[int] = []
        self._begins: list[bool] = []

    def special(self, token: int, segment: int) -> None:
        self._add([token], segment, [(-1, -1)], -1, [True])

    def plain(self, tokens: Sequence[int]) -> None:
        n = len(tokens)
        self._add(tokens, 0, [(-1, -1)] * n, -1, [True] * n)

    def text(
        self, tokens: Encoding, sentence: Sentence, at: int, segment: int, part: slice
    ) -> None:
        words = tokens.word_ids
        begins = [i == 0 or word != words[i - 1] for i, word in enumerate(words)]
        places = [(sentence.start + a, sentence.start + b) for a, b in tokens.offsets[part]]
        self._add(tokens.ids[part], segment, places, at, begins[part])

    def _add(
        self,
        ids: Sequence[int],
        segment: int,
        places: Sequence[tuple[int, int]],
        at: int,
        begins: Sequence[bool],
    ) -> None:
        self.ids += ids
        self._types += [segment] * len(ids)
        self._starts += [start for start, _ in places]
        self._ends += [end for _, end in places]
        self._sentences += [at] * len(ids)
        self._begins += begins

    def whole(self) -> EncodedQuestion:
        return EncodedQuestion(
            ids=_array(self.ids),
            types=_array(self._types),
            starts=_array(self._starts),
            ends=_array(self._ends),
            sentences=_array(self._sentences),
            begins=np.array(self._begins, dtype=bool),
        )


def _array(numbers: Sequence[int]) -> Indices:
    return np.array(numbers, dtype=np.int64)


def pad_questions(encoded: Sequence[EncodedQuestion]) -> dict[str, Indices]:
    """Return int64 arrays of shape (n, longest) named as encoders name their inputs."""
    shape = (len(encoded), max(len(one) for one in encoded))
    names = ("input_ids", "attention_mask", "token_type_ids")
    arrays = {name: np.zeros(shape, dtype=np.int64) for name in names}
    for row, one in enumerate(encoded):
        arrays["input_ids"][row, : len(one)] = one.ids
        arrays["attention_mask"][row, : len(one)] = 1
        arrays["token_type_ids"][row, : len(one)] = one.types
    return arrays


def tokens_at(encoded: EncodedQuestion, span: Span) -> tuple[int, int] | None:
    """Return the first and last token of `span`; `None` where it is not wholly among them."""
    first = np.flatnonzero((encoded.starts <= span.start) & (span.start < encoded.ends))
    last = np.flatnonzero((encoded.starts < span.end) & (span.end <= encoded.ends))
    if not len(first) or not len(last):
        return None
    return int(first[0]), int(last[-1])


def _specials(tokenizer: Tokenizer) -> tuple[int, int]:
    """Return the tokens that the tokenizer puts before and behind a text."""
    ids = tokenizer.encode("").ids
    if len(ids) != 2:
        raise BundleError(
            f"The tokenizer puts {len(ids)} tokens around a text, expected one before and one "
            "behind, as BERT's does."
        )
    return ids[0], ids[1]
