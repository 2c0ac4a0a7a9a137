"""The stage graph as data: what each stage reads, writes and depends on; and how it is run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from pipeline import __version__
from pipeline.errors import InputError
from pipeline.output import write_text
from pipeline.workflows.watcher import Watcher

Depends = Mapping[str, object]
_STATE = TypeAdapter(dict[str, dict[str, str]])


def _intact() -> bool:
    return True


def _not_kept() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the pipeline.

    `reads` and `writes` are files and folders; `settings` whatever else the result depends on, as
    JSON values. `run` does the work and returns a line that says what came out. `intact` says
    whether what it left elsewhere than in files is there still. `kept` says why files that are no
    longer as the stage wrote them shall stay, where somebody put others there on purpose; else it
    is empty.
    """

    name: str
    about: str
    reads: tuple[Path, ...]
    writes: tuple[Path, ...]
    settings: Depends
    run: Callable[[Watcher], str]
    intact: Callable[[], bool] = _intact
    kept: Callable[[], str] = _not_kept


def run_stages(
    stages: Sequence[Stage], state_file: Path, watcher: Watcher, *, force: bool = False
) -> list[tuple[str, str]]:
    """Run stages in order, skipping those whose inputs, settings and outputs are as they were.

    Returns (stage, what came out) in order. State is saved after every stage, so that an
    interrupted run goes on where it stopped.

    Raises:
        StanceError: whatever a stage raises; the stages before it are kept.
    """
    state = _read_state(state_file)
    results: list[tuple[str, str]] = []
    for stage in stages:
        before = _fingerprint(stage)
        known = state.get(stage.name, {})
        if not force and known.get("inputs") == before and stage.intact():
            if known.get("outputs") == _outputs(stage):
                watcher.note(f"{stage.name}: unchanged, skipped")
                results.append((stage.name, known.get("result", "")))
                continue
            if reason := stage.kept():
                watcher.note(f"{stage.name}: {reason}")
                results.append((stage.name, reason))
                continue
        watcher.note(f"{stage.name}: {stage.about}")
        result = stage.run(watcher)
        watcher.note(f"{stage.name}: {result}")
        state[stage.name] = {"inputs": before, "outputs": _outputs(stage), "result": result}
        write_text(state_file, json.dumps(state, indent=1) + "\n")
        results.append((stage.name, result))
    return results


def _read_state(path: Path) -> dict[str, dict[str, str]]:
    try:
        return _STATE.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{path}: cannot be read ({reason}). Delete it to run all stages."
        ) from None


def _fingerprint(stage: Stage) -> str:
    parts = [__version__, json.dumps(stage.settings, sort_keys=True, default=str)]
    return _digest([*parts, *_contents(stage.reads)])


def _outputs(stage: Stage) -> str:
    return _digest(_contents(stage.writes))


def _contents(paths: Iterable[Path]) -> list[str]:
    """Return name and content hash of every file, in a fixed order."""
    found: list[str] = []
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            if not file.is_file():
                found.append(f"{file} missing")
                continue
            with file.open("rb") as opened:
                found.append(f"{file} {hashlib.file_digest(opened, 'sha256').hexdigest()}")
    return found


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
