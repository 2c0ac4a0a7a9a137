"""Write a bundle so that it is whole or absent; load it only if every byte is as written."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from pipeline import __version__
from pipeline.bundle.card import render_card
from pipeline.bundle.manifest import BundleFacts, Manifest
from pipeline.classifiers.protocol import Classifier
from pipeline.classifiers.registry import classifier_class
from pipeline.codebook import Codebook, load_codebook
from pipeline.decision import DecisionRule, Decisions, Probabilities
from pipeline.errors import BundleError, OutputError, StanceError
from pipeline.records import Sentence

MANIFEST = "manifest.json"
CODEBOOK = "codebook.json"
DECISION = "decision.json"
CARD = "MODEL_CARD.md"
CLASSIFIER = "classifier"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A loaded, verified model: everything needed to label sentences."""

    classifier: Classifier
    codebook: Codebook
    rule: DecisionRule
    manifest: Manifest

    @property
    def model_id(self) -> str:
        """Name and content hash of the model."""
        return self.manifest.model_id

    def predict(self, sentences: Sequence[Sentence]) -> tuple[Probabilities, Decisions]:
        """Return calibrated probabilities (n, codebook.width) and the decisions on them."""
        logits = self.classifier.predict_logits(sentences)
        probabilities = self.rule.probabilities(logits, self.codebook)
        return probabilities, self.rule.decide(probabilities, self.codebook)


def write_bundle(
    folder: Path,
    classifier: Classifier,
    rule: DecisionRule,
    facts: BundleFacts,
    *,
    created: datetime | None = None,
) -> Manifest:
    """Write a bundle into `folder`, replacing an older one only when the new one is complete.

    Raises:
        OutputError: the folder cannot be written, or holds something that is not a bundle.
    """
    if folder.exists() and not (folder / MANIFEST).exists() and any(folder.iterdir()):
        raise OutputError(f"{folder}: exists and is no bundle; choose another folder.")
    codebook = classifier.codebook
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}).") from None
    try:
        staging.chmod(0o755)
        (staging / CLASSIFIER).mkdir()
        classifier.save(staging / CLASSIFIER)
        _write_text(staging / CODEBOOK, codebook.model_dump_json(indent=1))
        _write_text(staging / DECISION, json.dumps(asdict(rule), indent=1))
        weights = {p: h for p, h in _hashes(staging).items() if p != CARD}
        identity = hashlib.sha256(json.dumps(weights, sort_keys=True).encode()).hexdigest()
        manifest = Manifest(
            model_id=f"{facts.name}-{identity[:12]}",
            kind=classifier.kind,
            created=(created or datetime.now(UTC)).isoformat(timespec="seconds"),
            made_by=f"stance-pipeline {__version__}",
            codebook_name=codebook.name,
            codebook_version=codebook.version,
            codebook_signature=codebook.signature,
            facts=facts,
            files={},
        )
        _write_text(staging / CARD, render_card(manifest, codebook, rule))
        manifest = manifest.model_copy(update={"files": _hashes(staging)})
        _write_text(staging / MANIFEST, manifest.model_dump_json(indent=1))
        _swap(staging, folder)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}).") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return manifest


def load_bundle(folder: Path, *, codebook: Codebook | None = None) -> Bundle:
    """Load and verify a bundle.

    Args:
        folder: the bundle's folder.
        codebook: when given, the codebook the caller works with; the model must fit it.

    Raises:
        BundleError: a file is missing, was changed, or does not fit the codebook or this version.
    """
    manifest = read_manifest(folder)
    _verify(folder, manifest)
    try:
        own = load_codebook(folder / CODEBOOK)
        rule = DecisionRule(**json.loads((folder / DECISION).read_text(encoding="utf-8")))
    except (ValueError, TypeError, StanceError) as error:
        raise BundleError(f"{folder}: cannot be read ({error}).") from None
    rule = DecisionRule(
        tuple(rule.scale), tuple(rule.bias), tuple(rule.threshold), rule.abstain_within
    )
    if own.signature != manifest.codebook_signature or len(rule.scale) != own.width:
        raise BundleError(f"{folder}: its codebook and its manifest do not belong together.")
    if codebook is not None and codebook.signature != own.signature:
        raise BundleError(
            f"{folder}: the model was trained for the labels of codebook '{own.name}' "
            f"{own.version} ({', '.join(own.column_names)}), but codebook '{codebook.name}' "
            f"{codebook.version} has {', '.join(codebook.column_names)}. Use the model's codebook "
            "or train a model for yours."
        )
    classifier = classifier_class(manifest.kind).load(folder / CLASSIFIER, own)
    return Bundle(classifier, own, rule, manifest)


def read_manifest(folder: Path) -> Manifest:
    """Read manifest.json of a bundle folder.

    Raises:
        BundleError: the folder is no bundle of a format this version reads.
    """
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError(
            f"{folder}: no model here ({MANIFEST} is missing). Give the folder of a model, or make "
            "one with 'stance train' and 'stance promote'."
        ) from None
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise BundleError(f"{path}: cannot be read ({error}).") from None


def _verify(folder: Path, manifest: Manifest) -> None:
    problems = []
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file():
            problems.append(f"{name} is missing")
        elif (got := _sha256(path)) != expected:
            problems.append(f"{name} was changed (sha256 {got[:12]}…, expected {expected[:12]}…)")
    if problems:
        raise BundleError(
            f"{folder}: the model is not as it was made: {'; '.join(problems)}. Restore it "
            "from its source or make it again."
        )


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST)
    return {p.relative_to(folder).as_posix(): _sha256(p) for p in files}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_text(path: Path, text: str) -> None:
    path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def _swap(new: Path, folder: Path) -> None:
    """Put `new` in the place of `folder`; the old one is deleted only afterwards."""
    if not folder.exists():
        new.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    folder.rename(old / "bundle")
    try:
        new.rename(folder)
    except OSError:
        (old / "bundle").rename(folder)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
