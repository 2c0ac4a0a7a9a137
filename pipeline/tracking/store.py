"""Where runs are kept: a database or a server that MLflow can reach."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from pipeline.errors import InputError, MissingExtra, OutputError, SettingsError
from pipeline.tracking.naming import NOTE

if TYPE_CHECKING:
    from mlflow import MlflowClient

ENVIRONMENT_VARIABLE = "MLFLOW_TRACKING_URI"

_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_SERVERS = ("http", "https")
_ACCEPTED = "sqlite:///FILE, postgresql://…, mysql://…, mssql://…, http://… or https://…"
_MADE_WITHIN = 120
"""Seconds to wait while another command makes the tables of a new database: a few, or a minute on
a busy machine."""

_IN_ACCOUNT = re.compile(r"(:/{0,2}[^\s:/]*):\S*@")  # up to the last @, since passwords have any
_IN_QUERY = re.compile(r"([?&]\w*(?:password|passwd|pwd|odbc_connect)=)[^\s&]*", re.IGNORECASE)

_NEEDED_LATER = ("datasets", "matplotlib")
"""Packages that a run needs only when its data and plots are logged, after the work."""

_PLAIN = re.compile(r"\w(?:[\w .-]{0,98}[\w-])?", re.ASCII)
_NOT_PLAIN = re.compile(r"[^\w .-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Store:
    """An opened tracking store.

    `artifacts` is the folder under which new experiments keep files; `None` where the server
    decides. `shown` is the address without a password, for messages.
    """

    uri: str
    shown: str
    artifacts: Path | None
    client: MlflowClient

    @property
    def is_server(self) -> bool:
        """Whether the store is an MLflow server, which has a UI of its own."""
        return urlsplit(self.uri).scheme in _SERVERS

    def experiment(self, name: str, *, about: str = "") -> str:
        """Return the id of an experiment, made with the description `about` if it is new.

        Raises:
            InputError: an experiment of this name was deleted and not yet removed for good.
            OutputError: the store does not answer or cannot be written.
        """
        with self.reported(f"open the experiment '{name}'"):
            known = self.client.get_experiment_by_name(name)
            if known is None:
                place = (
                    None
                    if self.artifacts is None
                    else (self.artifacts / _folder_name(name)).as_uri()
                )
                tags = {NOTE: about} if about else None
                return str(self.client.create_experiment(name, place, tags=tags))
        if known.lifecycle_stage != "active":
            raise InputError(
                f"The experiment '{name}' was deleted in {self.shown}. Restore it "
                f"('mlflow experiments restore -x {known.experiment_id}') or use another name."
            )
        return str(known.experiment_id)

    @contextmanager
    def reported(self, doing: str) -> Iterator[None]:
        """Turn every failure of MLflow inside the block into one that a user can read.

        Raises:
            OutputError: the store does not answer or cannot be written.
        """
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (MlflowException, SQLAlchemyError, OSError) as error:
            raise OutputError(
                f"Cannot {doing} in the tracking store {self.shown}: {first_line(error)} "
                "Check that it can be written and that its disk is not full."
            ) from None

    @contextmanager
    def bound(self) -> Iterator[None]:
        """Make this the store of MLflow's module-level functions, inside the block only.

        MLflow keeps the address in a global and in the environment; both are put back.
        """
        import mlflow

        with _environment({ENVIRONMENT_VARIABLE: self.uri, "MLFLOW_UV_AUTO_DETECT": "false"}):
            mlflow.set_tracking_uri(self.uri)
            try:
                yield
            finally:
                mlflow.set_tracking_uri(None)


def open_store(uri: str | None, *, root: Path | None = None) -> Store:
    """Open the tracking store, creating a local database that is not there yet (a few seconds).

    The address is `uri`, else the environment variable MLFLOW_TRACKING_URI, else the SQLite file
    experiments/mlflow.db under `root`, by default the working folder. Files of a SQLite store are
    kept in the folder `artifacts` beside it, those of other databases in experiments/artifacts
    under `root`.

    Raises:
        SettingsError: the address is of no kind that MLflow can keep runs in.
        InputError: nothing answers there, or it is no MLflow store of this version.
        OutputError: the folder of the database cannot be written.
        MissingExtra: MLflow is not installed.
    """
    folder = (root or Path()).resolve() / "experiments"
    given = uri or os.environ.get(ENVIRONMENT_VARIABLE) or None
    where = "tracking store" if uri or not given else f"environment variable {ENVIRONMENT_VARIABLE}"
    scheme = given.partition(":")[0].partition("+")[0].lower() if given else "sqlite"
    if scheme not in (*_DATABASES, *_SERVERS) or (given and "://" not in given):
        raise SettingsError(
            [f"'{hide_passwords(str(given))}' is not the address of a store; expected {_ACCEPTED}"],
            where=where,
        )
    _import_mlflow()
    if given and scheme in _SERVERS:
        return _open_server(given)
    return _open_database(given or _address_of(folder / "mlflow.db"), where, folder / "artifacts")


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, as one sentence; its class where it has none."""
    lines = str(error).strip().splitlines()
    text = lines[0].strip() if lines else type(error).__name__
    return text if text.endswith((".", "!", "?")) else text + "."


def hide_passwords(text: str) -> str:
    """Return a text with the passwords of all addresses in it replaced by ***."""
    return _IN_QUERY.sub(r"\1***", _IN_ACCOUNT.sub(r"\1:***@", text))


