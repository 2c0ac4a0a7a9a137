"""The champion's answers in another interpreter are compared cell by cell."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.pyfunc.champion import differences, registered
from pipeline.bundle import BundleFacts, load_bundle, write_bundle
from pipeline.classifiers.rules import RulesClassifier
from pipeline.codebook import load_codebook
from pipeline.decision import DecisionRule
from pipeline.settings.classifiers import RulesSettings
from pipeline.tracking.store import quiet_imports

with quiet_imports():
    from benchmarks.pyfunc.clean_environment import labelled_inside
    from pipeline.tracking.served_model import ServedModel

TINY = Path(__file__).parents[2] / "codebooks" / "tiny.yaml"


def test_every_cell_that_differs_is_counted() -> None:
    expected = pd.DataFrame(
        {
            "p": pd.Series([0.5, 0.25, None], dtype="Float64"),
            "given": pd.Series([True, None, False], dtype="boolean"),
            "tone": pd.Series(["praise", None, ""], dtype="string"),
        }
    )
    assert differences(expected, expected) == 0
    near = expected.assign(p=expected["p"] + 1e-9)
    assert differences(near, expected) == 0
    other = expected.copy()
    other.loc[0, "p"] = 0.51
    other.loc[1, "given"] = False
    other.loc[2, "tone"] = None
    assert differences(other, expected) == 3


@pytest.mark.slow
def test_another_interpreter_says_the_same(tmp_path: Path) -> None:
    tiny, folder = load_codebook(TINY), tmp_path / "bundle"
    facts = BundleFacts(name="kitchen", description="Rules.")
    write_bundle(folder, RulesClassifier(tiny, RulesSettings()), DecisionRule.plain(tiny), facts)
    store = registered(folder, tmp_path)
    texts = ["The soup was excellent.", None, "A rude waiter."]
    found, about = labelled_inside(Path(sys.executable), store, texts, tmp_path)
    expected = ServedModel(load_bundle(folder)).predict(pd.DataFrame({"text": texts}))
    assert list(found.columns) == list(expected.columns)
    assert found["tone"].notna().tolist() == [True, False, True]
    assert differences(found, expected) == 0
    assert "mlflow" in about["installed"]
