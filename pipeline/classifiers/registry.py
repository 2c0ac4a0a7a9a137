"""Which class is behind which kind; classes are imported when asked for, never before."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from typing import Protocol, cast

from pipeline.classifiers.protocol import Classifier, Trainable
from pipeline.codebook import Codebook
from pipeline.errors import BundleError, MissingExtra, near_matches
from pipeline.settings.classifiers import ClassifierSettings


@dataclass(frozen=True, slots=True)
class _Kind:
    """Where a class stands, and which optional packages it needs to be trained."""

    module: str
    name: str
    trained_with: tuple[str, ...] = ()


_KINDS = {
    "majority": _Kind("majority", "MajorityClassifier"),
    "rules": _Kind("rules", "RulesClassifier"),
    "linear": _Kind("linear", "LinearClassifier", ("sklearn",)),
    "embedding": _Kind("embedding", "EmbeddingClassifier", ("torch", "transformers", "sklearn")),
    "transformer": _Kind("transformer", "TransformerClassifier", ("torch", "transformers")),
    "onnx": _Kind("onnx", "OnnxClassifier"),
    "ensemble": _Kind("ensemble", "EnsembleClassifier"),
}
_DISTRIBUTION = {"sklearn": "scikit-learn"}
_OF_THE_CORE = ("numpy", "onnxruntime", "tokenizers")
"""Packages that classifiers import and that no extra brings."""

KINDS = tuple(_KINDS)


class _Constructor(Protocol):
    def __call__(
        self, codebook: Codebook, settings: ClassifierSettings, *, seed: int
    ) -> Trainable: ...


def classifier_class(kind: str) -> type[Classifier]:
    """Return the class of a kind.

    Raises:
        BundleError: no such kind.
        MissingExtra: the class needs an optional package that is not installed.
    """
    if kind not in _KINDS:
        raise BundleError(f"unknown kind of classifier '{kind}'.{near_matches(kind, _KINDS)}")
    entry = _KINDS[kind]
    try:
        module = importlib.import_module(f"pipeline.classifiers.{entry.module}")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "pipeline"):
            raise
        raise _missing(package, kind) from None
    return cast("type[Classifier]", getattr(module, entry.name))


def build(settings: ClassifierSettings, codebook: Codebook, *, seed: int) -> Trainable:
    """Return an unfitted classifier for these settings.

    Raises:
        MissingExtra: training it needs an optional package that is not installed.
    """
    for package in _KINDS[settings.kind].trained_with:
        if importlib.util.find_spec(package) is None:
            raise _missing(package, settings.kind)
    constructor = cast("_Constructor", classifier_class(settings.kind))
    return constructor(codebook, settings, seed=seed)


def _missing(package: str, kind: str) -> MissingExtra:
    extra = None if package in _OF_THE_CORE else "train"
    return MissingExtra(_DISTRIBUTION.get(package, package), extra, f"the classifier '{kind}'")
