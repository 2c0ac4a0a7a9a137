"""The folder of a search for settings: what is finished lies there whole and is not done again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from pipeline.errors import OutputError
from pipeline.inference.job import Unfinished, locked, settle_unfinished
from pipeline.output import write_text
from pipeline.settings.tuning import Value
from pipeline.training.search import Finished, Raw, Suggestion
from pipeline.validated_yaml import StrictModel

Counts = npt.NDArray[np.float64]
"""Right, given and actual labels by document: (documents, 3, labels)."""

Kept = TypeVar("Kept", bound=StrictModel)

_JOB, _RUN, _DONE = "job.json", "run.json", "done"


class _Trial(StrictModel):
    """A trial as JSON."""

    values: dict[str, Value]
    raw: dict[str, int | float | str]
    scores: tuple[float, ...]
    pruned: bool
    seconds: float


class _Counted(StrictModel):
    """Counts as JSON."""

    counts: list[list[list[int]]]


class SearchFolder:
    """Trials and counts of a search, one file each; part 0, 1, ... are its searches in order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def trials(self, part: int) -> list[tuple[Finished, float]]:
        """Return the finished trials of a part in order, with the seconds that each took.

        Raises:
            OutputError: a file was changed.
        """
        found: list[tuple[Finished, float]] = []
        while (path := self._trial(part, len(found))).exists():
            one = _read(_Trial, path)
            raw: Raw = dict(one.raw)
            finished = Finished(Suggestion(dict(one.values), raw), one.scores, one.pruned)
            found.append((finished, one.seconds))
        return found

    def add_trial(self, part: int, number: int, trial: Finished, seconds: float) -> None:
        """Keep the trial of this number, 0 for the first.

        Raises:
            OutputError: the disk is full or the folder cannot be written.
        """
        said = _Trial(
            values=trial.suggestion.values,
            raw=trial.suggestion.raw,
            scores=trial.scores,
            pruned=trial.pruned,
            seconds=seconds,
        )
        write_text(self._trial(part, number), said.model_dump_json() + "\n")

    def counts(self, name: str, part: int, values: Mapping[str, Value]) -> Counts | None:
        """Return the counts kept under a name for settings in a part, `None` where there are none.

        Raises:
            OutputError: the file was changed.
        """
        path = self._counts(name, part, values)
        return np.array(_read(_Counted, path).counts, dtype=np.float64) if path.exists() else None

    def keep_counts(
        self, name: str, part: int, values: Mapping[str, Value], counts: Counts
    ) -> None:
        """Keep counts for settings in a part.

        Raises:
            OutputError: the disk is full or the folder cannot be written.
        """
        text = json.dumps({"counts": counts.astype(int).tolist()}, separators=(",", ":"))
        write_text(self._counts(name, part, values), text + "\n")

    @property
    def run_id(self) -> str | None:
        """The run that the search is logged to.

        Raises:
            OutputError: the file was changed.
        """
        path = self.folder / _RUN
        if not path.exists():
            return None
        try:
            return TypeAdapter(str).validate_json(path.read_bytes())
        except ValidationError as error:
            raise _changed(path, error) from None

    @run_id.setter
    def run_id(self, run_id: str) -> None:
        write_text(self.folder / _RUN, json.dumps(run_id))

    def finish(self) -> None:
        """Say that the search came to its end; a later one may take its place without being asked.

        Raises:
            OutputError: the folder cannot be written.
        """
        write_text(self.folder / _DONE, "")

    def _trial(self, part: int, number: int) -> Path:
        return self.folder / f"part-{part:02d}-{number:04d}.json"

    def _counts(self, name: str, part: int, values: Mapping[str, Value]) -> Path:
        said = json.dumps(dict(values), sort_keys=True)
        digest = hashlib.sha256(said.encode("utf-8")).hexdigest()[:16]
        return self.folder / f"{name}-{part:02d}-{digest}.json"


@contextmanager
def search_folder(
    folder: Path, identity: Mapping[str, str], unfinished: Unfinished
) -> Iterator[SearchFolder]:
    """Hold the folder of a search, which goes on with what is there or begins anew.

    An earlier search that came to its end is gone on with if `unfinished` says so, else replaced.

    Raises:
        OutputError: another process searches there, an earlier search is unfinished and
            `unfinished` refuses, or it was one of other settings or data.
    """
    with locked(folder, folder):
        done = folder / _DONE
        if (folder / _JOB).exists():
            replaced = done.exists() and unfinished is Unfinished.REFUSE
            settle_unfinished(
                folder, folder, identity, Unfinished.RESTART if replaced else unfinished
            )
        if not (folder / _JOB).exists():
            for left in (*folder.glob("*-*.json"), folder / _RUN):
                left.unlink(missing_ok=True)
            write_text(folder / _JOB, json.dumps(dict(identity), indent=1) + "\n")
        done.unlink(missing_ok=True)
        yield SearchFolder(folder)


def _read(model: type[Kept], path: Path) -> Kept:
    try:
        return model.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise _changed(path, error) from None


def _changed(path: Path, error: ValidationError) -> OutputError:
    return OutputError(
        f"{path}: was changed and cannot be read ({error.errors()[0]['msg']}). Add --restart to "
        "begin anew."
    )
