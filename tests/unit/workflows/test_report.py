"""Stage report: predictions of one model to one file, or one clear reason why not."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pipeline.bundle import Bundle, BundleFacts, load_bundle, write_bundle
from pipeline.bundle.manifest import Figure
from pipeline.classifiers.rules import RulesClassifier
from pipeline.codebook import Codebook
from pipeline.decision import DecisionRule
from pipeline.errors import BundleError, InputError, OutputError
from pipeline.settings.classifiers import RulesSettings
from pipeline.settings.ingest import IngestSettings
from pipeline.workflows.classify import Target, classify_documents, classify_sentence_rows
from pipeline.workflows.report import report
from pipeline.workflows.watcher import Silent

TITLE = "What the <guests> say"


@pytest.fixture
def predictions(project: Path, bundle: Bundle) -> Path:
    out = project / "p.jsonl"
    classify_documents(
        [str(project / "docs")],
        IngestSettings(),
        bundle,
        Target(str(out)),
        stdin=io.BytesIO(),
        watcher=Silent(),
    )
    return out


def test_the_report_shows_sentences_rejects_and_the_model(
    predictions: Path, bundle_folder: Path, bundle: Bundle, tmp_path: Path
) -> None:
    out = tmp_path / "r.html"
    summary = report(predictions, model=bundle_folder, out=out, title=TITLE)
    assert summary.statements == 2
    assert summary.sentences == len(predictions.read_bytes().splitlines())
    assert summary.rejected == 1
    html = out.read_text(encoding="utf-8")
    for part in (
        "The soup was excellent.",
        "What the &lt;guests&gt; say",
        "empty.txt",
        "None known.",
        bundle.model_id,
    ):
        assert part in html


def test_predictions_without_rejects(
    predictions: Path, bundle_folder: Path, tmp_path: Path
) -> None:
    (predictions.parent / "p.jsonl.rejects.jsonl").unlink()
    summary = report(predictions, model=bundle_folder, out=tmp_path / "r.html", title=TITLE)
    assert summary.rejected == 0


def test_rows_without_labels_can_be_reported(
    bundle: Bundle, bundle_folder: Path, tmp_path: Path
) -> None:
    """As classify writes them for table rows that hold no readable text."""
    (tmp_path / "in.csv").write_text('text\n""\nThe soup was excellent.\n')
    classify_sentence_rows(
        str(tmp_path / "in.csv"),
        IngestSettings(),
        bundle,
        Target(str(tmp_path / "p.jsonl")),
        stdin=io.BytesIO(),
        watcher=Silent(),
    )
    out = tmp_path / "r.html"
    summary = report(tmp_path / "p.jsonl", model=bundle_folder, out=out, title=TITLE)
    assert summary.sentences == 2
    page = out.read_text(encoding="utf-8").split("<script")[0]
    assert "nan" not in page.lower().split()
    assert page.count("not readable</span>") == 1
    assert "undecided</span>" not in page
    assert len(blocks(out)) == 2, "rows that are sentences already do not flow together"


def blocks(report: Path) -> list[str]:
    """The texts of the paragraphs and items shown, marker first, sentences parted by a bar."""
    page = report.read_text(encoding="utf-8").split("<script")[0]
    return [
        "".join(re.findall(r'class="marker">([^<]*)', block))
        + "|".join(re.sub(r"<[^>]*>", "", text) for text in texts_in(block))
        for block in re.split(r'<div class="block ', page)[1:]
    ]


def texts_in(block: str) -> Sequence[str]:
    return re.findall(r'<span class="t"[^>]*>(.*?)</span> <button', block, re.DOTALL)


LAYOUT = (
    "Hello.\n\nOne soup. Two waiters.\n\nWe ask:\n\n- more salt\n- less noise\n\nGood soup. Bye."
)


@pytest.fixture
def laid_out(bundle: Bundle, tmp_path: Path) -> Path:
    (tmp_path / "in.txt").write_text(LAYOUT)
    classify_documents(
        [str(tmp_path / "in.txt")],
        IngestSettings(),
        bundle,
        Target(str(tmp_path / "p.jsonl")),
        stdin=io.BytesIO(),
        watcher=Silent(),
    )
    return tmp_path / "p.jsonl"


def test_paragraphs_and_items_are_those_of_the_document(
    laid_out: Path, bundle_folder: Path, tmp_path: Path
) -> None:
    report(laid_out, model=bundle_folder, out=tmp_path / "r.html", title=TITLE)
    whole = ["Hello.", "One soup.|Two waiters.", "We ask:", "-more salt", "-less noise"]
    assert blocks(tmp_path / "r.html") == [*whole, "Good soup.|Bye."]


def test_rows_left_out_or_out_of_order_keep_the_others_in_place(
    laid_out: Path, bundle_folder: Path, tmp_path: Path
) -> None:
    lines = laid_out.read_bytes().splitlines(keepends=True)
    del lines[0], lines[2]  # "Hello." and "We ask:"
    laid_out.write_bytes(b"".join([*lines[::-1], lines[0]]))
    report(laid_out, model=bundle_folder, out=tmp_path / "r.html", title=TITLE)
    shown = blocks(tmp_path / "r.html")
    assert shown == [
        "One soup.|One soup.|Two waiters.",
        "-more salt",
        "-less noise",
        "Good soup.|Bye.",
    ]


def test_only_headline_scores_are_shown_under_names_for_readers(
    tiny: Codebook, tmp_path: Path
) -> None:
    names = ["topic.macro_f1", "topic.ece", "tone.macro_f1", "tone.accuracy", "tone.praise.f1"]
    names += ["topic.food.f1", "topic.food.average_precision"]
    figures = tuple(
        Figure(dataset=data, name=name, value=0.5) for data in ("dev", "gold") for name in names
    )
    facts = BundleFacts(name="kitchen", description="Rules.", figures=figures)
    folder = tmp_path / "scored"
    write_bundle(folder, RulesClassifier(tiny, RulesSettings()), DecisionRule.plain(tiny), facts)
    (tmp_path / "in.txt").write_text(LAYOUT)
    classify_documents(
        [str(tmp_path / "in.txt")],
        IngestSettings(),
        load_bundle(folder),
        Target(str(tmp_path / "p.jsonl")),
        stdin=io.BytesIO(),
        watcher=Silent(),
    )
    report(tmp_path / "p.jsonl", model=folder, out=tmp_path / "r.html", title=TITLE)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    scores = page[page.index('class="scores"') :].split("</table>")[0]
    assert re.findall(r'scope="row">([^<]*)', scores) == [
        f"{title} ({data})"
        for data in ("dev", "gold")
        for title in ("Topic, macro-F1", "Tone, macro-F1", "Topic: Food, F1")
    ]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".CSV"])
def test_the_other_formats_of_classify_are_refused_by_name(
    predictions: Path, bundle_folder: Path, tmp_path: Path, suffix: str
) -> None:
    other = predictions.rename(predictions.with_suffix(suffix))
    with pytest.raises(InputError, match=r"reads JSON lines \(\.jsonl\), got .*-o p\.jsonl"):
        report(other, model=bundle_folder, out=tmp_path / "r.html", title=TITLE)


def change_first(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    lines = path.read_bytes().splitlines()
    row = json.loads(lines[0])
    lines[0] = json.dumps(change(row)).encode()
    path.write_bytes(b"\n".join(lines) + b"\n")


@pytest.mark.parametrize(
    "change",
    [
        lambda row: {k: v for k, v in row.items() if k != "text"},
        lambda row: {k: v for k, v in row.items() if k != "gap"},
        lambda row: {**row, "topic": ["foot"]},
        lambda row: {**row, "tone": "loud"},
        lambda row: {**row, "start": None},
        lambda row: {**row, "p_tone_praise": "much"},
        lambda row: [row],
        lambda _: "text",
        lambda _: None,
    ],
)
def test_a_line_that_is_no_prediction_is_named(
    predictions: Path,
    bundle_folder: Path,
    tmp_path: Path,
    change: Callable[[dict[str, object]], object],
) -> None:
    change_first(predictions, change)
    with pytest.raises(InputError, match=r"p\.jsonl:1: not a row of 'stance classify'"):
        report(predictions, model=bundle_folder, out=tmp_path / "r.html", title=TITLE)
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize("content", [b"doc_id,text\na,b\n", b"PAR1\x00\xff", b"[" * 100_000])
def test_another_format_is_named(
    predictions: Path, bundle_folder: Path, tmp_path: Path, content: bytes
) -> None:
    predictions.write_bytes(content)
    with pytest.raises(InputError, match=r"p\.jsonl(:1: not a row|: cannot be read)"):
        report(predictions, model=bundle_folder, out=tmp_path / "r.html", title=TITLE)


def test_blank_lines_are_no_rows_and_are_counted_in_places(
    predictions: Path, bundle_folder: Path, tmp_path: Path
) -> None:
    lines = predictions.read_bytes()
    predictions.write_bytes(b"\n" + lines + b"\r\n\n")
    summary = report(predictions, model=bundle_folder, out=tmp_path / "r.html", title=TITLE)
    assert summary.sentences == len(lines.splitlines())
    predictions.write_bytes(lines)
    change_first(predictions, lambda row: {**row, "model": "other-0123"})
    predictions.write_bytes(b"\n\n" + predictions.read_bytes())
    with pytest.raises(InputError, match=r"p\.jsonl:3: made by"):
        report(predictions, model=bundle_folder, out=tmp_path / "r.html", title=TITLE)


def test_predictions_of_another_model_are_refused(
    predictions: Path, bundle_folder: Path, tmp_path: Path
) -> None:
    change_first(predictions, lambda row: {**row, "model": "other-0123"})
    with pytest.raises(InputError, match=r"made by model other-0123, but .* Classify again"):
        report(predictions, model=bundle_folder, out=tmp_path / "r.html", title=TITLE)


def test_no_predictions(predictions: Path, bundle_folder: Path, tmp_path: Path) -> None:
    predictions.write_bytes(b"")
    with pytest.raises(InputError, match="holds no predictions"):
        report(predictions, model=bundle_folder, out=tmp_path / "r.html", title=TITLE)
    with pytest.raises(InputError, match=r"nowhere\.jsonl: cannot be read"):
        report(tmp_path / "nowhere.jsonl", model=bundle_folder, out=tmp_path / "r", title=TITLE)


def test_a_model_that_is_not_whole(predictions: Path, bundle_folder: Path, tmp_path: Path) -> None:
    (bundle_folder / "codebook.json").write_text("{}")
    with pytest.raises(BundleError, match="was changed"):
        report(predictions, model=bundle_folder, out=tmp_path / "r.html", title=TITLE)


def test_a_place_that_cannot_be_written(
    predictions: Path, bundle_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(OutputError):
        report(predictions, model=bundle_folder, out=predictions / "r.html", title=TITLE)
