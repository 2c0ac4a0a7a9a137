"""The logged model equals the bundle, wherever and however it is loaded."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from pipeline.bundle import load_bundle
from pipeline.classifiers.rules import RulesClassifier
from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule, Probabilities
from pipeline.errors import BundleError, InputError
from pipeline.records import EvaluationReport, LabelledDocument, LabelledSentence, Sentence
from pipeline.tracking import (
    Store,
    data_digests,
    digest_of,
    download_bundle,
    open_store,
    start_run,
)
from pipeline.tracking.find import EVALUATION
from pipeline.tracking.models import requirements
from pipeline.tracking.store import quiet_imports

with quiet_imports():
    from mlflow.models import get_model_info
    from mlflow.pyfunc.scoring_server import predictions_to_json

    from pipeline.tracking.served_model import ServedModel

ROOT = Path(__file__).parents[3]
TEXTS = ["The soup was excellent.", "It rained.", "The waiter was rude and slow.", "Staff."]


@pytest.fixture(scope="module")
def rules_bundle(
    tmp_path_factory: pytest.TempPathFactory, classifier: RulesClassifier, rule: object
) -> Path:
    from pipeline.bundle import BundleFacts, write_bundle

    folder = tmp_path_factory.mktemp("made") / "bundle of rules"
    write_bundle(folder, classifier, rule, BundleFacts(name="reviews", description="Rules."))
    return folder


@pytest.fixture(scope="module")
def logged(
    migrated: Path, tmp_path_factory: pytest.TempPathFactory, rules_bundle: Path
) -> tuple[Store, str, str]:
    folder = tmp_path_factory.mktemp("models")
    shutil.copy(migrated, folder / "mlflow.db")
    store = open_store(f"sqlite:///{folder / 'mlflow.db'}")
    with start_run(store, "kitchen", "rules") as run:
        address = run.bundle(rules_bundle)
    return store, run.run_id, address


@pytest.fixture(scope="module")
def model(logged: tuple[Store, str, str]) -> mlflow.pyfunc.PyFuncModel:
    store, _, address = logged
    with store.bound():
        return mlflow.pyfunc.load_model(address)


def test_the_loaded_model_equals_the_bundle(
    model: mlflow.pyfunc.PyFuncModel, rules_bundle: Path
) -> None:
    found = model.predict(pd.DataFrame({"text": TEXTS, "context": ["", "a", "b", "c"]}))
    bundle = load_bundle(rules_bundle)
    sentences = [Sentence(str(i), "", text) for i, text in enumerate(TEXTS)]
    probabilities, decisions = bundle.predict(sentences)
    for j, (task, label) in enumerate(bundle.codebook.columns):
        column = f"{task}.{label}"
        assert found[f"{column}.probability"].to_numpy() == pytest.approx(probabilities[:, j])
        if task in bundle.codebook.multilabel_tasks():
            decided = ~decisions.withheld[:, j]
            assert found[f"{column}.abstained"].tolist() == (~decided).tolist()
            given = found[f"{column}.decision"]
            assert given[decided].tolist() == decisions.given[decided, j].tolist()
            assert given[~decided].isna().all()
            assert found[f"{column}.threshold"].tolist() == [bundle.rule.threshold[j]] * 4
    assert found["tone"].fillna("-").tolist() == ["praise", "-", "blame", "-"]
    assert found["tone.abstained"].tolist() == [False, True, False, True]


def test_columns_are_those_of_the_signature(
    model: mlflow.pyfunc.PyFuncModel, codebook: Codebook
) -> None:
    signature = model.metadata.signature
    assert signature.inputs.required_input_names() == ["text"]
    assert signature.inputs.optional_input_names() == ["context"]
    found = model.predict(pd.DataFrame({"text": TEXTS}))
    assert list(found.columns) == signature.outputs.input_names()
    assert "topic.food.threshold" in found.columns
    assert "tone.praise.threshold" not in found.columns


def test_rows_without_text_are_null_and_the_others_unharmed(
    model: mlflow.pyfunc.PyFuncModel,
) -> None:
    texts = [TEXTS[0], None, "", "  ", np.nan, TEXTS[2]]
    table = pd.DataFrame({"text": texts}, index=list("abcdef"), dtype="object")
    found = model.predict(table)
    assert list(found.index) == list("abcdef")
    assert found.loc[["b", "c", "d", "e"]].isna().all(axis=None)
    whole = model.predict(pd.DataFrame({"text": [TEXTS[0], TEXTS[2]]}))
    kept = found.loc[["a", "f"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, whole)


@pytest.mark.parametrize("texts", [[], [None, ""]])
def test_a_table_without_any_text(
    model: mlflow.pyfunc.PyFuncModel, texts: list[str | None]
) -> None:
    found = model.predict(pd.DataFrame({"text": pd.Series(texts, dtype="object")}))
    assert len(found) == len(texts)
    assert found.isna().all(axis=None)


def test_a_context_column_with_gaps(model: mlflow.pyfunc.PyFuncModel) -> None:
    found = model.predict(pd.DataFrame({"text": TEXTS[:2], "context": [None, "We ate."]}))
    assert found["topic.food.decision"].tolist() == [True, False]


def test_a_server_can_answer_with_it(model: mlflow.pyfunc.PyFuncModel) -> None:
    answer: list[str] = []
    found = model.predict(pd.DataFrame({"text": [TEXTS[0], None]}))

    class Sink:
        def write(self, text: str) -> None:
            answer.append(text)

    predictions_to_json(found, Sink())
    first, second = json.loads("".join(answer))["predictions"]
    assert first["tone"] == "praise"
    assert first["topic.food.decision"] is True
    assert set(second.values()) == {None}


def test_nothing_is_pickled_and_requirements_are_pinned(
    logged: tuple[Store, str, str], tmp_path: Path
) -> None:
    store, _, address = logged
    with store.bound():
        folder = Path(mlflow.artifacts.download_artifacts(address, dst_path=str(tmp_path)))
        info = get_model_info(address)
    assert not [p for p in folder.rglob("*") if p.suffix in (".pkl", ".pickle", ".pyc")]
    pinned = (folder / "requirements.txt").read_text().split()
    assert f"mlflow=={mlflow.__version__}" in pinned
    core = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {line.partition(">=")[0] for line in core}
    assert {line.partition("==")[0] for line in pinned} == {"mlflow", "pandas", *names}
    assert not any(line.startswith(("torch", "scikit")) or "+" in line for line in pinned)
    assert info.flavors["python_function"]["loader_module"] == "pipeline.tracking.served_model"
    assert (folder / "code" / "pipeline" / "bundle" / "folder.py").exists()


def test_a_classifier_of_torch_requires_torch(codebook: Codebook) -> None:
    class Net:
        kind = "transformer"

    class Mixed:
        kind = "ensemble"
        members = (Net(),)

    assert any(line.startswith("torch==") for line in requirements(Mixed()))


@pytest.mark.slow
def test_the_model_brings_its_own_code(logged: tuple[Store, str, str], tmp_path: Path) -> None:
    """In a process that cannot import the project, the package inside the model is used."""
    store, _, address = logged
    with store.bound():
        folder = mlflow.artifacts.download_artifacts(address, dst_path=str(tmp_path / "away"))
    root = str(ROOT)
    code = f"""
