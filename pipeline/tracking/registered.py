"""Versions of the registered model, by the aliases that say what they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import InputError
from pipeline.tracking.store import Store, quiet_imports

REGISTERED_MODEL = "stance"
"""Name of the registered model: models:/stance@champion."""

ALIASES = ("champion", "challenger")


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """A version of the registered model; `run_id` is the run that logged it, if one did."""

    alias: str
    version: str
    run_id: str | None


def find_version(store: Store, alias: str) -> RegisteredVersion:
    """Return the version of the registered model that bears an alias.

    Raises:
        InputError: no version bears it.
    """
    from mlflow.exceptions import MlflowException

    try:
        found = store.client.get_model_version_by_alias(REGISTERED_MODEL, alias)
    except MlflowException:
        raise InputError(
            f"No version of the registered model '{REGISTERED_MODEL}' in {store.shown} bears the "
            f"alias '{alias}'. Give a run or the folder of a model, or register one with "
            "'stance promote'."
        ) from None
    return RegisteredVersion(alias, str(found.version), found.run_id or None)


def download_version(store: Store, version: RegisteredVersion, into: Path) -> Path:
    """Fetch the bundle of a version into the folder `into`, and return the bundle's folder.

    Raises:
        OutputError: the store does not answer or `into` cannot be written.
    """
    with quiet_imports():
        import mlflow.artifacts
        from mlflow.models import get_model_info

    uri = f"models:/{REGISTERED_MODEL}/{version.version}"
    with store.reported(f"fetch {uri}"), store.bound():
        inner = get_model_info(uri).flavors["python_function"]["data"]
        whole = mlflow.artifacts.download_artifacts(uri, dst_path=str(into))
    return Path(whole, str(inner))
