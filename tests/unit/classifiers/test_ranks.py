"""Several processes train one classifier: each computes its rows; the steps are those of one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.classifiers.protocol import FitMonitor, FitStep
from pipeline.classifiers.ranks import Ranks, joined
from pipeline.classifiers.transformer import TransformerClassifier
from pipeline.codebook import load_codebook
from pipeline.records import LabelledSentence
from pipeline.settings.classifiers import TransformerSettings

ROOT = Path(__file__).parents[3]
TINY = load_codebook(ROOT / "tests" / "codebooks" / "tiny.yaml")
TOKENS = 33
"""A batch; fewer than the settings allow, so that some have one row and a process has none."""
LOSS_BOUND = 1e-6
"""Largest difference between the loss curves, relative to the loss: floats summed otherwise, grown
over all steps."""

TRAIN = """
import json, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from conftest import toy_rows
from pipeline.classifiers.protocol import FitMonitor
from pipeline.classifiers.ranks import joined
from pipeline.classifiers.transformer import TransformerClassifier
from pipeline.codebook import load_codebook
from pipeline.settings.classifiers import TransformerSettings

folder = Path({folder!r})
codebook = load_codebook(Path({codebook!r}))
settings = TransformerSettings.model_validate_json((folder / "settings.json").read_text())
settings = settings.model_copy(update={{"tokens_per_batch": {tokens}}})
curve = []
with joined() as ranks:
    assert ranks.count == 2
    classifier = TransformerClassifier(codebook, settings, seed=3)
    monitor = FitMonitor(lambda step: curve.append(step.loss), folder / "checkpoints")
    classifier.fit(toy_rows(codebook), monitor)
    (folder / f"curve-{{ranks.number}}.json").write_text(json.dumps(curve))
    sentences = [row.sentence for row in toy_rows(codebook)]
    logits = classifier.predict_logits(sentences)
    (folder / f"logits-{{ranks.number}}.json").write_text(json.dumps(logits.tolist()))
"""


def test_alone_nothing_changes() -> None:
    with joined() as ranks:
        assert ranks == Ranks.here() == Ranks(0, 1)
        batch, logits = np.array([5, 2, 9]), torch.ones(3, 2, requires_grad=True)
        assert ranks.share(batch) is batch
        assert ranks.together(logits, 3) is logits
        assert ranks.seed(77) == 77
        assert ranks.first
        ranks.add_gradients([])
        ranks.agree(4, torch.device("cpu"))
        ranks.wait()


@given(rows=st.integers(1, 40), count=st.integers(2, 9))
def test_every_row_is_computed_once(rows: int, count: int) -> None:
    batch = np.arange(100, 100 + rows)
    shares = [Ranks(number, count).share(batch) for number in range(count)]
    assert all(len(share) for share in shares)
    assert sorted(np.concatenate(shares[:rows])) == batch.tolist()


LAUNCHERS = {
    "torchrun": ["torch.distributed.run", "--standalone", "--nproc-per-node", "2"],
    # Despite its name, --multi_gpu is what starts several processes; without it, or with --cpu,
    # there is one. Where there are no such devices they talk by Gloo.
    "accelerate": [
        *("accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"),
        *("--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"),
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_two_processes_have_the_loss_curve_of_one(
    toy: Callable[..., list[LabelledSentence]],
    tiny_settings: TransformerSettings,
    tiny_encoder: Path,
    tmp_path: Path,
    launcher: str,
) -> None:
    """Without dropout, which every process draws for its own rows."""
    encoder = tmp_path / "encoder"
    shutil.copytree(tiny_encoder, encoder)
    config = json.loads((encoder / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (encoder / "config.json").write_text(json.dumps(config))
    calm = {
        "dropout": 0.0,
        "epochs": 8,
        "tokens_per_batch": TOKENS,
        "encoder": tiny_settings.encoder.model_copy(update={"name": str(encoder)}),
    }
    settings = tiny_settings.model_copy(update=calm)
    steps: list[FitStep] = []
    alone = TransformerClassifier(TINY, settings, seed=3)
    alone.fit(toy(TINY), FitMonitor(steps.append, tmp_path / "alone"))

    valid = settings.model_copy(update={"tokens_per_batch": 64})
    (tmp_path / "settings.json").write_text(valid.model_dump_json())
    script = tmp_path / "train.py"
    tests, codebook = Path(__file__).parent, ROOT / "tests" / "codebooks" / "tiny.yaml"
    paths = {"tests": str(tests), "folder": str(tmp_path), "codebook": str(codebook)}
    script.write_text(TRAIN.format(tokens=TOKENS, **paths))
    launch = ["-m", *LAUNCHERS[launcher], str(script)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *launch], env=environment, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr

    curve = np.array([step.loss for step in steps])
    logits = alone.predict_logits([row.sentence for row in toy(TINY)])
    for number in range(2):
        both = np.array(json.loads((tmp_path / f"curve-{number}.json").read_text()))
        assert both.shape == curve.shape
        assert np.max(np.abs(both - curve) / curve) < LOSS_BOUND
        theirs = np.array(json.loads((tmp_path / f"logits-{number}.json").read_text()))
        assert np.allclose(theirs, logits, atol=1e-4)
    assert curve[-1] < 0.8 * curve[0]  # it learns, so a wrong gradient would show
    names = [sorted(p.name for p in (tmp_path / f).iterdir()) for f in ("alone", "checkpoints")]
    assert names[0] == names[1]
    assert len(names[0]) == 1
