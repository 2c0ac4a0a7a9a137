"""What tests in several rooms need."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")

ROOT = Path(__file__).parents[1]
ENCODER_LIMIT = 64
"""Tokens that the tiny encoder reads."""


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Work of microseconds is slower on several threads, and far slower on a busy machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def write_encoder(folder: Path, words: Sequence[str]) -> None:
    """Write an untrained BERT of 32 dimensions, which learns toys within seconds.

    Its tokenizer knows every letter and the given words, so that no text is unknown to it.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    letters = [chr(c) for c in range(33, 127)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *words]
    pieces += ["##" + letter for letter in letters]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=pieces[1]))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(5)
    network = BertModel(
        BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=ENCODER_LIMIT,
        )
    )
    network.save_pretrained(folder)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an encoder for sentences about restaurants."""
    folder = tmp_path_factory.mktemp("tiny-encoder")
    words = ["the", "soup", "bread", "waiter", "was", "were", "excellent", "rude", "stale"]
    write_encoder(folder, words)
    return folder


@pytest.fixture(scope="session")
def make_encoder() -> Callable[[Path, Sequence[str]], None]:
    """Write an encoder that knows other words."""
    return write_encoder


SETTINGS = """\
codebook: codebook.yaml
inputs: [docs]
work: work
seed: 3
data:
  corpus: [corpus.jsonl]
  gold: gold.jsonl
  gold_statements: statements
split: {test: 0.2, calibration: 0.2, threshold_folds: 2}
evaluation: {replicates: 100}
models:
  majority: {kind: majority}
  rules: {kind: rules}
tracking: {uri: "sqlite:///store/mlflow.db", experiment: kitchen}
promote:
  {model: rules, to: models/kitchen, largest_share_flipped: 0.0, gate: {largest_ece: 0.2}}
card: {licence: CC0-1.0, data_card: corpus.md, limits: [Knows nothing of desserts.]}
classify: {out: out/predictions.jsonl}
report: {out: out/report.html, title: What the guests say}
"""

SAID = (
    ("The soup of table {n} was excellent.", ["food"], "praise"),
    ("At table {n} the bread was stale.", ["food"], "blame"),
    ("A rude waiter came to table {n}.", ["service"], "blame"),
    ("The friendly staff of table {n} brought lovely wine.", ["food", "service"], "praise"),
    ("We sat at table {n} by the window.", [], "neither"),
)


@pytest.fixture(scope="session")
def make_project() -> Callable[[Path], Path]:
    """Write a project about restaurants into a folder: 40 labelled reviews and two new ones."""

    def row(number: int, offset: int, size: int) -> list[dict[str, object]]:
        sentences = []
        for i in range(size):
            text, topic, tone = SAID[(number + i * (1 + number % 3)) % len(SAID)]
            entries = [{"label": label, "holder": "SPEAKER"} for label in topic]
            said = text.format(n=offset + number * 10 + i)
            sentences.append({"text": said, "topic": entries, "tone": tone})
        return sentences

    def make(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "tests" / "codebooks" / "tiny.yaml", folder / "codebook.yaml")
        (folder / "settings.yaml").write_text(SETTINGS, encoding="utf-8")
        corpus = [
            {"doc_id": f"review-{n}", "speaker": f"Guest {n}", "sentences": row(n, 1000, 3 + n % 3)}
            for n in range(40)
        ]
        (folder / "corpus.md").write_text("Reviews, invented for tests.\n", encoding="utf-8")
        lines = "".join(json.dumps(document) + "\n" for document in corpus)
        (folder / "corpus.jsonl").write_text(lines, encoding="utf-8")
        (folder / "statements").mkdir()
        gold = []
        for n in range(3):
            sentences, text = row(n, 5000, 4), ""
            for sentence in sentences:
                start = len(text)
                text += f"{sentence['text']} "
                sentence |= {"start": start, "end": len(text) - 1}
            (folder / "statements" / f"g{n}.txt").write_text(text, encoding="utf-8")
            gold.append({"file": f"g{n}.txt", "speaker": "Critic", "sentences": sentences})
        lines = "".join(json.dumps(document) + "\n" for document in gold)
        (folder / "gold.jsonl").write_text(lines, encoding="utf-8")
        (folder / "docs").mkdir()
        (folder / "docs" / "a.txt").write_text(
            "The soup was excellent. A rude waiter brought it.\n\nWe sat by the window.\n",
            encoding="utf-8",
        )
        (folder / "docs" / "b.md").write_text(
            "# Naïve dining\n\nThe bread was *stale*. The staff was friendly — very.\n",
            encoding="utf-8",
        )
        (folder / "docs" / "empty.txt").write_text("", encoding="utf-8")
        return folder

    return make
