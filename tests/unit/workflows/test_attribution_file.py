"""What `stance attribute` wrote as CSV is read back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.inference.attributed import AttributionFormat
from pipeline.inference.rows import Row
from pipeline.inference.sinks import SINKS
from pipeline.workflows.attribution_file import AttributionRow, read_attributions

texts = st.text(st.sampled_from("'=+-@a;,\"\t\r\n"), min_size=1, max_size=8)


def written(path: Path, text: str, holder: str) -> Path:
    format_ = AttributionFormat()
    row: Row = dict.fromkeys(format_.columns)
    row |= {"doc_id": "a", "sentence_id": "a#0", "text": text, "task": "stance", "label": "l"}
    row |= {"probability": 0.9, "holder": holder, "holder_actors": [], "target_actors": []}
    row |= {"model": "m", "attribution_model": "h"}
    with path.open("wb") as file:
        sink = SINKS[".csv"].make(file, format_, True)
        sink.write([row])
        sink.finish()
    return path


def read(path: Path) -> tuple[str, str]:
    [row] = read_attributions(path)
    assert isinstance(row, AttributionRow), row
    return row.text, row.holder


@given(text=texts, holder=texts)
def test_texts_come_back(text: str, holder: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("attributions") / "a.csv"
    assert read(written(path, text, holder)) == (text, holder)


def test_a_sentence_may_be_long(tmp_path: Path) -> None:
    text = "x" * 200_000
    assert read(written(tmp_path / "a.csv", text, "we")) == (text, "we")
