"""The `stance` command: all stages under one name, errors as one clear message and an exit code.

Imports here and in the commands are light; what a command needs it imports when it runs, so that
`stance --help` answers at once.
"""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
import warnings
from threading import Timer
from types import FrameType
from typing import Annotated, NoReturn

import typer

from pipeline import __version__
from pipeline.cli import console
from pipeline.cli.commands import (
    actors,
    aggregate,
    agreement,
    annotate,
    attribute,
    attribution_model,
    classify,
    codebook,
    compare,
    curve,
    data,
    documents,
    estimate,
    evaluate,
    promote,
    report,
    reproduce,
    rules,
    run,
    serve,
    suggest,
    suspects,
    train,
    tune,
    ui,
)
from pipeline.errors import OutputError, StanceError
from pipeline.output import NOT_WRITABLE

app = typer.Typer(
    name="stance",
    help="Label the sentences of diplomatic statements by stance and kind of claim.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    epilog="Exit codes: 0 done, 2 settings or options, 3 input, 4 output, 5 model, 6 check failed, "
    "7 optional package missing, 130 or 143 interrupted, 141 reader of the output gone, 1 a bug.",
)

app.command("run")(run.run)
app.add_typer(data.app, name="data")
app.add_typer(codebook.app, name="codebook")
app.add_typer(rules.app, name="rules")
app.command("label")(rules.label)
app.add_typer(annotate.app, name="annotate")
app.command("agreement")(agreement.agreement)
app.command("curve")(curve.curve)
app.command("suggest")(suggest.suggest)
app.command("suspects")(suspects.suspects)
app.add_typer(actors.app, name="actors")
app.command("ingest")(documents.ingest)
app.command("segment")(documents.segment)
app.command("train")(train.train)
app.command("tune")(tune.tune)
app.command("evaluate")(evaluate.evaluate)
app.command("compare")(compare.compare)
app.command("reproduce")(reproduce.reproduce)
app.command("promote")(promote.promote)
app.command("rollback")(promote.rollback)
app.command("classify")(classify.classify)
app.command("attribute")(attribute.attribute)
app.command("train-attribution")(attribution_model.train_attribution)
app.command("evaluate-attribution")(attribution_model.evaluate_attribution)
app.command("report")(report.report)
app.command("aggregate")(aggregate.aggregate)
app.command("estimate")(estimate.estimate)
app.command("serve")(serve.serve)
app.command("ui")(ui.ui)


_OBJECTS_BEFORE_COLLECTION = 100_000


class Interrupted(BaseException):
    """A signal asked the process to end; unwinds everything, so that temporary files go."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.exit_code = 128 + number


def _version(wanted: bool) -> None:
    if wanted:
        console.out(f"stance-pipeline {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version


def _interrupt(number: int, _: FrameType | None) -> NoReturn:
    raise Interrupted(number)


def _interrupt_again(lost: sys.UnraisableHookArgs) -> None:
    """Send a signal once more that came while an object was finalised, where Python drops it."""
    if isinstance(lost.exc_value, Interrupted):
        Timer(0.05, os.kill, (os.getpid(), lost.exc_value.number)).start()
    else:
        sys.__unraisablehook__(lost)


def _open_closed_streams() -> None:
    """Give standard streams that were closed (`>&-`) a place where nothing is read or kept.

    Their numbers are taken as well, else the next file that is opened gets one of them, and with it
    whatever a library prints.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def main() -> NoReturn:
    """Run the command line and end the process with a documented exit code."""
    _open_closed_streams()
    # Most of what is made while modules and models are loaded stays; looking for garbage among it
    # after every few hundred objects takes a tenth of the time of a short command. In long ones,
    # garbage that refers to itself waits until so many objects were made.
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTION)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    sys.unraisablehook = _interrupt_again
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # libraries' advice to developers, not to users
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # where it cannot show all of Unicode
    code = _run()
    try:
        sys.stdout.flush()
    except OSError as error:
        # Nobody reads our output, or it has no room; Python must not try again when it closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or _explain(error)
    sys.exit(code)


def _run() -> int:
    try:
        app()
    except StanceError as error:
        console.error(str(error))
        return error.exit_code
    except Interrupted as interrupted:
        console.error("Interrupted; nothing half-written was left.")
        return interrupted.exit_code
    except OSError as error:
        if error.errno not in NOT_WRITABLE:
            raise
        return _explain(error)
    except SystemExit as ended:
        # Typer ends with 1 when the reader of our output has gone; here 1 means a bug.
        if isinstance(ended.__context__, BrokenPipeError):
            return _explain(ended.__context__)
        return ended.code if isinstance(ended.code, int) else 0
    return 0


def _explain(error: OSError) -> int:
    """Say why an output could not be written, unless its reader simply has enough."""
    if isinstance(error, BrokenPipeError):
        return 128 + signal.SIGPIPE
    console.error(f"{error.filename or 'standard output'}: cannot be written ({error.strerror}).")
    return OutputError.exit_code


if __name__ == "__main__":
    main()
