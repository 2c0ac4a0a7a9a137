"""Versions of the registered model, by the aliases that say what they are.

`champion` is the version that is shipped, `challenger` the last one that was refused. Each champion
remembers in a tag which version it followed, so that one can go back step by step.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import InputError
from pipeline.tracking.naming import cut
from pipeline.tracking.store import Store, quiet_imports

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

CHAMPION, CHALLENGER = "champion", "challenger"
ALIASES = (CHAMPION, CHALLENGER)

MODEL_ID = "stance.model_id"
"""Tag of a version: name and content hash of its bundle."""

_FOLLOWED = "stance.champion_before"
_REFERENCE = re.compile(r"models:/([^/@]+)(?:@([\w-]+)|/([0-9]+))")


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """A version of a registered model.

    `run_id` is the run that trained it and `model_id` names its bundle, where the version says so.
    `followed` is the version that was the champion before it.
    """

    name: str
    version: str
    run_id: str | None
    model_id: str | None
    followed: str | None

    @property
    def address(self) -> str:
        """The address that MLflow knows it by."""
        return f"models:/{self.name}/{self.version}"


def is_reference(text: str) -> bool:
    """Whether a text is meant as the address of a registered model."""
    return text.startswith("models:")


def resolve_reference(store: Store, reference: str) -> RegisteredVersion:
    """Return the version that "models:/NAME@ALIAS" or "models:/NAME/VERSION" means.

    Raises:
        InputError: it is of neither form, or there is no such version.
        OutputError: the store does not answer.
    """
    form = _REFERENCE.fullmatch(reference)
    if form is None:
        raise InputError(
            f"'{reference}' is no registered model; expected models:/NAME@ALIAS or "
            "models:/NAME/VERSION, for example models:/stance@champion."
        )
    name, alias, version = form.groups()
    return find_version(store, name, alias) if alias else _numbered(store, name, version)


def find_version(store: Store, name: str, alias: str) -> RegisteredVersion:
    """Return the version of a registered model that bears an alias.

    Raises:
        InputError: no version bears it.
        OutputError: the store does not answer.
    """
    found = version_with(store, name, alias)
    if found is None:
        raise InputError(
            f"No version of the registered model '{name}' in {store.shown} bears the alias "
            f"'{alias}'. Give a run or the folder of a model, or register one with "
            "'stance promote'."
        )
    return found


def version_with(store: Store, name: str, alias: str) -> RegisteredVersion | None:
    """Return the version of a registered model that bears an alias, if one does.

    Raises:
        OutputError: the store does not answer.
    """
    from mlflow.exceptions import MlflowException

    with store.reported(f"look for {name}@{alias}"):
        try:
            return _facts(store.client.get_model_version_by_alias(name, alias))
        except MlflowException as error:
            # An alias that nobody bears is an invalid parameter to MLflow.
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise


def download_version(store: Store, version: RegisteredVersion, into: Path) -> Path:
    """Fetch the bundle of a version into the folder `into`, and return the bundle's folder.

    Raises:
        OutputError: the store does not answer or `into` cannot be written.
    """
    with quiet_imports():
        import mlflow.artifacts
        from mlflow.models import get_model_info

    with store.reported(f"fetch {version.address}"), store.bound():
        inner = get_model_info(version.address).flavors["python_function"]["data"]
        whole = mlflow.artifacts.download_artifacts(version.address, dst_path=str(into))
    return Path(whole, str(inner))


def register(
    store: Store,
    name: str,
    address: str,
    *,
    run_id: str,
    model_id: str,
    tags: Mapping[str, str],
    description: str,
) -> RegisteredVersion:
    """Make a logged model a version of the registered model, which is made if it is new.

    Args:
        address: of the logged model, "models:/…".
        run_id: the run that trained it.
        model_id: of its bundle.

    Raises:
        OutputError: the store cannot be written.
    """
    every = {**tags, MODEL_ID: model_id}
    with store.reported(f"register a version of '{name}'"), store.bound():
        if not store.client.search_registered_models(f"name = '{name}'"):
            store.client.create_registered_model(name)
        made = store.client.create_model_version(
            name,
            address,
            run_id=run_id,
            tags={key: cut(value) for key, value in every.items()},
            description=description,
            model_id=address.removeprefix("models:/"),
        )
    return _facts(made)


def version_to_reuse(
    store: Store, name: str, model_id: str, champion: RegisteredVersion | None
) -> RegisteredVersion | None:
    """Return the latest version that holds this very model and can become the champion anew.

    A champion that one can go back to is none: what it followed must stay as it is.

    Raises:
        OutputError: the store does not answer.
    """
    versions: dict[str, RegisteredVersion] = {}
    token = None
    with store.reported(f"look through the versions of '{name}'"):
        while True:
            page = store.client.search_model_versions(f"name = '{name}'", page_token=token)
            versions |= {one.version: one for one in map(_facts, page)}
            token = page.token
            if not token:
                break
    before = set()
    while champion is not None:
        before.add(champion.version)
        champion = versions.get(champion.followed or "")
    same = [v for v in versions.values() if v.model_id == model_id and v.version not in before]
    return max(same, key=lambda version: int(version.version), default=None)


def describe_version(
    store: Store, version: RegisteredVersion, *, tags: Mapping[str, str], description: str
) -> None:
    """Replace what a version says of itself, but for its model.

    Raises:
        OutputError: the store cannot be written.
    """
    with store.reported(f"describe {version.address}"):
        for key, value in tags.items():
            store.client.set_model_version_tag(version.name, version.version, key, cut(value))
        store.client.update_model_version(version.name, version.version, description)


def make_champion(store: Store, version: RegisteredVersion) -> None:
    """Give a version the alias `champion`; the version that had it can be gone back to.

    The alias moves last, so that after a failure it is where it was.

    Raises:
        OutputError: the store cannot be written.
    """
    client, name = store.client, version.name
    before = version_with(store, name, CHAMPION)
    with store.reported(f"make {version.address} the champion"):
        if before is not None and before.version != version.version:
            client.set_model_version_tag(name, version.version, _FOLLOWED, before.version)
        client.set_registered_model_alias(name, CHAMPION, version.version)


def no_challenger(store: Store, version: RegisteredVersion) -> None:
    """Take the alias `challenger` from a version, if it bears it.

    Raises:
        OutputError: the store cannot be written.
    """
    refused = version_with(store, version.name, CHALLENGER)
    if refused is not None and refused.version == version.version:
        with store.reported(f"take the alias '{CHALLENGER}' from {version.address}"):
            store.client.delete_registered_model_alias(version.name, CHALLENGER)


def make_challenger(store: Store, version: RegisteredVersion) -> None:
    """Give a version the alias `challenger`.

    Raises:
        OutputError: the store cannot be written.
    """
    with store.reported(f"make {version.address} the challenger"):
        store.client.set_registered_model_alias(version.name, CHALLENGER, version.version)


def champion_before(store: Store, name: str) -> tuple[RegisteredVersion, RegisteredVersion]:
    """Return the champion, and the version that was the champion before it.

    Raises:
        InputError: there is no champion, or none before it.
        OutputError: the store does not answer.
    """
    champion = find_version(store, name, CHAMPION)
    if champion.followed is None:
        raise InputError(
            f"Version {champion.version} of '{name}' is the first champion; there is none to go "
            "back to."
        )
    return champion, _numbered(store, name, champion.followed)


def go_back(store: Store, before: RegisteredVersion) -> None:
    """Give the alias `champion` back to a version that had it before.

    Raises:
        OutputError: the store cannot be written.
    """
    with store.reported(f"make {before.address} the champion"):
        store.client.set_registered_model_alias(before.name, CHAMPION, before.version)


def _numbered(store: Store, name: str, version: str) -> RegisteredVersion:
    from mlflow.exceptions import MlflowException

    with store.reported(f"look for version {version} of '{name}'"):
        try:
            return _facts(store.client.get_model_version(name, version))
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
    raise InputError(f"There is no version {version} of '{name}' in {store.shown}.")


def _facts(found: ModelVersion) -> RegisteredVersion:
    return RegisteredVersion(
        name=str(found.name),
        version=str(found.version),
        run_id=found.run_id or None,
        model_id=found.tags.get(MODEL_ID),
        followed=found.tags.get(_FOLLOWED),
    )
