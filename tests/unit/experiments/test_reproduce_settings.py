"""The settings behind the README's figures on `stance reproduce` can be used as they stand."""

from __future__ import annotations

from pathlib import Path

from pipeline.settings.classifiers import TransformerSettings
from pipeline.settings.experiment import load_settings

ROOT = Path(__file__).parents[3]
SETTINGS = ROOT / "experiments" / "evidence" / "reproduce.yaml"


def test_a_real_encoder_is_trained_with_all_that_is_drawn_at_random() -> None:
    text = (SETTINGS.parent / "README.md").read_text(encoding="utf-8")
    assert f"-c {SETTINGS.relative_to(ROOT)}" in text
    settings = load_settings(SETTINGS)
    model = settings.models["transformer"]
    assert isinstance(model, TransformerSettings)
    assert model.encoder.name == "packaged"
    assert model.soup > 1
    assert model.augment is not None
    data = settings.data
    for path in (*data.corpus, data.gold, data.gold_statements, model.augment.lists):
        assert path is not None
        assert (ROOT / path).exists(), path
