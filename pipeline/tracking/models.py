"""Log a bundle as an MLflow model that loads in a bare environment, without the project."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path

import pipeline
from pipeline.bundle import load_bundle
from pipeline.classifiers.protocol import Classifier
from pipeline.tracking.store import Store, quiet_imports

MODEL_NAME = "model"
_DISTRIBUTION = "stance-pipeline"
_LOADER = "pipeline.tracking.served_model"

_NEEDS_TORCH = {"transformer", "embedding"}
_TORCH = ("torch", "transformers", "safetensors")


_STEP = 1
"""MLflow copies a run's figures of this step to the model, but without their data sets. There are
none of it: `RunLogger.bundle` logs the figures of the model with them."""


def log_model(store: Store, run_id: str, folder: Path) -> str:
    """Log the bundle in `folder` as the model of a run and return its address ("models:/…").

    The package itself travels with the model, since it need not be in a registry; the packages it
    needs are pinned to the versions at work here.

    Raises:
        BundleError: the folder is no sound bundle.
        OutputError: the store cannot be written.
    """
    with quiet_imports():
        import mlflow.pyfunc
        from mlflow.models import Model

        from pipeline.tracking.served_model import signature_of

    bundle = load_bundle(folder)
    with store.reported("log the model"), store.bound(), warnings.catch_warnings():
        # An example would be run through the model here, only to confirm the signature given.
        warnings.filterwarnings("ignore", message=".*An input example was not provided")
        # Without this, MLflow files the model under the default experiment.
        experiment_id = store.client.get_run(run_id).info.experiment_id
        entry = store.client.create_logged_model(experiment_id, MODEL_NAME, source_run_id=run_id)
        logged = Model.log(
            artifact_path=None,
            flavor=mlflow.pyfunc,
            model_id=entry.model_id,
            name=MODEL_NAME,
            run_id=run_id,
            step=_STEP,
            loader_module=_LOADER,
            data_path=str(folder),
            code_paths=[str(Path(pipeline.__file__).resolve().parent)],
            signature=signature_of(bundle.codebook),
            pip_requirements=list(requirements(bundle.classifier)),
            metadata={"model_id": bundle.model_id, "kind": bundle.manifest.kind},
        )
    return str(logged.model_uri)


def requirements(classifier: Classifier) -> Iterator[str]:
    """Yield the packages that a bundle of this classifier needs, pinned to the versions here."""
    names = ["mlflow", "pandas", *_core_packages()]
    if _NEEDS_TORCH & set(_kinds(classifier)):
        names += _TORCH
    for name in names:
        # A local version such as +cpu is in no registry.
        yield f"{name}=={importlib.metadata.version(name).partition('+')[0]}"


def _core_packages() -> list[str]:
    """Return the names of the packages that the core install requires.

    A checkout is asked first: what was noted when it was installed may be older than its code.
    """
    project = Path(pipeline.__file__).resolve().parents[1] / "pyproject.toml"
    if project.is_file() and "site-packages" not in project.parts:
        required = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    else:
        every = importlib.metadata.requires(_DISTRIBUTION) or []
        required = [line for line in every if "extra ==" not in line]
    return [re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in required]


def _kinds(classifier: Classifier) -> Iterator[str]:
    yield classifier.kind
    for member in getattr(classifier, "members", ()):
        yield from _kinds(member)
