"""The MLflow UI on a store."""

from __future__ import annotations

import os
import socket
import sys
import warnings
from contextlib import suppress

from pipeline.errors import InputError, OutputError, SettingsError, near_matches
from pipeline.tracking.store import Store
from pipeline.tracking.view import VIEW_KEY

_GRACE = 10
"""Seconds that answers under way have when the server ends."""


def serve_ui(store: Store, *, host: str = "127.0.0.1", port: int = 5000) -> None:
    """Serve the MLflow UI in this process until it is interrupted; the network is not needed.

    MLflow's application runs here and not by `mlflow server`, which imports MLflow twice more, in
    a process of its own and in that process's worker: twice the time until the page is there. A
    request that comes while MLflow is imported waits.

    Raises:
        InputError: the store is a server, which has a UI already.
        SettingsError: the port is no port, or the host is not of this machine.
        OutputError: the port is in use.
    """
    if store.is_server:
        raise InputError(f"{store.shown} is an MLflow server; open that address in a browser.")
    with _listening(host, port) as listener, warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("ignore")  # MLflow's server warns of its own imports
        with suppress(KeyboardInterrupt):
            _serve(store, listener)


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
    shown = f"[{host}]" if ":" in host else host
    if not ids:
        return f"http://{shown}:{port}/"
    known = ids[experiment] if experiment is not None else next(iter(ids.values()))
    return f"http://{shown}:{port}/#/experiments/{known}/runs?viewStateShareKey={VIEW_KEY}"


def _serve(store: Store, listener: socket.socket) -> None:
    import uvicorn  # before MLflow's server, whose checks of hosts are off without it
    from mlflow.server import ARTIFACT_ROOT_ENV_VAR, BACKEND_STORE_URI_ENV_VAR

    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    os.environ[BACKEND_STORE_URI_ENV_VAR] = store.uri
    if store.artifacts is not None:
        os.environ[ARTIFACT_ROOT_ENV_VAR] = store.artifacts.as_uri()
    from mlflow.server.fastapi_app import app

    settings = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=_GRACE)
    uvicorn.Server(settings).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    if not 0 < port < 65536:
        raise SettingsError([f"port {port} is not between 1 and 65535"], where="MLflow UI")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise SettingsError(
            [f"host '{host}' is not known ({error.strerror})"], where="MLflow UI"
        ) from None
    try:
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen()
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise OutputError(
            f"The MLflow UI cannot listen on {host}:{port} ({error.strerror}). Choose another port "
            "with --port."
        ) from None
    return listener
