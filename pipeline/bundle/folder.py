"""Write a bundle so that it is whole or absent; load it only if every byte is as written."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from pipeline import __version__
from pipeline.bundle.card import render_card
from pipeline.bundle.manifest import BundleFacts, Manifest
from pipeline.classifiers.placement import Device, Placeable
from pipeline.classifiers.protocol import Classifier
from pipeline.classifiers.registry import classifier_class
from pipeline.codebook import Codebook, load_codebook
from pipeline.decision import DecisionRule, Decisions, Probabilities
from pipeline.errors import BundleError, OutputError, SettingsError, StanceError
from pipeline.records import Sentence
from pipeline.validated_yaml import validate_model

MANIFEST = "manifest.json"
CODEBOOK = "codebook.json"
DECISION = "decision.json"
CARD = "MODEL_CARD.md"
CLASSIFIER = "classifier"
FORMAT = 1


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
    codebook = classifier.codebook
    with staged(folder) as staging:
        (staging / CLASSIFIER).mkdir()
        classifier.save(staging / CLASSIFIER)
        _write_text(staging / CODEBOOK, codebook.model_dump_json(indent=1))
        _write_text(staging / DECISION, json.dumps(asdict(rule), indent=1))
        return seal(staging, classifier.kind, codebook, facts, rule=rule, created=created)


def seal(
    staging: Path,
    kind: str,
    codebook: Codebook,
    facts: BundleFacts,
    *,
    rule: DecisionRule | None = None,
    created: datetime | None = None,
) -> Manifest:
    """Write the card and the manifest of a model whose other files stand in `staging`."""
    weights = {p: h for p, h in _hashes(staging).items() if p != CARD}
    identity = hashlib.sha256(json.dumps(weights, sort_keys=True).encode()).hexdigest()
    manifest = Manifest(
        model_id=f"{facts.name}-{identity[:12]}",
        kind=kind,
        created=(created or datetime.now(UTC)).isoformat(timespec="seconds"),
        made_by=f"stance-pipeline {__version__}",
        codebook_name=codebook.name,
        codebook_version=codebook.version,
        codebook_signature=codebook.signature,
        facts=facts,
        files={},
    )
    _write_text(staging / CARD, render_card(manifest, codebook, rule))
    manifest = manifest.model_copy(update={"files": _hashes(staging)}).sealed()
    _write_text(staging / MANIFEST, manifest.model_dump_json(indent=1))
    return manifest


@contextmanager
def installed(source: Path, folder: Path) -> Iterator[None]:
    """Put a copy of the bundle in `source` at `folder`, for good unless the block fails.

    After an error in the block, or an interruption, `folder` is as it was before.

    Raises:
        BundleError: `source` holds no sound bundle.
        OutputError: the folder cannot be written, or holds something that is not a bundle.
    """
    manifest, _ = read_facts(source)
    with _staging(folder) as staging:
        for name in (*manifest.files, MANIFEST):
            (staging / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, staging / name)
        with _swapped(staging, folder):
            yield


def require_replaceable(folder: Path) -> None:
    """Check that a bundle may be written to `folder`: it is new, empty, or holds a bundle.

    Raises:
        OutputError: it holds something else, or cannot be looked into.
    """
    try:
        replaceable = not folder.exists() or _replaceable(folder)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}).") from None
    if not replaceable:
        raise OutputError(f"{folder}: exists and is no bundle; choose another folder.")


def load_bundle(
    folder: Path, *, codebook: Codebook | None = None, device: Device = Device.AUTO
) -> Bundle:
    """Load and verify a bundle.

    Args:
        folder: the bundle's folder.
        codebook: when given, the codebook the caller works with; the model must fit it.
        device: what it computes on; classifiers that know the processor only compute there.

    Raises:
        BundleError: a file is missing, was changed, or does not fit the codebook or this version.
        SettingsError: the device is not there.
    """
    manifest, own = read_facts(folder)
    try:
        rule = TypeAdapter(DecisionRule).validate_json((folder / DECISION).read_bytes())
    except ValidationError as error:
        problem = str(error).splitlines()[0]
        raise BundleError(f"{folder / DECISION}: cannot be read ({problem}).") from None
    if {len(rule.scale), len(rule.bias), len(rule.threshold)} != {own.width}:
        raise BundleError(f"{folder / DECISION}: expected {own.width} entries, one a label.")
    if codebook is not None and codebook.signature != own.signature:
        raise BundleError(
            f"{folder}: the model was trained for the labels of codebook '{own.name}' "
            f"{own.version} ({', '.join(own.column_names)}), but codebook '{codebook.name}' "
            f"{codebook.version} has {', '.join(codebook.column_names)}. Use the model's codebook "
            "or train a model for yours."
        )
    classifier = classifier_class(manifest.kind).load(folder / CLASSIFIER, own)
    if device is not Device.AUTO and isinstance(classifier, Placeable):
        classifier.place(device)
    return Bundle(classifier, own, rule, manifest)


def read_facts(folder: Path) -> tuple[Manifest, Codebook]:
    """Verify a bundle and read what can be known of it without loading its classifier.

    Raises:
        BundleError: a file is missing or was changed, or this version cannot read it.
    """
    manifest = verified_manifest(folder)
    try:
        own = load_codebook(folder / CODEBOOK)
    except StanceError as error:
        raise BundleError(f"{folder}: its codebook cannot be read: {error}") from None
    if own.signature != manifest.codebook_signature:
        raise BundleError(f"{folder}: its codebook and its manifest do not belong together.")
    return manifest, own


def verified_manifest(folder: Path) -> Manifest:
    """Return what a model folder says of itself, when every byte is as it was written.

    Raises:
        BundleError: a file is missing or was changed, or this version cannot read it.
    """
    manifest = _read_manifest(folder)
    _verify(folder, manifest)
    return manifest


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise BundleError(
            f"{folder}: no model here ({MANIFEST} is missing). Give the folder of a model, or make "
            "one with 'stance train' and 'stance promote'."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{path}: cannot be read as JSON ({error}).") from None
    written = data.get("format") if isinstance(data, dict) else None
    if written != FORMAT:
        raise BundleError(
            f"{path}: is of format {written!r}; this version of stance-pipeline ({__version__}) "
            f"reads format {FORMAT}. Make the model again, or use the version that made it."
        )
    try:
        manifest = validate_model(Manifest, data, where=str(path))
    except SettingsError as error:
        raise BundleError(str(error)) from None
    if manifest.seal is None:
        raise BundleError(f"{path}: carries no seal. Make the model again.")
    if manifest.seal != manifest.contents():
        raise BundleError(
            f"{path}: was changed after the model was made. Restore it from its source or make "
            "the model again."
        )
    return manifest


def _verify(folder: Path, manifest: Manifest) -> None:
    problems = []
    try:
        for name, expected in manifest.files.items():
            path = folder / name
            if not path.is_file():
                problems.append(f"{name} is missing")
            elif (got := _sha256(path)) != expected:
                changed = f"(sha256 {got[:12]}…, expected {expected[:12]}…)"
                problems.append(f"{name} was changed {changed}")
    except OSError as error:
        problems.append(str(error))
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


def _replaceable(folder: Path) -> bool:
    return (folder / MANIFEST).exists() or (folder.is_dir() and not any(folder.iterdir()))


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Give a folder beside `folder`, which takes its place when the block ends.

    Raises:
        OutputError: as `require_replaceable`, or it cannot be written.
    """
    with _staging(folder) as staging:
        yield staging
        with _swapped(staging, folder):
            pass


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """Give a folder beside `folder` that is gone when the block ends."""
    require_replaceable(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}).") from None
    try:
        staging.chmod(0o755)
        yield staging
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}).") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _swapped(new: Path, folder: Path) -> Iterator[None]:
    """Put `new` in the place of `folder`; the old one is deleted only after the block.

    Also when interrupted at any point, one of the two is in its place: the old one, if the block
    did not end without an error.
    """
    away = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    old, done = away / "bundle", False
    try:
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
        yield
        done = True
    finally:
        if not done:
            if not new.exists():
                folder.rename(away / "refused")
            if old.exists():
                old.rename(folder)
        shutil.rmtree(away, ignore_errors=True)
