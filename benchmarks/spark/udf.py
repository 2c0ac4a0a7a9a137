"""Label a table of sentences in a real local Spark with the registered model, and compare.

    make spark

The shipped bundle is registered in a store of its own and given the alias `champion`;
`mlflow.pyfunc.spark_udf` loads models:/stance@champion in Spark's own Python workers. Every label,
threshold and abstention must equal what the bundle says here, and every probability to 1e-6.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import mlflow.pyfunc
import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql.functions import struct

from benchmarks.pyfunc.champion import differences, registered
from pipeline.bundle import load_bundle
from pipeline.tracking.served_model import ServedModel

ROOT = Path(__file__).parents[2]
NOTHING = (None, "", "  ")
"""Cells without text: each must come back as a row without decisions."""


def sentences(corpus: Path, rows: int) -> list[str | None]:
    """Return sentences of labelled documents, after cells that hold none."""
    texts: list[str | None] = list(NOTHING)
    for line in corpus.read_text(encoding="utf-8").splitlines():
        texts += [sentence["text"] for sentence in json.loads(line)["sentences"]]
    return texts[:rows]


def main() -> None:
    """Run the comparison; end with 1 where a cell differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "default")
    parser.add_argument("--corpus", type=Path, default=ROOT / "seeds" / "corpus" / "register.jsonl")
    parser.add_argument("--rows", type=int, default=2000)
    options = parser.parse_args()
    texts = sentences(options.corpus, options.rows)
    os.environ["PYSPARK_PYTHON"] = sys.executable  # else the workers take the first of the PATH
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "500")
        .getOrCreate()
    )
    with tempfile.TemporaryDirectory(prefix="stance-spark-") as scratch:
        mlflow.set_tracking_uri(registered(options.model, Path(scratch)))
        label = mlflow.pyfunc.spark_udf(
            spark, "models:/stance@champion", env_manager="local", params={"nulls": False}
        )
        rows = [(number, text) for number, text in enumerate(texts)]
        table = spark.createDataFrame(rows, "number int, text string").repartition(2)
        started = time.perf_counter()
        labelled = table.withColumn("out", label(struct("text"))).select("number", "out.*")
        found = labelled.toPandas().sort_values("number").drop(columns="number")
        seconds = time.perf_counter() - started
        served = ServedModel(load_bundle(options.model))
        expected = served.predict(pd.DataFrame({"text": texts}), params={"nulls": False})
        wrong = differences(found, expected)
    print(
        f"Spark {spark.version}: {len(texts):,} rows, {len(expected.columns)} columns, "
        f"{seconds:.1f} s with the start of the workers; {wrong} cells differ"
    )
    spark.stop()
    sys.exit(1 if wrong or list(found.columns) != list(expected.columns) else 0)


if __name__ == "__main__":
    main()
