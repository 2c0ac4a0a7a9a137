"""Write the register part of the corpus with the labels of its first annotator.

    python experiments/quality/first_labels.py OUT.jsonl

What the second annotation changed is measured by training on both.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

CORPUS = Path(__file__).parents[2] / "seeds" / "corpus"


def main() -> None:
    """Undo the adjudication."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    lines = (CORPUS / "disagreements.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    first = {(row["doc_id"], row["sentence"]): row["first"] for row in rows}
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8") as file:
        for line in (CORPUS / "register.jsonl").read_text(encoding="utf-8").splitlines():
            document = json.loads(line)
            for i, sentence in enumerate(document["sentences"]):
                if (labels := first.get((document["doc_id"], i))) is not None:
                    sentence["claim"] = labels["claim"]
                    sentence["stance"] = [
                        {"label": label, "holder": "SPEAKER", "target": None}
                        for label in labels["stance"]
                    ]
            file.write(json.dumps(document, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
