"""Settings of the model that finds holders and targets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from pipeline.settings.classifiers import EncoderSettings, Share
from pipeline.validated_yaml import StrictModel


class AttributionSettings(StrictModel):
    """A span model: an encoder that marks the words of holder and target."""

    corpus: tuple[Path, ...] = Field(
        default=(), description="labelled files to learn from; where none is given, those of `data`"
    )
    encoder: EncoderSettings = EncoderSettings(max_tokens=160)
    layers: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="of the encoder, the lowest so many; all where it is not given"
    )
    context_tokens: Annotated[int, Field(ge=0, le=400)] = Field(
        default=64, description="tokens of the sentences before, the nearest ones"
    )
    epochs: Annotated[int, Field(ge=1, le=50)] = 3
    learning_rate: Annotated[float, Field(gt=0, le=0.1)] = 3e-4
    head_learning_rate: Annotated[float, Field(gt=0, le=0.1)] = 1e-3
    warmup: Share = 0.06
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    dropout: Share = 0.1
    tokens_per_batch: Annotated[int, Field(ge=64)] = 2400
    hide_speaker: Share = Field(
        default=0.3, description="share of the questions whose speaker is hidden, in every pass"
    )
    to: Path = Field(default=Path("models/attribution"), description="folder of the model")
    largest_share_changed: Annotated[float, Field(ge=0, le=0.2)] = Field(
        default=0.05, description="of held-out holders or targets that the export may change"
    )
