"""The MLflow UI on a store."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import InputError, OutputError, SettingsError, near_matches
from pipeline.tracking.store import Store
from pipeline.tracking.view import VIEW_KEY

_GRACE = 10.0
"""Seconds a server has to end by itself."""


def serve_ui(store: Store, *, host: str = "127.0.0.1", port: int = 5000) -> None:
    """Serve the MLflow UI until it is interrupted; the network is not needed.

    Raises:
        InputError: the store is a server, which has a UI already.
        SettingsError: the port is no port, or the host is not of this machine.
        OutputError: the port is in use, or the server ended by itself.
    """
    with running_ui(store, host=host, port=port) as server:
        try:
            code = server.wait()
        except KeyboardInterrupt:
            return
    raise OutputError(
        f"The MLflow server ended by itself (exit code {code}); its messages are above."
    )


def ui_address(store: Store, experiment: str | None, *, host: str, port: int) -> str:
    """Return the address of the page that compares the trained models of an experiment.

    Without a name, of the experiment that was used last; of the whole store if there is none.

    Raises:
        InputError: there is no experiment of this name.
    """
    with store.reported("list the experiments"):
        found = store.client.search_experiments(order_by=["last_update_time DESC"])
    ids = {one.name: one.experiment_id for one in found if one.name != "Default"}
    if experiment is not None and experiment not in ids:
        raise InputError(f"no experiment '{experiment}'.{near_matches(experiment, ids)}")
    if not ids:
        return f"http://{host}:{port}/"
    known = ids[experiment] if experiment is not None else next(iter(ids.values()))
    return f"http://{host}:{port}/#/experiments/{known}/runs?viewStateShareKey={VIEW_KEY}"


@contextmanager
def running_ui(store: Store, *, host: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server inside the block; it and its workers are ended with the block.

    Raises:
        InputError, SettingsError, OutputError: as `serve_ui`.
    """
    if store.is_server:
        raise InputError(f"{store.shown} is an MLflow server; open that address in a browser.")
    _require_free(host, port)
    command = [sys.executable, "-m", "mlflow", "server", "--host", host, "--port", str(port)]
    command += ["--workers", "1", "--uvicorn-opts", "--log-level warning"]
    settings = {
        # In the environment, since other users of the machine can read a command line.
        "MLFLOW_BACKEND_STORE_URI": store.uri,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        # MLflow's server warns of its own imports.
        "PYTHONWARNINGS": os.environ.get("PYTHONWARNINGS", "ignore"),
    }
    if store.artifacts is not None:
        command += ["--default-artifact-root", store.artifacts.as_uri()]
    # In a session of its own: Ctrl-C must reach this process alone, which then ends the server.
    server = subprocess.Popen(  # noqa: S603 -- the program and its options are fixed above
        command, env={**os.environ, **settings}, start_new_session=True
    )
    try:
        yield server
    finally:
        _end(server)


def _require_free(host: str, port: int) -> None:
    if not 0 < port < 65536:
        raise SettingsError([f"port {port} is not between 1 and 65535"], where="MLflow UI")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise SettingsError(
            [f"host '{host}' is not known ({error.strerror})"], where="MLflow UI"
        ) from None
    except OSError as error:
        raise OutputError(
            f"The MLflow UI cannot listen on {host}:{port} ({error.strerror}). Choose another port "
            "with --port."
        ) from None


def _end(server: subprocess.Popen[bytes]) -> None:
    """End the server with its workers: ask first, then force."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if server.poll() is not None:
            return
        os.killpg(server.pid, how)
        try:
            server.wait(timeout=_GRACE)
        except subprocess.TimeoutExpired:
            continue
