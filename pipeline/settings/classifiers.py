"""Settings of every kind of classifier; `kind` says which."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.validated_yaml import StrictModel

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
NgramRange = tuple[Annotated[int, Field(ge=1, le=8)], Annotated[int, Field(ge=1, le=8)]]


class MajoritySettings(StrictModel):
    """The prevalence of every label in the training data, whatever the sentence says."""

    kind: Literal["majority"] = "majority"


class RulesSettings(StrictModel):
    """The codebook's labelling rules; needs no training data."""

    kind: Literal["rules"] = "rules"


class LinearSettings(StrictModel):
    """TF-IDF of words and characters with one logistic regression a label or task."""

    kind: Literal["linear"] = "linear"
    word_ngrams: NgramRange = (1, 2)
    char_ngrams: NgramRange = (3, 5)
    min_df: Annotated[int, Field(ge=1)] = 2
    max_features: Annotated[int, Field(ge=100)] = 60_000
    c: Positive = Field(default=4.0, description="inverse strength of L2 regularisation")
    balanced: bool = Field(default=True, description="weight classes by inverse frequency")


class EncoderSettings(StrictModel):
    """Where the pre-trained encoder comes from.

    `packaged` is the MiniLM that is installed with the `train` extra and verified by hash; any
    other value is a local folder or, with `revision` (a full commit hash), a hub name. With
    `sha256`, its model.safetensors must have this hash.
    """

    name: Annotated[str, Field(min_length=1)] = "packaged"
    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None = None
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    max_tokens: Annotated[int, Field(ge=8, le=512)] = 128


class EmbeddingSettings(StrictModel):
    """Frozen sentence embeddings with logistic regression on top."""

    kind: Literal["embedding"] = "embedding"
    encoder: EncoderSettings = EncoderSettings()
    c: Positive = 4.0
    balanced: bool = True


class AugmentSettings(StrictModel):
    """Shares of the training sentences that are changed (names, forms: in every pass) or copied."""

    names: Share = Field(default=0.5, description="all names swapped for those of the lists")
    forms: Share = Field(
        default=0.5, description="other dates, figures or quotes, lower case, no full stop"
    )
    denials: Share = Field(
        default=0.0,
        description="of sentences with a multilabel label, a denied (or affirmed) copy is added",
    )
    lists: Path = Field(description="YAML file of lists of names; those for training are used")


class TeacherSettings(StrictModel):
    """A larger transformer that learns first; its probabilities soften the targets."""

    classifier: TransformerSettings
    weight: Share = Field(default=0.5, description="of its probabilities beside the labels")
    recombined: Annotated[int, Field(ge=0)] = Field(
        default=0, description="sentences made of parts of others, which it alone labels"
    )


class TransformerSettings(StrictModel):
    """One fine-tuned encoder with one linear head a task."""

    kind: Literal["transformer"] = "transformer"
    encoder: EncoderSettings = EncoderSettings()
    layers: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="of the encoder, the lowest so many; all where it is not given"
    )
    context: bool = Field(default=False, description="read the sentence before as well")
    epochs: Annotated[int, Field(ge=1, le=50)] = 3
    max_steps: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="stop early, for quick demonstrations"
    )
    soup: Annotated[int, Field(ge=1, le=10)] = Field(
        default=1, description="trainings with different data orders whose weights are averaged"
    )
    learning_rate: Annotated[float, Field(gt=0, le=0.1)] = 2e-4
    head_learning_rate: Annotated[float, Field(gt=0, le=0.1)] = 1e-3
    warmup: Share = 0.06
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.01
    dropout: Share = 0.1
    tokens_per_batch: Annotated[int, Field(ge=64)] = 1200
    positive_weight: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0,
        description="exponent of the inverse frequency that weights positives; 0 is no weighting",
    )
    multiclass_weight: Annotated[float, Field(gt=0, le=10)] = Field(
        default=1.0, description="weight of the loss of multiclass tasks beside multilabel ones"
    )
    train_word_embeddings: bool = Field(
        default=False, description="frozen ones save a fifth of the time and keep rare words apart"
    )
    augment: AugmentSettings | None = Field(
        default=None, description="label-keeping changes of names and form, anew in every pass"
    )
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    teacher: TeacherSettings | None = Field(
        default=None, description="a larger model to learn from as well (distillation)"
    )


MemberSettings = Annotated[
    MajoritySettings | RulesSettings | LinearSettings | EmbeddingSettings | TransformerSettings,
    Field(discriminator="kind"),
]


Weight = Annotated[float, Field(ge=0.0)]
MemberWeight = Positive | dict[str, Weight]
"""One weight for all tasks, or one for every task by name; zero leaves a task to the others."""


class EnsembleSettings(StrictModel):
    """A weighted sum of the logits of its members; a weight may differ by task."""

    kind: Literal["ensemble"] = "ensemble"
    members: Annotated[tuple[MemberSettings, ...], Field(min_length=2)]
    weights: Annotated[tuple[MemberWeight, ...], Field(min_length=2)]

    @model_validator(mode="after")
    def _one_weight_each(self) -> EnsembleSettings:
        if len(self.members) != len(self.weights):
            raise ValueError(f"{len(self.members)} members but {len(self.weights)} weights")
        return self


ClassifierSettings = Annotated[
    MajoritySettings
    | RulesSettings
    | LinearSettings
    | EmbeddingSettings
    | TransformerSettings
    | EnsembleSettings,
    Field(discriminator="kind"),
]


def files_read(model: ClassifierSettings) -> tuple[Path, ...]:
    """Return the files, besides data and encoder, that training with these settings reads."""
    return tuple(
        one.augment.lists
        for _, one in parts(model)
        if isinstance(one, TransformerSettings) and one.augment is not None
    )


def parts(model: ClassifierSettings, key: str = "") -> Iterator[tuple[str, ClassifierSettings]]:
    """Yield the model, its members and its teachers, each with its place in the settings."""
    yield key, model
    if isinstance(model, EnsembleSettings):
        for i, member in enumerate(model.members):
            yield from parts(member, f"{key}.members[{i}]")
    elif isinstance(model, TransformerSettings) and model.teacher is not None:
        yield from parts(model.teacher.classifier, f"{key}.teacher.classifier")
