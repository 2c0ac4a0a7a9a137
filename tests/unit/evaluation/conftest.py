"""Random outcomes for any codebook: clustered in documents, partly unknown, partly withheld."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.codebook import Codebook, TaskType, load_codebook
from pipeline.decision import DecisionRule, Decisions

ROOT = Path(__file__).parents[3]
Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sample:
    documents: list[str]
    probabilities: Array
    decisions: Decisions
    targets: Array

    def rows(self, chosen: npt.NDArray[np.intp]) -> Sample:
        """The rows chosen, in that order; a row chosen twice stands there twice."""
        return Sample(
            [self.documents[i] for i in chosen],
            self.probabilities[chosen],
            Decisions(self.decisions.given[chosen], self.decisions.withheld[chosen]),
            self.targets[chosen],
        )


@pytest.fixture(params=["tests/codebooks/tiny.yaml", "configs/codebook.yaml"], scope="session")
def codebook(request: pytest.FixtureRequest) -> Codebook:
    return load_codebook(ROOT / str(request.param))


@pytest.fixture(scope="session")
def draw_sample(codebook: Codebook) -> Callable[..., Sample]:
    def draw_it(
        n: int, seed: int, *, documents: int = 12, unknown: float = 0.0, abstain_within: float = 0.0
    ) -> Sample:
        draw = np.random.default_rng(seed)
        # Two decimals, so that equal probabilities occur.
        logits = np.round(draw.normal(-0.5, 1.5, size=(n, codebook.width)), 1)
        targets = np.zeros((n, codebook.width))
        for name, task in codebook.tasks.items():
            part = codebook.slice_of(name)
            noisy = logits[:, part] + draw.gumbel(size=(n, part.stop - part.start))
            if task.type is TaskType.MULTILABEL:
                targets[:, part] = noisy > 0.5
            else:
                targets[np.arange(n), part.start + noisy.argmax(axis=1)] = 1.0
            targets[draw.random(n) < unknown, part] = np.nan
        plain = DecisionRule.plain(codebook)
        rule = DecisionRule(plain.scale, plain.bias, plain.threshold, abstain_within)
        p = rule.probabilities(logits.astype(np.float32), codebook)
        names = [f"doc-{d}" for d in draw.integers(0, documents, size=n)]
        return Sample(names, p, rule.decide(p, codebook), targets.astype(np.float32))

    return draw_it
