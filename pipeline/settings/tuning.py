"""What `stance tune` may change of a model, and within which bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import BaseModel, Discriminator, Field, Tag, TypeAdapter, ValidationError
from pydantic import model_validator as validator

from pipeline.errors import SettingsError, near_matches
from pipeline.settings.classifiers import ClassifierSettings, EnsembleSettings
from pipeline.validated_yaml import StrictModel

Number = int | float
Scalar = bool | int | float | str | None
Value = Scalar | tuple[Scalar, ...]
"""One value of one key."""


class Range(StrictModel):
    """All numbers from `low` to `high`, both included; whole ones where the key takes no others.

    With `log` every factor is as likely as another: 0.1 to 1 is searched as much as 1 to 10.
    """

    low: Number
    high: Number
    log: bool = False

    @validator(mode="after")
    def _is_a_range(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low {self.low} must lie below high {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"log needs a low above 0, got {self.low}")
        return self


def _kind_of(given: object) -> str | None:
    if isinstance(given, Range | Mapping):
        return "range"
    return "choices" if isinstance(given, list | tuple) else None


Domain = Annotated[
    Annotated[Range, Tag("range")]
    | Annotated[tuple[Value, ...], Field(min_length=2), Tag("choices")],
    Discriminator(
        _kind_of,
        custom_error_type="domain",
        custom_error_message="expected a range {low: ..., high: ...} or a list of choices",
    ),
]
"""Where the value of a key is looked for: a range, or a list of choices."""

Space = dict[str, Domain]
"""Domains by key of a model; keys of nested settings are dotted, as in "encoder.max_tokens"."""


class TuneSettings(StrictModel):
    """How `stance tune` searches; without an entry in `space` a model has the space of its kind."""

    outer_folds: Annotated[int, Field(ge=2, le=20)] = Field(
        default=5, description="folds that measure what comes of the search"
    )
    inner_folds: Annotated[int, Field(ge=2, le=20)] = Field(
        default=3, description="folds, within the others of these, that select settings"
    )
    space: dict[str, Annotated[Space, Field(min_length=1)]] = Field(default_factory=dict)


DEFAULT_SPACES: Mapping[str, Space] = {
    "linear": {
        "c": Range(low=0.25, high=64.0, log=True),
        "word_ngrams": ((1, 1), (1, 2), (1, 3)),
        "char_ngrams": ((2, 4), (3, 5), (2, 6)),
        "min_df": Range(low=1, high=4),
        "balanced": (True, False),
    },
    "embedding": {"c": Range(low=0.1, high=100.0, log=True), "balanced": (True, False)},
    "transformer": {
        "learning_rate": Range(low=5e-5, high=5e-4, log=True),
        "epochs": Range(low=2, high=5),
        "dropout": Range(low=0.0, high=0.3),
        "positive_weight": Range(low=0.0, high=0.5),
    },
}
"""The space of a kind of model for which the settings name none."""

_MODEL: TypeAdapter[ClassifierSettings] = TypeAdapter(ClassifierSettings)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong entry of `tune.space`: the keys that lead to it, what is wrong, what stands there."""

    keys: tuple[str | int, ...]
    reason: str
    got: object


def space_of(name: str, model: ClassifierSettings, tune: TuneSettings) -> Space:
    """Return the space to search for a model: that of the settings, or that of its kind.

    Raises:
        SettingsError: there is neither.
    """
    space = tune.space.get(name) or DEFAULT_SPACES.get(model.kind)
    if space is None:
        known = ", ".join(DEFAULT_SPACES)
        raise SettingsError(
            [
                f"nothing is known to search for model '{name}' of kind {model.kind}: give "
                f"tune.space.{name} (there is a space of its own for the kinds {known})"
            ],
            where="settings",
        )
    return dict(space)


def space_mistakes(
    space: Mapping[str, Space], models: Mapping[str, ClassifierSettings]
) -> Iterator[Mistake]:
    """Yield what does not fit: unknown models and keys, bounds and choices that a key refuses."""
    for name, domains in space.items():
        if name not in models:
            yield Mistake((name,), f"no such model.{near_matches(name, models)}", None)
            continue
        model = models[name]
        if isinstance(model, EnsembleSettings):
            reason = "an ensemble has no keys to search; tune its members as models of their own"
            yield Mistake((name,), reason, None)
            continue
        for key, domain in domains.items():
            yield from _domain_mistakes((name, key), domain, model)


def with_values(model: ClassifierSettings, values: Mapping[str, Value]) -> ClassifierSettings:
    """Return the settings of a model with some keys changed; what was left out stays left out.

    Raises:
        pydantic.ValidationError: a value does not fit its key.
    """
    data = model.model_dump(exclude_unset=True) | {"kind": model.kind}
    for key, value in values.items():
        *outer, last = key.split(".")
        place = data
        for part in outer:
            place = place.setdefault(part, {})
        place[last] = value
    return _MODEL.validate_python(data)


def value_of(model: ClassifierSettings, key: str) -> Value:
    """Return what a model has under a dotted key that `tunable_keys` names."""
    node: object = model
    for part in key.split("."):
        node = getattr(node, part)
    value: Value = node  # type: ignore[assignment]  # what a space holds was checked against the key
    return value


def takes_whole_numbers(model: ClassifierSettings, key: str, bounds: Range) -> bool:
    """Return whether a key takes whole numbers only."""
    return isinstance(value_of(with_values(model, {key: bounds.low}), key), int)


def tunable_keys(model: BaseModel, prefix: str = "") -> list[str]:
    """Return the dotted keys of a model; those of nested settings where these are given."""
    keys: list[str] = []
    for name in type(model).model_fields:
        inner = getattr(model, name)
        if isinstance(inner, BaseModel):
            keys += tunable_keys(inner, f"{prefix}{name}.")
        elif name != "kind":
            keys.append(prefix + name)
    return keys


def _domain_mistakes(
    at: tuple[str, str], domain: Range | tuple[Value, ...], model: ClassifierSettings
) -> Iterator[Mistake]:
    key, known = at[1], tunable_keys(model)
    if key not in known:
        kind = f"unknown key of a model of kind {model.kind}."
        yield Mistake(at, f"{kind}{near_matches(key, known)}", None)
        return
    tried: list[tuple[str | int, Value]] = (
        [("low", domain.low), ("high", domain.high)]
        if isinstance(domain, Range)
        else list(enumerate(domain))
    )
    for place, value in tried:
        try:
            with_values(model, {key: value})
        except ValidationError as error:
            reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
            yield Mistake((*at, place), reason, value)
