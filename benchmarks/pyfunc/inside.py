"""Run by clean_environment.py in the new environment: load the champion, label, say what is there.

    python -I inside.py STORE TEXTS ANSWERS

TEXTS is a JSON file, ANSWERS becomes a Parquet file. Nothing of the project may be imported here.
"""

import importlib.metadata
import importlib.util
import json
import sys
import time
from pathlib import Path

import mlflow.pyfunc
import pandas as pd

store, texts, answers = sys.argv[1:]
without_model = importlib.util.find_spec("pipeline") is None
started = time.perf_counter()
mlflow.set_tracking_uri(store)
model = mlflow.pyfunc.load_model("models:/stance@champion")
with Path(texts).open(encoding="utf-8") as file:
    table = pd.DataFrame({"text": pd.Series(json.load(file), dtype="object")})
model.predict(table).to_parquet(answers)
facts = {
    "seconds": time.perf_counter() - started,
    "no project before": without_model,
    "code": importlib.util.find_spec("pipeline").origin,
    "installed": sorted(one.name.lower() for one in importlib.metadata.distributions()),
}
print(json.dumps(facts))
