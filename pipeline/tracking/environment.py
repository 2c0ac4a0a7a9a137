"""What a run was made with: interpreter, machine, packages, and the state of the source code."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from pipeline import __version__


@dataclass(frozen=True, slots=True)
class SourceState:
    """Commit of the work tree and whether tracked files differ from it; `None` where unknown."""

    commit: str | None
    changed: bool | None


def source_state(folder: Path) -> SourceState:
    """Return the state of the git work tree that `folder` lies in; unknown outside of one."""
    # GitPython looks for the git program when it is imported, and must not fail without it.
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import git

    try:
        with git.Repo(folder, search_parent_directories=True) as tree:
            return SourceState(tree.head.commit.hexsha, tree.is_dirty())
    except (git.GitError, ValueError):  # no work tree, no git program; no commit yet
        return SourceState(None, None)


def environment_facts() -> dict[str, object]:
    """Return everything needed to build the environment again, as JSON values."""
    state = source_state(_code_folder())
    installed = {d.name: d.version for d in importlib.metadata.distributions() if d.name}
    return {
        "stance-pipeline": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "git.commit": state.commit or "unknown",
        "git.changed": "unknown" if state.changed is None else state.changed,
        "packages": dict(sorted(installed.items(), key=lambda item: item[0].lower())),
    }


def _code_folder() -> Path:
    """Return where the running code is kept, or, when it is installed, the working folder."""
    here = Path(__file__).resolve().parent
    return Path.cwd() if "site-packages" in here.parts else here
