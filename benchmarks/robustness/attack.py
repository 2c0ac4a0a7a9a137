"""Attack `stance classify` with hostile files, and print what became of them.

    python -m benchmarks.robustness.attack [--seed 0] [--scale 10] [--group PDF]

Every file goes the whole way: read, cleaned, cut into sentences, labelled (by the rules of the
codebook, so that reading is what takes the time), written. Tables go it once more with every row
as a sentence. A file survives when a result comes, or an error that the documentation names, within
the time limit. `scale` is about how many cases, and how large they are.
"""

from __future__ import annotations

import argparse
import io
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from benchmarks.robustness.cases import GROUPS, Case
from pipeline.bundle import BundleFacts, write_bundle
from pipeline.classifiers.rules import RulesClassifier
from pipeline.cli.app import main as main_of_stance
from pipeline.codebook import load_codebook
from pipeline.decision import DecisionRule
from pipeline.errors import InputError
from pipeline.ingest.confinement import end_processes
from pipeline.records import Rejection
from pipeline.settings.classifiers import RulesSettings
from pipeline.workflows.record_files import read_records, rejects_path

CODEBOOK = Path(__file__).parents[2] / "configs" / "codebook.yaml"
TABLES = (".csv", ".tsv", ".jsonl", ".parquet")
SECONDS = 300.0
"""After so long a case has hung; the limit of the readers is far below."""


class Hung(BaseException):
    """A case has passed all limits; no code may catch it."""


@dataclass
class Outcome:
    """What became of the cases of one group."""

    cases: int = 0
    labelled: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")


def write_rules(folder: Path) -> None:
    """Write a model that needs no training and costs little."""
    codebook = load_codebook(CODEBOOK)
    facts = BundleFacts(name="rules", description="Rules alone.", limits=("For tests.",))
    rule = DecisionRule.plain(codebook)
    write_bundle(folder, RulesClassifier(codebook, RulesSettings()), rule, facts)


def stance(*args: str) -> int:
    """Run the command line in this process; return its exit code, or raise what escapes from it."""
    sys.argv = ["stance", *args]
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with redirect_stdout(io.TextIOWrapper(io.BytesIO())), redirect_stderr(io.StringIO()):
        try:
            main_of_stance()
        except SystemExit as ended:
            return int(ended.code or 0)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)


def attack(case: Case, bundle: Path, folder: Path) -> list[str]:
    """Send one file the whole way, tables twice; return the reasons why something was set aside."""
    path, out = folder / f"case{case.suffix}", folder / "out.jsonl"
    path.write_bytes(case.data)
    reasons: list[str] = []
    for unit in ("document", "sentence") if case.suffix in TABLES else ("document",):
        code = stance("classify", str(path), "-m", str(bundle), "-o", str(out), "--unit", unit)
        if code not in (0, InputError.exit_code):
            raise AssertionError(f"exit code {code} with --unit {unit}")
        rejects = rejects_path(out)
        if unit == "document" and rejects.exists():
            reasons += [item.reason.value for item in read_records(rejects, Rejection)]
    return reasons


def run(group: str, seed: int, scale: int) -> Outcome:
    """Run the cases of a group, each within the limits."""

    def hang(_: int, __: FrameType | None) -> None:
        raise Hung

    signal.signal(signal.SIGALRM, hang)
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bundle = folder / "bundle"
        write_rules(bundle)
        for case in GROUPS[group](random.Random(f"{seed} {group}"), scale):  # noqa: S311
            outcome.cases += 1
            begun = time.perf_counter()
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            try:
                reasons = attack(case, bundle, folder)
            except (Exception, Hung) as error:  # noqa: BLE001 - what the attack looks for
                place = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{Path(place.filename).name}:{place.lineno}"
                said = f"{type(error).__name__}: {error}"[:120]
                outcome.failures.append(f"{case.name} ({case.suffix}): {said} at {where}")
            else:
                outcome.reasons.update(reasons)
                outcome.labelled += not reasons
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            outcome.slowest = max(outcome.slowest, (time.perf_counter() - begun, case.name))
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", type=int, default=10)
    parser.add_argument("--group", action="append", choices=list(GROUPS))
    given = parser.parse_args()
    print("| group | files | read whole | failures | slowest | set aside |")
    print("|---|---:|---:|---:|---|---|")
    outcomes = {}
    for group in given.group or GROUPS:
        outcomes[group] = outcome = run(group, given.seed, given.scale)
        reasons = ", ".join(f"{n:,} {reason}" for reason, n in outcome.reasons.most_common())
        slowest = f"{outcome.slowest[0]:.1f} s: {outcome.slowest[1]}"
        print(
            f"| {group} | {outcome.cases:,} | {outcome.labelled:,} | {len(outcome.failures)} "
            f"| {slowest} | {reasons} |",
            flush=True,
        )
    end_processes()  # their memory is known when they have ended
    total = sum(outcome.cases for outcome in outcomes.values())
    peak = [
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    print(f"\n{total:,} files, seed {given.seed}, scale {given.scale}.")
    print(f"Peak memory {peak[0]:,.0f} MiB, of the reading processes {peak[1]:,.0f} MiB.")
    failures = [
        f"{group}: {text}" for group, outcome in outcomes.items() for text in outcome.failures
    ]
    print("\n".join(failures), file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
