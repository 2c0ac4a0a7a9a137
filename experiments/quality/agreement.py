"""Print how far the two annotations of the training corpus agree.

    python experiments/quality/agreement.py

Both annotators labelled every sentence; `seeds/corpus/disagreements.jsonl` holds the sentences on
which they differed, with both labels and the adjudicated one. On all others they agreed on what the
corpus says, or said before `corrections.jsonl`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from sklearn.metrics import cohen_kappa_score, f1_score

from pipeline.codebook import load_codebook
from pipeline.labelling import read_labelled

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "seeds" / "corpus"
FILES = (
    "literary.jsonl",
    "register.jsonl",
    "error-led.jsonl",
    "further.jsonl",
    "contrasts.jsonl",
)


def main() -> None:
    """Compare and print."""
    codebook = load_codebook(ROOT / "configs" / "codebook.yaml")
    lines = (CORPUS / "disagreements.jsonl").read_text(encoding="utf-8").splitlines()
    differing = {(row["doc_id"], row["sentence"]): row for row in map(json.loads, lines)}
    lines = (CORPUS / "corrections.jsonl").read_text(encoding="utf-8").splitlines()
    before = {(row["doc_id"], row["sentence"]): row for row in map(json.loads, lines)}
    stances = list(codebook.tasks["stance"].labels)
    first, second = defaultdict(list), defaultdict(list)
    sentences = 0
    for name in FILES:
        documents, _ = read_labelled(CORPUS / name, codebook)
        for document in documents:
            for i, labelled in enumerate(document.sentences):
                sentences += 1
                agreed = {
                    "claim": (labelled.labels["claim"] or ("",))[0],
                    "stance": labelled.labels["stance"] or (),
                }
                if (changed := before.get((document.doc_id, i))) is not None:
                    agreed[changed["task"]] = changed["old"]
                row = differing.get((document.doc_id, i))
                for votes, coder in ((first, "first"), (second, "second")):
                    given = agreed if row is None else row[coder]
                    votes["claim"].append(given["claim"])
                    for stance in stances:
                        votes[stance].append(stance in given["stance"])
    print(f"{sentences} sentences annotated twice, {len(differing)} with a difference\n")
    same = sum(a == b for a, b in zip(first["claim"], second["claim"], strict=True)) / sentences
    kappa = cohen_kappa_score(first["claim"], second["claim"])
    print("| label | first | second | F1 | kappa |\n|---|---:|---:|---:|---:|")
    for stance in stances:
        a, b = first[stance], second[stance]
        scores = f"{f1_score(a, b):.3f} | {cohen_kappa_score(a, b):.3f}"
        print(f"| {stance} | {sum(a)} | {sum(b)} | {scores} |")
    print(f"| claim (equal on {same:.1%} of the sentences) | | | | {kappa:.3f} |")


if __name__ == "__main__":
    main()
