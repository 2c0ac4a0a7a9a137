"""A bundle behind MLflow's pyfunc interface: a table of sentences in, a flat table of labels out.

MLflow loads this module by name and calls `_load_pyfunc`; no object is pickled.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow.exceptions import INVALID_PARAMETER_VALUE, MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

from pipeline.bundle import Bundle, load_bundle
from pipeline.codebook import Codebook, TaskType
from pipeline.records import Sentence

TEXT, CONTEXT = "text", "context"

NULLS = "nulls"
"""Parameter of the model; false asks for a table without nulls but in its numbers."""


def signature_of(codebook: Codebook) -> ModelSignature:
    """Return the columns of input and output, of which all may be null, and the parameters."""
    inputs = [ColSpec(DataType.string, TEXT), ColSpec(DataType.string, CONTEXT, required=False)]
    outputs = [
        ColSpec(kind, name, required=False) for name, kind in _output_columns(codebook).items()
    ]
    return ModelSignature(
        inputs=Schema(inputs),
        outputs=Schema(outputs),
        params=ParamSchema([ParamSpec(NULLS, DataType.boolean, default=True)]),
    )


class ServedModel:
    """Labels tables of sentences with a bundle."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def predict(
        self, model_input: pd.DataFrame, params: Mapping[str, bool] | None = None
    ) -> pd.DataFrame:
        """Return one row for each row of the input, under the same index.

        Columns of a multilabel task, for each label: `<task>.<label>.probability`, `.decision`
        (null where the model abstains), `.threshold` and `.abstained`. Columns of a multiclass
        task: `<task>` (the label, null where it abstains), `<task>.abstained` and
        `<task>.<label>.probability`. A row without text has nulls in all of them.

        Args:
            model_input: column `text`, and optionally `context`, the sentence before.
            params: with `nulls` false, nothing but numbers is null: where no decision was made,
                and in rows without text, `abstained` is true, `decision` false and a label "".
                `mlflow.pyfunc.spark_udf` needs that, for it cannot leave booleans and texts empty.

        Raises:
            MlflowException: a cell holds neither a string nor nothing; a server answers with 400.
        """
        texts = _strings(model_input, TEXT)
        contexts = _strings(model_input, CONTEXT) if CONTEXT in model_input else [""] * len(texts)
        filled = [row for row, text in enumerate(texts) if text]
        sentences = [
            Sentence(f"row {row}", "", texts[row], context=contexts[row]) for row in filled
        ]
        codebook, rule = self._bundle.codebook, self._bundle.rule
        probabilities, decisions = self._bundle.predict(sentences)
        columns: dict[str, pd.Series] = {}
        for name, task in codebook.tasks.items():
            part = codebook.slice_of(name)
            abstained = decisions.withheld[:, part]
            if task.type is TaskType.MULTICLASS:
                labels = np.array(list(task.labels), dtype=object)
                chosen = labels[decisions.given[:, part].argmax(axis=1)]
                unsure = abstained.any(axis=1)
                columns[name] = pd.Series(np.where(unsure, None, chosen), dtype="string")
                columns[f"{name}.abstained"] = pd.Series(unsure, dtype="boolean")
            for j, label in enumerate(task.labels):
                at = part.start + j
                column = f"{name}.{label}"
                columns[f"{column}.probability"] = pd.Series(probabilities[:, at], dtype="Float64")
                if task.type is TaskType.MULTILABEL:
                    given = pd.Series(decisions.given[:, at], dtype="boolean")
                    columns[f"{column}.decision"] = given.mask(abstained[:, j])
                    columns[f"{column}.threshold"] = pd.Series(
                        np.full(len(filled), rule.threshold[at]), dtype="Float64"
                    )
                    columns[f"{column}.abstained"] = pd.Series(abstained[:, j], dtype="boolean")
        found = pd.DataFrame(columns).set_axis(pd.Index(filled, dtype="int64"))
        whole = found.reindex(range(len(texts))).set_axis(model_input.index)
        return whole if params is None or params.get(NULLS, True) else _filled(whole)


def _load_pyfunc(data_path: str) -> ServedModel:
    """Load the bundle in `data_path`; MLflow calls this.

    Raises:
        BundleError: the bundle is incomplete or was changed.
    """
    return ServedModel(load_bundle(Path(data_path)))


def _output_columns(codebook: Codebook) -> dict[str, DataType]:
    out: dict[str, DataType] = {}
    for name, task in codebook.tasks.items():
        single = task.type is TaskType.MULTICLASS
        if single:
            out |= {name: DataType.string, f"{name}.abstained": DataType.boolean}
        for label in task.labels:
            column = f"{name}.{label}"
            out[f"{column}.probability"] = DataType.double
            if not single:
                out[f"{column}.decision"] = DataType.boolean
                out[f"{column}.threshold"] = DataType.double
                out[f"{column}.abstained"] = DataType.boolean
    return out


def _filled(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with a value for every boolean and text that is null."""
    filled = table.copy()
    for name, column in table.items():
        if column.dtype == "boolean":
            filled[name] = column.fillna(str(name).endswith(".abstained")).astype(bool)
        elif column.dtype == "string":
            filled[name] = column.fillna("")
    return filled


def _strings(table: pd.DataFrame, column: str) -> list[str]:
    """Return the texts of a column without spaces around them; "" for what is missing."""
    texts: list[str] = []
    for row, value in enumerate(table[column]):
        if isinstance(value, str):
            texts.append(value.strip())
        elif pd.api.types.is_scalar(value) and pd.isna(value):
            texts.append("")
        else:
            raise MlflowException(
                f"column '{column}', row {row}: got {type(value).__name__} {str(value)[:80]!r}, "
                "expected a string or null",
                error_code=INVALID_PARAMETER_VALUE,
            )
    return texts