import sys
sys.path[:] = [p for p in sys.path if p not in ("", {root!r})]
import mlflow.pyfunc, pandas as pd
found = mlflow.pyfunc.load_model({folder!r}).predict(pd.DataFrame({{"text": ["Lovely soup."]}}))
import pipeline
print(found["tone"][0], pipeline.__file__)
"""
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    ).stdout.split(" ", 1)
    assert shown[0] == "praise"
    assert shown[1].startswith(str(tmp_path))


def test_the_bundle_comes_back_byte_for_byte(
    logged: tuple[Store, str, str], rules_bundle: Path, tmp_path: Path
) -> None:
    store, run_id, _ = logged
    found = download_bundle(store, run_id, tmp_path / "into")
    assert load_bundle(found).model_id == load_bundle(rules_bundle).model_id
    names = {p.relative_to(found) for p in found.rglob("*")}
    assert names == {p.relative_to(rules_bundle) for p in rules_bundle.rglob("*")}


def test_a_run_without_a_model_says_so(store: Store, tmp_path: Path) -> None:
    with start_run(store, "kitchen", "empty") as run:
        pass
    with pytest.raises(InputError, match=r"\('empty', FINISHED\) has no model"):
        download_bundle(store, run.run_id, tmp_path)
    with pytest.raises(InputError, match="There is no run 0000"):
        download_bundle(store, "0000", tmp_path)


def test_a_damaged_bundle_is_not_logged(store: Store, bundle_folder: Path) -> None:
    (bundle_folder / "decision.json").write_text("{}")
    with (
        pytest.raises(BundleError, match=r"decision\.json was changed"),
        start_run(store, "kitchen", "rules") as run,
    ):
        run.bundle(bundle_folder)
    assert store.client.get_run(run.run_id).info.status == "FAILED"


def test_the_tracking_address_is_left_as_it_was(
    logged: tuple[Store, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere")
    store = logged[0]
    with store.bound():
        assert mlflow.get_tracking_uri() == store.uri
    assert mlflow.get_tracking_uri() == "http://elsewhere"


@pytest.mark.parametrize("value", [5, 1.5, True, {"a": 1}, ["a"]])
def test_a_cell_that_is_no_text_is_refused(rules_bundle: Path, value: object) -> None:
    table = pd.DataFrame({"text": pd.Series(["Staff.", value], dtype="object")})
    with pytest.raises(MlflowException, match=r"column 'text', row 1: got \w+ .*expected a string"):
        ServedModel(load_bundle(rules_bundle)).predict(table)


def test_without_nulls_nothing_but_numbers_is_null(model: mlflow.pyfunc.PyFuncModel) -> None:
    table = pd.DataFrame({"text": [*TEXTS, None]})
    found = model.predict(table, params={"nulls": False})
    usual = model.predict(table)
    assert list(found.columns) == list(usual.columns)
    for name, column in found.items():
        decided = usual[name].notna()
        assert found[name][decided].tolist() == usual[name][decided].tolist()
        if name.endswith((".probability", ".threshold")):
            assert column.isna().tolist() == usual[name].isna().tolist()
        else:
            assert set(column[~decided]) <= {name.endswith(".abstained"), ""}
    assert found["tone"].tolist() == ["praise", "", "blame", "", ""]
    assert found["tone.abstained"].dtype == bool
    assert found["topic.food.abstained"].tolist()[-1] is True


def test_scores_of_the_model_are_linked_to_their_data(
    migrated: Path,
    tmp_path: Path,
    rules_bundle: Path,
    codebook: Codebook,
    documents: tuple[LabelledDocument, ...],
    labelled: list[LabelledSentence],
    probabilities: Probabilities,
    targets: np.ndarray,
    rule: DecisionRule,
    report_of: Callable[[str], EvaluationReport],
) -> None:
    shutil.copy(migrated, tmp_path / "mlflow.db")
    store = open_store(f"sqlite:///{tmp_path / 'mlflow.db'}")
    with start_run(store, "kitchen", "rules") as run:
        run.dataset("test", documents[:1], codebook)
        run.dataset("test", documents, codebook, use=EVALUATION)  # a file may be called so
        run.evaluation(labelled, probabilities, targets, rule, report_of("test"), codebook)
        run.metrics({"behaviour/invariance": 0.25})
        address = run.bundle(rules_bundle)
    model = store.client.get_logged_model(address.removeprefix("models:/"))
    found = {one.key: one for one in model.metrics}
    assert len(found) == len(model.metrics)
    assert found["test/topic.macro_f1"].value == 0.62
    assert found["test/topic.macro_f1"].dataset_name == "test"
    assert found["test/topic.macro_f1"].dataset_digest == digest_of(documents, codebook)
    assert found["behaviour/invariance"].dataset_name is None
    assert data_digests(store, run.run_id) == {"test": digest_of(documents[:1], codebook)}
