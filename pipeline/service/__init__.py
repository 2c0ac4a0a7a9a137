"""An HTTP interface to a bundle: statements or sentences in, labels out.

Only `ServiceLimits` is imported with this package; the rest needs the extra `serve`.
"""

from __future__ import annotations

from collections.abc import Callable

from pipeline.bundle import Bundle
from pipeline.errors import MissingExtra
from pipeline.service.limits import ServiceLimits

__all__ = ["ServiceLimits", "serve"]

_PACKAGES = ("fastapi", "starlette", "uvicorn", "h11", "prometheus_client")


def serve(
    bundle: Bundle,
    limits: ServiceLimits,
    *,
    host: str,
    port: int,
    log: Callable[[str], None],
    on_started: Callable[[str], None],
) -> None:
    """Serve a bundle until a signal comes; see `pipeline.service.server.run`.

    Raises:
        MissingExtra: a package of the extra `serve` is not installed.
        SettingsError, OutputError: the address cannot be used.
    """
    try:
        from pipeline.service.server import run
    except ModuleNotFoundError as error:
        if error.name not in _PACKAGES:
            raise
        raise MissingExtra(error.name, "serve", "The service") from None
    run(bundle, limits, host=host, port=port, log=log, on_started=on_started)
