"""The registered model labels a table in a real local Spark, as `mlflow.pyfunc.spark_udf` loads it.

Needs Java 17 or later and the packages of `make experiments/spark-packages/ready`, which are apart
from the lock; nothing is downloaded or installed here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from benchmarks.pyfunc.champion import differences, registered
from pipeline.bundle import load_bundle
from pipeline.tracking import open_store
from pipeline.tracking.store import quiet_imports

pytestmark = [
    pytest.mark.slow,
    pytest.mark.spark,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]
ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / "experiments" / "spark-packages"
MODEL = ROOT / "models" / "default"
CORPUS = ROOT / "seeds" / "corpus" / "register.jsonl"
NOTHING = (None, "", "  ")
"""Cells without text: each must come back as a row without decisions."""
ROWS = 600
BATCH = 100
"""Rows that Spark hands to Python at a time: with two partitions, three batches for each."""

# The library is no part of the environment, so its types are not known here.
Session = Any
Column = Any


@pytest.fixture(scope="module")
def spark() -> Iterator[Session]:
    """A Spark on this machine with two workers, ended with the tests of this file."""
    if not (PACKAGES / "ready").exists():
        pytest.fail(f"{PACKAGES.relative_to(ROOT)} is not filled: make it with 'make spark'.")
    with pytest.MonkeyPatch.context() as environment:
        environment.syspath_prepend(PACKAGES)
        environment.setenv("PYTHONPATH", str(PACKAGES))
        environment.setenv("PYSPARK_PYTHON", sys.executable)  # else the first of the PATH
        environment.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        from pyspark.sql import SparkSession

        session = (
            SparkSession.builder.master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.execution.arrow.maxRecordsPerBatch", str(BATCH))
            .getOrCreate()
        )
        yield session
        session.stop()


@pytest.fixture(scope="module")
def label(spark: Session, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Column], Column]:
    """The champion of a new store, as a function of Spark's columns."""
    store = open_store(registered(MODEL, tmp_path_factory.mktemp("store")))
    with quiet_imports():
        import mlflow.pyfunc
    with store.bound():
        loaded: Callable[[Column], Column] = mlflow.pyfunc.spark_udf(
            spark, "models:/stance@champion", env_manager="local", params={"nulls": False}
        )
    return loaded


def test_every_cell_is_what_the_bundle_says(
    spark: Session, label: Callable[[Column], Column]
) -> None:
    from pyspark.sql.functions import struct

    from pipeline.tracking.served_model import ServedModel

    lines = CORPUS.read_text(encoding="utf-8").splitlines()
    said = [sentence["text"] for line in lines for sentence in json.loads(line)["sentences"]]
    texts = [*NOTHING, *said][:ROWS]
    table = spark.createDataFrame(list(enumerate(texts)), "number int, text string").repartition(2)
    labelled = table.withColumn("out", label(struct("text"))).select("number", "out.*")
    rows = [row.asDict() for row in labelled.collect()]
    found = pd.DataFrame(rows).set_index("number").sort_index()
    served = ServedModel(load_bundle(MODEL))
    expected = served.predict(pd.DataFrame({"text": texts}), params={"nulls": False})
    assert list(found.columns) == list(expected.columns)
    assert list(found.index) == list(range(ROWS))
    assert differences(found, expected) == 0
    decisions = [column for column in found.columns if column.endswith(".decision")]
    assert found[decisions].any().all(), "no sentence carries one of the labels"
    assert not found[decisions].head(len(NOTHING)).any().any()


def test_a_table_without_texts_is_refused(
    spark: Session, label: Callable[[Column], Column]
) -> None:
    from pyspark.errors import PythonException
    from pyspark.sql.functions import struct

    table = spark.createDataFrame([(1,), (2,)], "number int")
    with pytest.raises(PythonException, match=r"missing inputs \['text'\]"):
        table.select(label(struct("number"))).collect()
