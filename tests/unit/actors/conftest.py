from __future__ import annotations

import pytest

from pipeline.actors import ActorLinker, load_linker


@pytest.fixture(scope="session")
def linker() -> ActorLinker:
    return load_linker()
