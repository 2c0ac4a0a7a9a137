"""Print the sentences of the later parts of the corpus that come near to labelled statements.

    python experiments/quality/nearness.py LABELLED.jsonl... [--above 0.75]

Nearness is the cosine of the packaged encoder's sentence embeddings. What a model is measured on
must not stand in its training data in other words either.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.classifiers.embedding import FrozenEncoder
from pipeline.classifiers.encoder import resolve_encoder
from pipeline.codebook import load_codebook
from pipeline.labelling import read_labelled
from pipeline.records import Sentence
from pipeline.settings.classifiers import EncoderSettings

FILES = ("error-led.jsonl", "further.jsonl", "contrasts.jsonl")
ROOT = Path(__file__).parents[2]


def main() -> None:
    """Compare every sentence with every sentence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labelled", type=Path, nargs="+")
    parser.add_argument("--above", type=float, default=0.75)
    options = parser.parse_args()
    codebook = load_codebook(ROOT / "configs" / "codebook.yaml")

    def sentences(path: Path) -> list[Sentence]:
        documents, _ = read_labelled(path, codebook)
        return [one.sentence for document in documents for one in document.sentences]

    settings = EncoderSettings()
    encoder = FrozenEncoder(resolve_encoder(settings), max_tokens=settings.max_tokens)
    corpus = ROOT / "seeds" / "corpus"
    ours = [one for name in FILES for one in sentences(corpus / name)]
    theirs = [one for path in options.labelled for one in sentences(path)]
    near = encoder.embed(ours) @ encoder.embed(theirs).T
    nearest = near.argmax(axis=1)
    for i in (-near.max(axis=1)).argsort(kind="stable"):
        cosine = near[i, nearest[i]]
        if cosine < options.above:
            break
        print(f"{cosine:.2f}  {ours[i].doc_id}  {ours[i].text}\n      {theirs[nearest[i]].text}")


if __name__ == "__main__":
    main()