@contextmanager
def quiet_imports() -> Iterator[None]:
    """Keep back the warning that parts of MLflow raise about their own code when imported."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*Any type hint is inferred as AnyType")
        yield


def _folder_name(experiment: str) -> str:
    """Return the name itself where it is a plain file name, else what is plain of it and a hash."""
    if _PLAIN.fullmatch(experiment):
        return experiment
    digest = hashlib.sha256(experiment.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{_NOT_PLAIN.sub('-', experiment)[:80].strip('-. ')}-{digest[:12]}".lstrip("-")


def _import_mlflow() -> None:
    """Import MLflow without telemetry and without its notes on database migrations."""
    # MLflow reads this when it is imported. It also honours DO_NOT_TRACK, but only if it is "true".
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    # Of runs on a server MLflow prints "View run ..." to standard output, which is for results.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    try:
        importlib.import_module("mlflow")
        for name in _NEEDED_LATER:
            if importlib.util.find_spec(name) is None:
                raise ModuleNotFoundError(name=name)
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name or "mlflow", "train", "Tracking experiments") from None
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _open_server(uri: str) -> Store:
    import mlflow
    from mlflow.exceptions import MlflowException

    shown = hide_passwords(uri)
    # By default MLflow tries for minutes; one failed attempt is enough to say that nobody answers.
    brief = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}
    try:
        client = mlflow.MlflowClient(tracking_uri=uri)
        with _environment(brief):
            client.search_experiments(max_results=1)
    except MlflowException as error:
        raise InputError(
            f"The tracking server {shown} does not answer: {_cause(error)} Start it, correct the "
            f"address, or leave out the address (and {ENVIRONMENT_VARIABLE}) for the local store."
        ) from None
    return Store(uri=uri, shown=shown, artifacts=None, client=client)


def _open_database(uri: str, where: str, artifacts: Path) -> Store:
    import mlflow
    from alembic.util import CommandError
    from mlflow.exceptions import MlflowException
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError

    try:
        url = make_url(uri)
        shown = hide_passwords(url.render_as_string(hide_password=True))
        alone: AbstractContextManager[None] = nullcontext()
        if url.get_backend_name() == "sqlite":
            if not url.database or url.database == ":memory:":
                raise SettingsError([f"'{uri}' names no file; expected {_ACCEPTED}"], where=where)
            file = Path(url.database).resolve()
            artifacts = file.parent / "artifacts"
            _require_writable(file)
            alone = _opened_by_one(file)
        # MLflow retries a failed connection for minutes, whatever the reason; so connect first.
        engine = create_engine(url)
        with alone:
            try:
                inspect(engine).get_table_names()
            finally:
                engine.dispose()
            client = mlflow.MlflowClient(tracking_uri=uri)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        shown = hide_passwords(uri)
        raise SettingsError(
            [f"'{shown}' cannot be used: {first_line(error)} Expected {_ACCEPTED}"], where=where
        ) from None
    except (DatabaseError, MlflowException) as error:
        raise InputError(
            f"The tracking store {shown} cannot be opened: {first_line(error)} Give the address of "
            "an MLflow database; one of an older version is brought up to date by "
            "'mlflow db upgrade ADDRESS'."
        ) from None
    except CommandError as error:
        raise InputError(
            f"The tables of the tracking store {shown} are of another version of MLflow, or their "
            f"making was broken off: {first_line(error)} Use the version that made them, or, where "
            "nothing of it is to be kept, delete the database: the next command makes a new one."
        ) from None
    return Store(uri=uri, shown=shown, artifacts=artifacts, client=client)


def _address_of(file: Path) -> str:
    """Return the address of the default store.

    MLflow reads ? and %XX in some places of an address as they are and in others not, whether they
    are quoted or not, so there is none for a folder with these in its name.

    Raises:
        SettingsError: the address would lead elsewhere.
    """
    from sqlalchemy.engine import make_url

    address = f"sqlite:///{file}"
    if make_url(address).database != str(file):
        raise SettingsError(
            [
                f"{file} has no address, because of ? or % in the name of a folder; rename that, "
                f"or give another store ({_ACCEPTED})"
            ],
            where="tracking store",
        )
    return address


@contextmanager
def _opened_by_one(file: Path) -> Iterator[None]:
    """Let no other command open a SQLite file meanwhile; its lock stays beside it.

    MLflow makes the tables when a file is first opened, and changes them step by step. Two that do
    so at once stop each other half-way, and no later one goes on from there.
    """
    lock = FileLock(f"{file}.lock", timeout=_MADE_WITHIN)
    try:
        lock.acquire()
    except Timeout:
        raise OutputError(
            f"{file}: another command has been opening it for {_MADE_WITHIN} s. Wait until it has "
            "ended, or give another store."
        ) from None
    except OSError as error:
        raise OutputError(f"{file}.lock: cannot be written ({error.strerror}).") from None
    try:
        yield
    finally:
        lock.release()


def _require_writable(file: Path) -> None:
    if file.is_dir():
        raise OutputError(f"{file}: is a folder; give the name of a database file.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{file.parent}: cannot be made ({error.strerror}).") from None
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise OutputError(f"{file}: cannot be written (no permission).")


def _cause(error: BaseException) -> str:
    """Return what lies at the bottom of a failed request, which is wrapped several times over."""
    system = re.search(r"\[Errno -?\d+\] ([\w ]+)", str(error))
    return f"{system[1]}." if system else first_line(error)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
