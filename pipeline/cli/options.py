"""Options that several commands share, defined once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.classifiers.placement import Device

Inputs = Annotated[
    list[str],
    typer.Argument(
        help="Files, folders, globs, or '-' for standard input "
        "(.txt .md .html .pdf .docx .csv .tsv .jsonl .parquet).",
        show_default=False,
    ),
]
Settings = Annotated[Path, typer.Option("--config", "-c", help="Settings of the pipeline (YAML).")]
CodebookFile = Annotated[Path, typer.Option("--codebook", help="Codebook (YAML).")]
BundleFolder = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "-m",
        help="Folder of the model, or a registered one (models:/stance@champion); default: the one "
        "that is shipped.",
    ),
]


class Method(StrEnum):
    """How holders and targets are found."""

    RULES = "rules"
    SPANS = "spans"
    BOTH = "both"


AttributionFolder = Annotated[
    Path | None,
    typer.Option(
        "--attribution-model",
        help="Folder of the model of holders and targets; default: the one that is shipped.",
    ),
]
AttributionMethod = Annotated[
    Method,
    typer.Option("--method", help="'rules' need no model, 'spans' is the model without rules."),
]
ComputeDevice = Annotated[
    Device,
    typer.Option(
        "--device", help="Where the model computes; 'auto' is a CUDA device where there is one."
    ),
]
MaxRisk = Annotated[
    float | None,
    typer.Option(
        "--max-risk",
        metavar="SHARE",
        help="Abstain so that in a further document the expected share of sentences with a wrong "
        "decision is at most this, for each task by itself (conformal risk control). Holds for "
        "documents drawn like those it is chosen on.",
    ),
]
CalibrateOn = Annotated[
    Path | None,
    typer.Option(
        "--calibrate-on",
        metavar="FILE",
        help="Labelled file (.jsonl) to choose abstention on: documents like those to come, none "
        "of which the model has learned from.",
    ),
]
ClassifierName = Annotated[
    str | None,
    typer.Option(
        "--classifier",
        metavar="NAME",
        help="A model of the settings (see --config); default: the linear classifier.",
    ),
]
ModelSettings = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings whose models --classifier may name (YAML)."),
]
TrackingUri = Annotated[
    str | None,
    typer.Option(
        "--tracking-uri",
        help="MLflow store; default: $MLFLOW_TRACKING_URI, else experiments/mlflow.db.",
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of all that is drawn by chance.")]
Replicates = Annotated[
    int, typer.Option("--replicates", min=100, help="Draws of documents for the intervals.")
]
ReplicatesOrNone = Annotated[
    int,
    typer.Option("--replicates", min=0, help="Draws of documents for the intervals; 0 gives none."),
]
ActorFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--actors",
        "-a",
        help="Your own actors (YAML), beside the shipped ones; repeatable. See docs/actors.md.",
    ),
]
ExternalFiles = Annotated[
    list[Path] | None,
    typer.Option("--eval", help="A labelled file to report on as well; repeatable."),
]
Column = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="FIELD=NAME",
        help="Which column holds which field (text, speaker, date, genre, title, id, context), for "
        "example speaker=Land; repeatable. Dates are written YYYY-MM-DD, YYYY-MM or YYYY.",
    ),
]
MaxBytes = Annotated[
    int | None, typer.Option("--max-bytes", min=1, help="Largest document (or table row) in bytes.")
]
Speaker = Annotated[
    str | None, typer.Option("--speaker", help="Speaker where the input names none.")
]
Date = Annotated[
    str | None,
    typer.Option("--date", help="Date (YYYY-MM-DD, YYYY-MM or YYYY) where the input names none."),
]
Genre = Annotated[str | None, typer.Option("--genre", help="Genre where the input names none.")]
StdinFormat = Annotated[
    str | None,
    typer.Option(
        "--stdin-format",
        help="Format of standard input (txt, md, html, pdf, docx, csv, tsv, jsonl, parquet); "
        "default: by its content. Needed with --unit sentence.",
    ),
]

DEFAULT_CONFIG = Path("configs/default.yaml")
DEFAULT_CODEBOOK = Path("configs/codebook.yaml")
SHIPPED_ATTRIBUTION = Path("models/attribution")
SHIPPED_BUNDLE = Path("models/default")
