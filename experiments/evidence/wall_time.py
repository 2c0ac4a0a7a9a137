"""How long do the commands take on a labelled file? Each in a process of its own, start included.

    python -m experiments.evidence.wall_time dev.jsonl

The shipped model is compared with the codebook's rules; the sample of `estimate` is filled with the
labels of the model and the second coder of `agreement` is a copy of the first, which changes what
comes out but not how long it takes. The linear model is trained, promoted and searched for as
wall_time.yaml says, and the curve is that of a part of the corpus as large as 125 statements or so:
nothing is learned from the file.
Wall time hangs on what else the machine does, processor time hardly; it is of all threads together.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.bundle import BundleFacts, write_bundle
from pipeline.classifiers.rules import RulesClassifier
from pipeline.codebook import Codebook, load_codebook
from pipeline.decision import DecisionRule
from pipeline.labelling import read_labelled
from pipeline.settings.classifiers import RulesSettings

ROOT = Path(__file__).parents[2]
MODEL, CONFIG = ROOT / "models" / "default", ROOT / "configs" / "default.yaml"
SETTINGS, PLACE = Path(__file__).with_suffix(".yaml"), "experiments/stages/wall-time"
STORE = "--tracking-uri sqlite:///./mlflow.db"
COMPARE = f"compare ./rules --against MODEL --on FILE -c CONFIG {STORE} -o ./comparison.html"
COMMANDS = (
    ("classify FILE", "classify ./texts.jsonl -m MODEL -o ./labels.jsonl"),
    (
        "classify FILE --max-risk 0.1 --calibrate-on FILE",
        "classify ./texts.jsonl -m MODEL -o ./some.jsonl --max-risk 0.1 --calibrate-on FILE",
    ),
    ("evaluate FILE", "evaluate FILE -m MODEL"),
    ("evaluate FILE --report PAGE", "evaluate FILE -m MODEL --report ./evaluation.html"),
    ("evaluate FILE --max-risk 0.1", "evaluate FILE -m MODEL --max-risk 0.1"),
    ("compare, in a new store", COMPARE),
    ("compare, in a store that is there", COMPARE),
    ("estimate --draw 200", "estimate ./labels.jsonl -m MODEL --draw 200 -o ./sample.csv"),
    (
        "estimate --sample FILE --by speaker",
        "estimate ./labels.jsonl -m MODEL --sample ./sample.csv --by speaker -o ./shares.html",
    ),
    ("agreement of two coders", "agreement FILE ./copy.jsonl -o ./agreement.html"),
    ("train linear", f"train linear -c ./settings.yaml {STORE}"),
    ("promote linear", f"promote linear -c ./settings.yaml {STORE}"),
    ("tune linear --trials 2", f"tune linear --trials 2 -c ./settings.yaml {STORE}"),
    ("curve further.jsonl", "curve seeds/corpus/further.jsonl -o ./curve.html"),
)
"""What is run; "./" is the scratch folder."""


@dataclass(frozen=True)
class Took:
    """Seconds of a command: on the clock, and of the processors."""

    command: str
    wall: float
    processor: float


class Bench:
    """A scratch folder with all that the commands read."""

    def __init__(self, data: Path, folder: Path, codebook: Codebook) -> None:
        self._data, self._folder, self._codebook = data.resolve(), folder, codebook
        shutil.copyfile(data, folder / "copy.jsonl")
        documents, _ = read_labelled(data, codebook)
        self.size = f"{sum(len(d.sentences) for d in documents)} sentences, {len(documents)} texts"
        with (folder / "texts.jsonl").open("w", encoding="utf-8") as file:
            for document in documents:
                text = " ".join(one.sentence.text for one in document.sentences)
                speaker = document.speaker or "unknown"
                file.write(json.dumps({"text": text, "speaker": speaker}) + "\n")
        classifier = RulesClassifier(codebook, RulesSettings())
        facts = BundleFacts(name="rules", description="Rules.")
        write_bundle(folder / "rules", classifier, DecisionRule.plain(codebook), facts)
        settings = SETTINGS.read_text(encoding="utf-8").replace(PLACE, str(folder))
        (folder / "settings.yaml").write_text(settings, encoding="utf-8")

    def took(self) -> Iterator[Took]:
        """Run the commands one after the other."""
        for name, command in COMMANDS:
            yield self._run(name, [self._filled(part) for part in command.split()])
            if "--draw" in name:
                self._label_sample()

    def _filled(self, part: str) -> str:
        known = {"FILE": str(self._data), "MODEL": str(MODEL), "CONFIG": str(CONFIG)}
        return known.get(part) or part.replace("./", f"{self._folder}/")

    def _run(self, name: str, arguments: list[str]) -> Took:
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command = [sys.executable, "-m", "pipeline.cli.app", *arguments]
        done = subprocess.run(  # noqa: S603 -- the program and its options are fixed above
            command,
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            capture_output=True,
        )
        wall = time.perf_counter() - begun
        if done.returncode:
            raise SystemExit(f"{name}: exit code {done.returncode}\n{done.stderr.decode()}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Took(name, wall, used)

    def _label_sample(self) -> None:
        """Fill the sample with what the model says."""
        lines = (self._folder / "labels.jsonl").read_text(encoding="utf-8").splitlines()
        labels = {row["sentence_id"]: row for row in map(json.loads, lines)}
        path = self._folder / "sample.csv"
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            for task in self._codebook.tasks:
                given = labels[row["sentence_id"]][task]
                listed = given if isinstance(given, list) else [given]
                row[task] = ";".join(listed) or "(none)"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="How long do the commands take?")
    parser.add_argument("data", type=Path, help="labelled statements (.jsonl)")
    arguments = parser.parse_args()
    codebook = load_codebook(ROOT / "configs" / "codebook.yaml")
    with tempfile.TemporaryDirectory(prefix="stance-wall-time-") as scratch:
        bench = Bench(arguments.data, Path(scratch), codebook)
        print(f"{bench.size}\n\n| command | wall time, s | processor time, s |\n|---|---:|---:|")
        for took in bench.took():
            print(f"| {took.command} | {took.wall:.1f} | {took.processor:.1f} |", flush=True)


if __name__ == "__main__":
    main()
