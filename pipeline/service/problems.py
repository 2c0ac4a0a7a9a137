"""Every way in which a request can fail, in one shape (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pipeline.service.mistakes import mistake_of
from pipeline.service.schemas import Mistake, Problem

MEDIA_TYPE = "application/problem+json"
SHOWN_MISTAKES = 20


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of failure, as the page of the API explains it."""

    code: str
    status: int
    title: str
    meaning: str


NOT_JSON = Kind("not-json", 400, "Not JSON", "The body cannot be read as JSON.")
NOT_FOUND = Kind("not-found", 404, "Not found", "There is nothing at this path.")
WRONG_METHOD = Kind(
    "wrong-method", 405, "Wrong method", "The path exists, but not for this method (see Allow)."
)
SLOW_BODY = Kind("slow-body", 408, "Body too slow", "The body did not arrive in time.")
TOO_LARGE = Kind(
    "too-large",
    413,
    "Too large",
    "The body, its texts or their sentences exceed a limit. Send them in parts.",
)
WRONG_TYPE = Kind(
    "wrong-type",
    415,
    "Wrong content type",
    "The body must be application/json, sent as it is (no Content-Encoding).",
)
INVALID = Kind(
    "invalid", 422, "Invalid request", "The JSON is not what was expected; every mistake is listed."
)
SATURATED = Kind(
    "saturated",
    429,
    "Saturated",
    "As much is waiting as can be answered in time. Try again after the seconds of Retry-After.",
)
FAILED = Kind(
    "failed", 500, "Failed", "A mistake in this software; the log of the service has the trace."
)
UNAVAILABLE = Kind(
    "unavailable", 503, "Unavailable", "The service is starting, ending, or its worker has stopped."
)
OUT_OF_TIME = Kind(
    "out-of-time", 504, "Out of time", "No answer within the time limit. Send less at once."
)
KINDS = (
    *(NOT_JSON, NOT_FOUND, WRONG_METHOD, SLOW_BODY, TOO_LARGE, WRONG_TYPE, INVALID),
    *(SATURATED, FAILED, UNAVAILABLE, OUT_OF_TIME),
)


class Refusal(Exception):
    """A request cannot be answered; carries what the client is told."""

    def __init__(
        self,
        kind: Kind,
        detail: str = "",
        mistakes: Sequence[Mistake] = (),
        *,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail or kind.meaning)
        self.kind = kind
        self.detail = detail or kind.meaning
        self.mistakes = tuple(mistakes)
        self.retry_after = retry_after

    @classmethod
    def too_large(cls, where: str, got: str, limit: str) -> Refusal:
        """Refuse what exceeds a limit."""
        expected = f"at most {limit}"
        detail = f"{where}: got {got}, expected {expected}. {TOO_LARGE.meaning}"
        return cls(TOO_LARGE, detail, [Mistake(where=where, got=got, expected=expected)])


def problem_response(refusal: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    """Return the refusal as an answer."""
    kind = refusal.kind
    problem = Problem(
        type=f"/docs#{kind.code}",
        title=kind.title,
        status=kind.status,
        detail=refusal.detail,
        errors=list(refusal.mistakes),
    )
    sent = dict(headers or {})
    if refusal.retry_after is not None:
        sent["Retry-After"] = str(refusal.retry_after)
    return Response(problem.model_dump_json(), kind.status, sent, MEDIA_TYPE)


async def on_refusal(_: Request, error: Exception) -> Response:
    """Answer a refusal that was raised while a request was handled."""
    if not isinstance(error, Refusal):
        raise error
    return problem_response(error)


async def on_invalid(_: Request, error: Exception) -> Response:
    """Answer a body that is not JSON, or JSON of the wrong form."""
    if not isinstance(error, RequestValidationError):
        raise error
    found = error.errors()
    if found and found[0]["type"] == "json_invalid":
        at, reason = found[0]["loc"][-1], found[0]["ctx"]["error"]
        return problem_response(_not_json(f"{reason} at character {at}"))
    mistakes = [mistake_of(item) for item in found[:SHOWN_MISTAKES]]
    shown = mistakes[0]
    detail = f"{shown.where}: got {shown.got}, expected {shown.expected}."
    if len(found) > 1:
        detail += f" {len(found):,} mistakes in all."
        if len(found) > len(mistakes):
            detail += f" The first {len(mistakes)} are listed."
    return problem_response(Refusal(INVALID, detail, mistakes))


async def on_http_error(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: unknown paths, wrong methods, bodies that do not parse."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == NOT_FOUND.status:
        return problem_response(Refusal(NOT_FOUND, f"{NOT_FOUND.meaning} See /docs for the API."))
    if error.status_code == WRONG_METHOD.status:
        allowed = (error.headers or {}).get("Allow", "another method")
        mistake = Mistake(where="method", got=request.method, expected=allowed)
        return problem_response(Refusal(WRONG_METHOD, mistakes=[mistake]), error.headers)
    if error.status_code == NOT_JSON.status:
        return problem_response(_not_json(_unread(error.__cause__)))
    raise error


async def on_bug(_: Request, __: Exception) -> Response:
    """Answer a failure that nothing expected; the server logs its trace."""
    return problem_response(Refusal(FAILED))


def _unread(cause: BaseException | None) -> str:
    """Say why the framework could not read a body, from what the reader of JSON raised."""
    if isinstance(cause, RecursionError):
        return "nested too deeply"
    if isinstance(cause, UnicodeDecodeError):
        return "not UTF-8"
    if isinstance(cause, ValueError):  # Python reads no integer of more than 4,300 digits
        return "a number has too many digits"
    return "wrong encoding, or nested too deeply"


def _not_json(reason: str) -> Refusal:
    mistake = Mistake(where="body", got=reason, expected="one JSON object in UTF-8")
    return Refusal(NOT_JSON, f"{NOT_JSON.meaning[:-1]}: {reason}.", [mistake])
