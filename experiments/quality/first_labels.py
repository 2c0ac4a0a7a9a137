"""Write the register part of the corpus with the labels of its first annotator.

    python experiments/quality/first_labels.py OUT.jsonl

What the second annotation changed is measured by training on both.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

CORPUS = Path(__file__).parents[2] / "seeds" / "corpus"


def main() -> None:
    """Undo the adjudication."""
    rows = map(json.loads, (CORPUS / "disagreements.jsonl").open(encoding="utf-8"))
    first = {(row["doc_id"], row["sentence"]): row["first"] for row in rows}
    out = Path(sys.argv[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8") as file:
        for line in (CORPUS / "register.jsonl").open(encoding="utf-8"):
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
