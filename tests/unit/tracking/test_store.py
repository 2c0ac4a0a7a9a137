"""Which store is opened, and what is said when none can be."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.errors import InputError, MissingExtra, OutputError, SettingsError, StanceError
from pipeline.tracking import Store, open_store, start_run
from pipeline.tracking import store as room
from pipeline.tracking.store import first_line, hide_passwords


def test_the_default_store_lies_under_experiments_and_leaves_nothing_elsewhere(
    store: Store, tmp_path: Path
) -> None:
    assert store.uri == f"sqlite:///{tmp_path / 'experiments' / 'mlflow.db'}"
    with start_run(store, "kitchen", "rules") as run:
        run.text("a", "a.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["experiments"]
    kept = tmp_path / "experiments" / "artifacts" / "kitchen" / run.run_id / "artifacts" / "a.txt"
    assert kept.read_text() == "a"


@pytest.mark.parametrize("name", ["50%", "+ #é", "a&b=c;d"])
def test_the_default_store_stays_in_its_folder_whatever_that_is_called(
    migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    experiments = tmp_path / name / "experiments"
    experiments.mkdir(parents=True)
    shutil.copy(migrated, experiments / "mlflow.db")
    monkeypatch.chdir(tmp_path / name)
    store = open_store(None)
    with start_run(store, "kitchen", "rules") as run:
        run.text("a", "a.txt")
    with store.bound():
        import mlflow

        assert mlflow.artifacts.load_text(f"runs:/{run.run_id}/a.txt") == "a"
    (kept,) = tmp_path.rglob("a.txt")
    assert kept.is_relative_to(experiments / "artifacts" / "kitchen")
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert {p.name for p in (tmp_path / name).iterdir()} == {"experiments"}
    with contextlib.closing(sqlite3.connect(experiments / "mlflow.db")) as database:
        assert database.execute("select run_uuid from runs").fetchall() == [(run.run_id,)]


@pytest.mark.parametrize("name", ["what?", "100%25", "a?b=c&d"])
def test_a_folder_without_an_address_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / name)
    with pytest.raises(SettingsError, match="has no address, because of"):
        open_store(None)
    assert [p.name for p in tmp_path.rglob("*")] == [name]


def test_an_address_wins_over_the_environment_and_that_over_the_default(
    migrated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("given.db", "environment.db"):
        shutil.copy(migrated, tmp_path / name)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'environment.db'}")
    assert open_store(None, root=tmp_path).uri.endswith("environment.db")
    given = open_store(f"sqlite:///{tmp_path / 'given.db'}", root=tmp_path)
    assert given.uri.endswith("given.db")
    assert given.artifacts == tmp_path / "artifacts"


@pytest.mark.parametrize(
    ("address", "kind", "said"),
    [
        ("mlruns", SettingsError, "expected sqlite:///FILE"),
        ("file:///tmp/mlruns", SettingsError, "expected sqlite:///FILE"),
        ("sqlite:///", SettingsError, "names no file"),
        ("sqlite:///folder", OutputError, "is a folder"),
        ("sqlite:///junk.db", InputError, "file is not a database"),
        ("sqlite:///junk.db/new.db", OutputError, "cannot be made"),
        ("mysql+none://me:secret@127.0.0.1/x", SettingsError, "cannot be used"),
        ("postgre://me:secret@127.0.0.1/x", SettingsError, r"'postgre://me:\*\*\*@127.0.0.1/x'"),
        ("http://nowhere.invalid", InputError, "does not answer"),
    ],
)
def test_an_address_that_leads_nowhere_is_one_clear_error(
    address: str,
    kind: type[StanceError],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "junk.db").write_text("no database" * 100)
    with pytest.raises(kind, match=said) as caught:
        open_store(address)
    assert "secret" not in str(caught.value)
    assert {p.name for p in tmp_path.iterdir()} - {"junk.db.lock"} == {"folder", "junk.db"}


def test_a_server_that_does_not_answer_is_given_up_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(InputError, match="Connection refused") as caught:
        open_store(f"http://me:secret@127.0.0.1:{port}")
    assert time.monotonic() - began < 10
    assert "secret" not in str(caught.value)
    assert "MLFLOW_HTTP_REQUEST_MAX_RETRIES" not in os.environ


def test_the_environment_is_named_when_it_holds_the_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "mlruns")
    with pytest.raises(SettingsError, match="environment variable MLFLOW_TRACKING_URI"):
        open_store(None)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mysql+x://me:se@cr/et@h/x?a=b", "mysql+x://me:***@h/x?a=b"),
        ("uri: 'mssql://me:secret@h/x' # to a@b.c", "uri: 'mssql://me:***@h/x' # to a@b.c"),
        (
            "postgresql://h/x?user=me&password=secret&a=b",
            "postgresql://h/x?user=me&password=***&a=b",
        ),
        ("https://ann@example.org:secret@h/x", "https://ann@example.org:***@h/x"),
        ("postgresql:/me:secret@h/x", "postgresql:/me:***@h/x"),
        ("postgresql:me:secret@h/x", "postgresql:me:***@h/x"),
        ("postgresql://h/x?sslpassword=secret", "postgresql://h/x?sslpassword=***"),
        ("http://me@h:5000/a", "http://me@h:5000/a"),
        ("sqlite:////a:b@c/x.db", "sqlite:////a:b@c/x.db"),
    ],
)
def test_passwords_in_addresses_are_hidden(text: str, shown: str) -> None:
    assert hide_passwords(text) == shown


@pytest.mark.parametrize("name", ["../x", "/x", "..", "a/../../x", "é" * 200, "x" * 200, "a?#%2e"])
def test_artifacts_stay_in_their_folder(store: Store, tmp_path: Path, name: str) -> None:
    with start_run(store, name, "rules") as run:
        run.text("a", "a.txt")
    (kept,) = tmp_path.rglob("a.txt")
    assert kept.read_text() == "a"
    inside = kept.relative_to(tmp_path / "experiments" / "artifacts")
    assert inside.parts[1:] == (run.run_id, "artifacts", "a.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["experiments"]


def test_experiments_share_no_folder(store: Store) -> None:
    ids = [store.experiment(name) for name in ("a/b", "a-b", "a?b", "A b.c")]
    places = [store.client.get_experiment(known).artifact_location for known in ids]
    assert len(set(places)) == 4
    assert places[1].endswith("/artifacts/a-b")


def test_a_deleted_experiment_is_not_written_to(store: Store) -> None:
    store.client.delete_experiment(store.experiment("kitchen"))
    with pytest.raises(InputError, match="mlflow experiments restore -x"):
        start_run(store, "kitchen", "rules")


def test_an_experiment_is_made_once(store: Store) -> None:
    first = store.experiment("kitchen", about="Reviews.")
    assert store.experiment("kitchen", about="Other.") == first
    assert store.client.get_experiment(first).tags["mlflow.note.content"] == "Reviews."


@pytest.mark.parametrize(
    ("given", "wanted"),
    [(None, "true True"), ("false", "false False"), ("true", "true True")],
)
def test_telemetry_is_off_unless_asked_for(given: str | None, wanted: str) -> None:
    code = (
        "import os\n"
        "from pipeline.errors import StanceError\n"
        "from pipeline.tracking import open_store\n"
        "try:\n"
        "    open_store('sqlite:///')\n"
        "except StanceError:\n"
        "    pass\n"
        "from mlflow.environment_variables import MLFLOW_DISABLE_TELEMETRY as off\n"
        "print(os.environ['MLFLOW_DISABLE_TELEMETRY'], off.get())"
    )
    hidden = ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    if given is not None:
        environment["MLFLOW_DISABLE_TELEMETRY"] = given
    # The last line of the output only: MLflow may warn of a slow disk before it.
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert shown.stdout.strip() == wanted


@pytest.mark.parametrize(("given", "wanted"), [(None, True), ("false", False)])
def test_mlflow_prints_no_addresses_unless_asked_for(
    store: Store, monkeypatch: pytest.MonkeyPatch, given: str | None, wanted: bool
) -> None:
    from mlflow.environment_variables import MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT as OFF

    monkeypatch.delenv(OFF.name, raising=False)
    if given is not None:
        monkeypatch.setenv(OFF.name, given)
    open_store(store.uri)
    assert OFF.get() is wanted


@pytest.mark.parametrize("name", ["datasets", "matplotlib"])
def test_what_is_needed_after_the_work_is_asked_for_before_it(
    store: Store, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda wanted: None if wanted == name else found(wanted)
    )
    with pytest.raises(MissingExtra, match=rf"'{name}'.*'\.\[train\]'"):
        open_store(store.uri)


@pytest.mark.slow
def test_a_new_database_is_made_quietly(tmp_path: Path) -> None:
    code = "from pipeline.tracking import open_store; open_store(None)"
    root = str(Path(__file__).parents[3])
    environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    shown = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": root},
    )
    assert (shown.stdout, shown.stderr) == ("", "")
    assert {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")} == {
        "experiments",
        "experiments/mlflow.db",
        "experiments/mlflow.db.lock",
    }


@pytest.mark.slow
def test_commands_that_start_together_make_one_database(tmp_path: Path) -> None:
    code = "from pipeline.tracking import open_store; print(open_store(None).experiment('kitchen'))"
    environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[3])
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    ended = [(*one.communicate(timeout=500), one.returncode) for one in started]
    assert [code for *_, code in ended] == [0, 0, 0], ended
    assert len({said.strip() for said, *_ in ended}) == 1


def test_tables_of_an_unknown_version_are_one_clear_error(migrated: Path, tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    shutil.copy(migrated, file)
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("update alembic_version set version_num = 'fedcba987654'")
        database.execute("drop table spans")  # so that MLflow makes what is missing
    with pytest.raises(InputError, match=r"of another version of MLflow.*delete the database"):
        open_store(f"sqlite:///{file}")


def test_a_database_that_another_command_holds_is_waited_for_and_then_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_MADE_WITHIN", 0.1)
    with (
        FileLock(tmp_path / "held.db.lock"),
        pytest.raises(OutputError, match="another command has been opening it"),
    ):
        open_store(f"sqlite:///{tmp_path / 'held.db'}")


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (ValueError("a\nb"), "a."),
        (ValueError(" Really? "), "Really?"),
        (KeyboardInterrupt(), "KeyboardInterrupt."),
    ],
)
def test_the_first_line_of_an_error_is_a_sentence(error: BaseException, wanted: str) -> None:
    assert first_line(error) == wanted
