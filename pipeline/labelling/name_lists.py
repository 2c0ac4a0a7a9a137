"""The lists behind the swapping of names: known names, words that are none, replacements."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from pipeline.validated_yaml import StrictModel, load_model

Name = Annotated[str, Field(pattern=r"^[^\W\d_a-z].*[^\W_]$")]
Listed = Annotated[tuple[Name, ...], Field(min_length=5)]


class Replacements(StrictModel):
    """Names to put in the place of others.

    `countries` maps a country to its adjective; `persons` are "Given Family"; `groups` are armed
    groups whose names take no article.
    """

    countries: Annotated[dict[Name, Name], Field(min_length=5)]
    places: Listed
    persons: Listed
    groups: Listed

    def all_names(self) -> set[str]:
        """Return every name of the lists, adjectives included."""
        return {
            *self.countries,
            *self.countries.values(),
            *self.places,
            *self.persons,
            *self.groups,
        }


class KnownNames(StrictModel):
    """Real names that are recognised wherever they stand; the lists need not be complete."""

    countries: dict[Name, Name] = Field(default_factory=dict)
    peoples: tuple[Name, ...] = ()
    places: tuple[Name, ...] = ()
    persons: tuple[Name, ...] = ()


class NameLists(StrictModel):
    """Known names, capitalised words that are no names, and two disjoint sets of replacements."""

    known: KnownNames
    never: frozenset[str]
    training: Replacements
    test: Replacements

    @model_validator(mode="after")
    def _disjoint(self) -> Self:
        if twice := sorted(self.training.all_names() & self.test.all_names()):
            raise ValueError(
                f"in both 'training' and 'test': {', '.join(twice)}. A test with names that "
                "training has used shows nothing."
            )
        return self


def load_names(path: Path) -> NameLists:
    """Read the lists of names.

    Raises:
        InputError: the file cannot be read.
        SettingsError: all mistakes at once, with lines.
    """
    return load_model(NameLists, path)
