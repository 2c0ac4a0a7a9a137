"""What a bundle says of itself: identity, contents by hash, origin, and measured figures."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import Field

from pipeline.records import Score
from pipeline.validated_yaml import StrictModel

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Figure(StrictModel):
    """A measured score with its 95 % interval, on a named data set."""

    dataset: str
    name: str
    value: float
    low: float | None = None
    high: float | None = None
    support: int = 0

    @classmethod
    def of(cls, dataset: str, name: str, score: Score) -> Figure:
        """Return a score that is defined, with six decimals: pages show three, rounded once."""
        low, high = (None if x is None else round(x, 6) for x in (score.low, score.high))
        value = round(score.value, 6)
        return cls(
            dataset=dataset, name=name, value=value, low=low, high=high, support=score.support
        )


class BundleFacts(StrictModel):
    """Origin and measured quality of a model, as shown on its card.

    `training` says what it learned from and how (parameter -> value); `parity` how far the exported
    model is from the trained one; `limits` what a reader must know before trusting it.
    """

    name: str
    description: str
    licence: str = "Apache-2.0"
    run_id: str | None = None
    training: dict[str, str] = Field(default_factory=dict)
    figures: tuple[Figure, ...] = ()
    parity: dict[str, float] = Field(default_factory=dict)
    limits: tuple[str, ...] = ()


class Manifest(StrictModel):
    """Contents of manifest.json.

    `files` holds the hash of every other file; `seal` the hash of the manifest itself, so that
    figures and limits cannot be edited unnoticed.
    """

    format: Literal[1] = 1
    model_id: str
    kind: str
    created: str
    made_by: str
    codebook_name: str
    codebook_version: str
    codebook_signature: str
    facts: BundleFacts
    files: dict[str, Sha256]
    seal: Sha256 | None = None

    def contents(self) -> str:
        """Return the SHA-256 of everything but the seal."""
        return hashlib.sha256(self.model_dump_json(exclude={"seal"}).encode()).hexdigest()

    def sealed(self) -> Manifest:
        """Return the manifest with its seal."""
        return self.model_copy(update={"seal": self.contents()})
