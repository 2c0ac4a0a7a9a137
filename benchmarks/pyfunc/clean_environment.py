"""Load the registered model in a new virtual environment that has only what the model asks for.

    make pyfunc

The shipped bundle becomes models:/stance@champion of a new store. An environment is made, and only
the requirements.txt that MLflow keeps with the model is installed into it: neither this project nor
torch. There, in a folder away from the project, `mlflow.pyfunc.load_model` loads the model, whose
code travels with it. Every cell must equal what the bundle says here.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import mlflow.pyfunc
import pandas as pd

from benchmarks.pyfunc.champion import differences, registered
from pipeline.bundle import load_bundle
from pipeline.tracking.served_model import ServedModel

ROOT = Path(__file__).parents[2]
INSIDE = Path(__file__).with_name("inside.py")
ABSENT = {"torch", "transformers", "stance-pipeline"}
NOTHING = (None, "", "  ")
"""Cells without text: each must come back as a row without decisions."""


def environment_for(model: str, folder: Path) -> Path:
    """Make a virtual environment with the requirements of a model; return its interpreter."""
    venv.create(folder, with_pip=True, symlinks=True)
    python = folder / "bin" / "python"
    asked = mlflow.pyfunc.get_model_dependencies(model)
    subprocess.run([python, "-m", "pip", "install", "-qq", "-r", asked], check=True)
    return python


def labelled_inside(
    python: Path, store: str, texts: list[str | None], folder: Path
) -> tuple[pd.DataFrame, dict[str, object]]:
    """Return what the champion says of texts in another interpreter, and what was found there."""
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "PYTHON"))}
    said = subprocess.run(
        [python, "-I", INSIDE, store, folder / "texts.json", folder / "answers.parquet"],
        cwd=folder,
        env=kept,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    facts: dict[str, object] = json.loads(said.splitlines()[-1])
    return pd.read_parquet(folder / "answers.parquet"), facts


def main() -> None:
    """Run the comparison; end with 1 where a cell differs or something is there that must not."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "default")
    parser.add_argument("--corpus", type=Path, default=ROOT / "seeds" / "corpus" / "register.jsonl")
    parser.add_argument("--rows", type=int, default=500)
    options = parser.parse_args()
    lines = options.corpus.read_text(encoding="utf-8").splitlines()
    said = [one["text"] for line in lines for one in json.loads(line)["sentences"]]
    texts = [*NOTHING, *said][: options.rows]
    with tempfile.TemporaryDirectory(prefix="stance-clean-") as scratch:
        folder = Path(scratch)
        store = registered(options.model, folder)
        mlflow.set_tracking_uri(store)
        started = time.perf_counter()
        python = environment_for("models:/stance@champion", folder / "environment")
        installing = time.perf_counter() - started
        found, facts = labelled_inside(python, store, texts, folder)
    served = ServedModel(load_bundle(options.model))
    expected = served.predict(pd.DataFrame({"text": texts}))
    wrong = differences(found, expected)
    unwanted = sorted(ABSENT.intersection(facts["installed"]))
    print(
        f"{len(facts['installed'])} packages installed in {installing:.0f} s; {len(texts):,} rows, "
        f"{len(expected.columns)} columns in {facts['seconds']:.1f} s with loading; "
        f"{wrong} cells differ; code {facts['code']}; there but not asked for: {unwanted or 'none'}"
    )
    own = facts["no project before"] and not str(facts["code"]).startswith(str(ROOT))
    same = not wrong and list(found.columns) == list(expected.columns)
    sys.exit(0 if own and same and not unwanted else 1)


if __name__ == "__main__":
    main()
