"""Fuzz the readers with atheris, guided by the code that an input reaches; print what was found.

    PYTHONPATH=experiments/fuzz-packages python -m benchmarks.robustness.fuzz [TARGET ...]
        [--seconds 60] [--seed 0] [--corpus FOLDER] [--findings FOLDER]

`make fuzz` installs atheris there. Every target runs in a process of its own, since libFuzzer ends
the process itself. What a check raises is kept once for every place it comes from, as the input
and its traceback, and fuzzing goes on; an input that ends the process, or takes too long, is kept
by libFuzzer and ends its target. With `--corpus` a later run begins where an earlier one ended.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HANGS = 60
"""Seconds after which libFuzzer gives an input up; by the clock, so other work counts as well."""
SLOW = 5.0
"""Seconds of processor time that no input may take: inputs have at most some thousand bytes."""
STARTING = 300
"""Seconds that a target may take to begin and to end."""

_STATUS = re.compile(r"^#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Status:
    """How far libFuzzer came; a feature is an edge together with how often it was passed."""

    executions: int = 0
    edges: int = 0
    features: int = 0


def last_status(said: str) -> Status:
    """Return the last status line of libFuzzer."""
    found = _STATUS.findall(said)
    return Status(*map(int, found[-1])) if found else Status()


def words_file(words: str) -> str:
    """Return words, parted by single blanks, as a dictionary of libFuzzer."""
    lines = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in words.split(" "))
    return "".join(f'"{line}"\n' for line in lines)


class Keeper:
    """Runs a check, and keeps the first input for everything that it raises."""

    def __init__(self, check: Callable[[int, bytes], None], name: str, folder: Path) -> None:
        self._check, self._name, self._folder = check, name, folder
        self._seen: set[str] = set()

    def run(self, number: int, body: bytes) -> None:
        """Check one input; what is raised does not end the process."""
        begun = time.process_time()
        try:
            self._check(number, body)
            if time.process_time() - begun > SLOW:
                raise TimeoutError("takes too long")
        except Exception as error:  # noqa: BLE001 - what is looked for
            self._keep(error, number, body)

    def _keep(self, error: Exception, number: int, body: bytes) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        inner = [frame for frame in frames if "/pipeline/" in frame.filename]
        at = (inner or frames)[-1]
        where = f"{type(error).__name__} {Path(at.filename).stem} {at.lineno}"
        if not inner:  # a broken promise: all are raised in one place
            where = f"{type(error).__name__} {error}"
        if where in self._seen:
            return
        self._seen.add(where)
        kept = self._folder / f"{self._name}-{re.sub(r'[^A-Za-z0-9]+', '-', where)[:80]}"
        kept.with_suffix(".input").write_bytes(body)
        said = "".join(traceback.format_exception(error))
        kept.with_suffix(".txt").write_text(f"variant {number}\n{said}", errors="backslashreplace")


def fuzz(name: str, seconds: int, seed: int, corpus: Path, findings: Path) -> None:
    """Fuzz one target in this process until libFuzzer ends it."""
    import atheris

    # Front matter and settings are as ruamel.yaml reads them, so it guides as well.
    with atheris.instrument_imports(include=["pipeline", "ruamel"]):
        from benchmarks.robustness.fuzz_targets import TARGETS

        target = TARGETS[name]()
    keeper = Keeper(target.check, name, findings)
    work = Path(tempfile.mkdtemp())
    (work / "words").write_text(words_file(target.words))
    seeds = work / "seeds"
    seeds.mkdir()
    for number, data in enumerate(target.seeds):
        (seeds / str(number)).write_bytes(data)
        keeper.run(data[-1], data[:-1])

    def one(data: bytes) -> None:
        given = atheris.FuzzedDataProvider(data)
        number = given.ConsumeIntInRange(0, 255)  # taken from the end
        keeper.run(number, given.ConsumeBytes(given.remaining_bytes()))

    flags = {
        "max_total_time": seconds,
        "seed": seed + 1,  # to libFuzzer 0 means any
        "max_len": target.longest,
        "timeout": HANGS,
        "rss_limit_mb": 2_000,
        "dict": work / "words",
        "artifact_prefix": findings / f"{name}-",
    }
    options = [f"-{flag}={value}" for flag, value in flags.items()]
    atheris.Setup([sys.argv[0], *options, str(corpus), str(seeds)], one)
    atheris.Fuzz()


def run(name: str, seconds: int, seed: int, corpus: Path, findings: Path) -> tuple[Status, int]:
    """Fuzz one target in a process of its own; return how far it came and what it found."""
    corpus.mkdir(parents=True, exist_ok=True)
    begun = time.time_ns()  # a finding of before has the same name
    with tempfile.TemporaryDirectory() as work:
        command = [sys.executable, "-m", __spec__.name, name, "--inside"]
        command += ["--seconds", str(seconds), "--seed", str(seed)]
        command += ["--corpus", str(corpus), "--findings", str(findings)]
        ended = subprocess.run(
            command,
            env=os.environ | {"TMPDIR": work},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=seconds + STARTING,
            check=False,
            text=True,
            errors="replace",
        )
    inputs = (path for path in findings.iterdir() if path.suffix != ".txt")
    found = [path for path in inputs if path.stat().st_mtime_ns >= begun]
    status = last_status(ended.stderr)
    if not status.executions or (ended.returncode and not found):
        raise SystemExit(f"{name} ended with {ended.returncode}:\n{ended.stderr[-2_000:]}")
    if ended.returncode:
        (findings / f"{name}-ended.txt").write_text(ended.stderr[-20_000:])
    return status, len(found)


def processor_time() -> float:
    """Return the seconds that ended targets have had; on a busy machine they are few."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("target", nargs="*")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus", type=Path, help="inputs that reach new code are kept here")
    parser.add_argument("--findings", type=Path, help="inputs that fail (default: a new folder)")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        fuzz(given.target[0], given.seconds, given.seed, given.corpus, given.findings)
    from benchmarks.robustness.fuzz_targets import TARGETS  # not before `fuzz` instruments it

    if unknown := set(given.target) - set(TARGETS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}. Known: {', '.join(TARGETS)}")
    findings = given.findings or Path(tempfile.mkdtemp(prefix="stance-fuzz-"))
    findings.mkdir(parents=True, exist_ok=True)
    total = 0
    print("| target | seconds | of a processor | executions | edges | features | findings |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as work:
        for name in given.target or TARGETS:
            corpus = (given.corpus or Path(work)) / name
            before = processor_time()
            status, found = run(name, given.seconds, given.seed, corpus, findings)
            total += found
            used = processor_time() - before
            print(
                f"| {name} | {given.seconds} | {used:.0f} | {status.executions:,} "
                f"| {status.edges:,} | {status.features:,} | {found} |",
                flush=True,
            )
    if total:
        print(f"\nThe inputs, each with its traceback: {findings}", file=sys.stderr)
    elif given.findings is None:
        findings.rmdir()
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
