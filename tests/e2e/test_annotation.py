"""From predictions to an adjudicated labelled file, as two coders and an adjudicator do it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Protocol

import pytest


class Done(Protocol):
    code: int
    out: str
    err: str

    def failed(self, code: int, *parts: str) -> None: ...


class Stance(Protocol):
    folder: Path

    def __call__(self, *args: str | Path, code: int | None = ...) -> Done: ...


BOOK = ("--codebook", "codebook.yaml")


def fill_in(path: Path, answers: dict[str, dict[str, str]], **everywhere: str) -> None:
    """Fill in the rows of a spreadsheet by the beginning of their text."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row |= everywhere
        for start, given in answers.items():
            if row["text"].startswith(start):
                row |= given
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def annotated(stance: Stance) -> Stance:
    """A project in which two coders filled in spreadsheets: ann.csv and bob.csv."""
    stance("classify", "docs", "-m", "bundle", "-o", "predictions.jsonl", code=0)
    for coder in ("ann", "bob"):
        done = stance(
            "annotate", "export", "predictions.jsonl", "--to", "csv", "-o", f"{coder}.csv", *BOOK,
            code=0,
        )  # fmt: skip
        assert "with a suggestion" in done.err
    plain = {"topic": "(none)", "tone": "neither"}
    soup = {"topic": "food", "topic-food-holder": "SPEAKER", "topic-food-target": "The soup"}
    ann = {"The soup": {**soup, "tone": "praise"}, "A rude": {"topic": "service", "tone": "blame"}}
    bob = {"The soup": {**soup, "tone": "neither"}, "A rude": {"topic": "service", "tone": "blame"}}
    fill_in(stance.folder / "ann.csv", ann, **plain, coder="ann")
    fill_in(stance.folder / "bob.csv", bob, **plain, coder="bob")
    return stance


def test_from_predictions_to_an_adjudicated_file(annotated: Stance) -> None:
    stance = annotated
    stance("annotate", "import", "ann.csv", "bob.csv", "-o", "both.jsonl", *BOOK, code=0)
    done = stance(
        "agreement", "both.jsonl", "-o", "page.html", "--disputed", "disputed.csv",
        "--replicates", "50", *BOOK, code=0,
    )  # fmt: skip
    assert "1 disputed" in done.err
    assert "Agreement of ann / bob" in done.out
    assert "The soup was excellent." in (stance.folder / "page.html").read_text("utf-8")
    with (stance.folder / "disputed.csv").open(newline="", encoding="utf-8") as file:
        [row] = list(csv.DictReader(file))
    assert row["note: said by bob"].startswith("topic: food; tone: neither")
    fill_in(stance.folder / "disputed.csv", {"The soup": {"tone": "praise"}})
    imported = ("annotate", "import", "disputed.csv", "-o", "decisions.jsonl", *BOOK)
    stance(*imported).failed(3, "'coder' is missing", "--coder NAME")
    stance(*imported, "--coder", "chair", code=0)
    done = stance(
        "annotate", "adjudicate", "both.jsonl", "--decisions", "decisions.jsonl",
        "-o", "labelled.jsonl", *BOOK, code=0,
    )  # fmt: skip
    assert "1 decided" in done.err
    rows = [
        json.loads(line) for line in (stance.folder / "labelled.jsonl").read_bytes().splitlines()
    ]
    sentences = {s["text"]: s for row in rows for s in row["sentences"]}
    assert sentences["The soup was excellent."]["tone"] == "praise"
    assert sentences["The soup was excellent."]["topic"] == [
        {"label": "food", "holder": "SPEAKER", "target": "The soup"}
    ]
    assert all(s["tone"] is not None for s in sentences.values())
    # the labelled file is annotations of its own, and can be compared with the coders
    stance("agreement", "both.jsonl", "labelled.jsonl", "--replicates", "0", *BOOK, code=0)


def test_exports_are_read_back_and_errors_are_listed(annotated: Stance) -> None:
    stance = annotated
    both = ("annotate", "import", "ann.csv", "bob.csv", "-o", "both.jsonl", *BOOK)
    stance(*both, code=0)
    canonical = (stance.folder / "both.jsonl").read_bytes()
    for to, name in (("csv", "x.csv"), ("label-studio", "x.json"), ("jsonl", "x.jsonl")):
        stance("annotate", "export", "both.jsonl", "--to", to, "-o", name, *BOOK, code=0)
        stance("annotate", "import", name, "-o", f"{name}.back.jsonl", *BOOK, code=0)
        back = (stance.folder / f"{name}.back.jsonl").read_bytes()
        assert sorted(back.splitlines()) == sorted(canonical.splitlines())
    assert (stance.folder / "x.interface.xml").read_text("utf-8").startswith("<View>")
    lines = canonical.splitlines(keepends=True)
    (stance.folder / "bad.jsonl").write_bytes(b"".join(lines) + lines[0] + lines[1][:40])
    done = stance("annotate", "import", "bad.jsonl", "-o", "good.jsonl", *BOOK)
    done.failed(6, "2 set aside: 1 duplicate, 1 bad row", "good.jsonl.rejects.jsonl")
    assert (stance.folder / "good.jsonl").read_bytes() == canonical
    rejects = (stance.folder / "good.jsonl.rejects.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["location"] for line in rejects] == [
        f"line {len(lines) + 1}",
        f"line {len(lines) + 2}",
    ]


def test_without_a_dispute_there_is_a_labelled_file_all_the_same(annotated: Stance) -> None:
    """As from one annotator alone; `--decisions` is for what is disputed."""
    stance = annotated
    (stance.folder / "eve.csv").write_bytes((stance.folder / "ann.csv").read_bytes())
    for coder in ("ann", "eve"):
        fill_in(stance.folder / f"{coder}.csv", {}, coder=coder)
    stance("annotate", "import", "ann.csv", "eve.csv", "-o", "both.jsonl", *BOOK, code=0)
    stance("agreement", "both.jsonl", "--disputed", "d.csv", "--replicates", "0", *BOOK, code=0)
    stance("annotate", "import", "d.csv", "--coder", "chair", "-o", "x.jsonl", *BOOK).failed(
        3, "nothing is disputed", "without --decisions"
    )
    adjudicate = ("annotate", "adjudicate", "both.jsonl", "-o", "labelled.jsonl", *BOOK)
    done = stance(*adjudicate, code=0)
    assert "still open" not in done.err
    stance("annotate", "import", "ann.csv", "-o", "ann.jsonl", *BOOK, code=0)
    stance("annotate", "adjudicate", "ann.jsonl", "-o", "one.jsonl", *BOOK, code=0)
    one, two = (stance.folder / name for name in ("one.jsonl", "labelled.jsonl"))
    assert one.read_bytes() == two.read_bytes()
    assert '"tone": "praise"' in one.read_text("utf-8")
    # what is disputed and undecided stays unknown, and the command says so
    stance("annotate", "import", "ann.csv", "bob.csv", "-o", "both.jsonl", *BOOK, code=0)
    done = stance(*adjudicate, code=0)
    assert "1 answers are disputed and stay unknown" in done.err
    assert '"tone": null' in two.read_text("utf-8")
    # each step names the one before where it was left out
    stance("evaluate", "ann.csv", "-m", "bundle").failed(
        3, "stance annotate import ann.csv", "stance annotate adjudicate annotations.jsonl"
    )
    stance("evaluate", "ann.jsonl", "-m", "bundle").failed(
        3, "stance annotate adjudicate ann.jsonl -o labelled.jsonl"
    )
    stance("evaluate", "one.jsonl", "-m", "bundle", "--replicates", "100", code=0)
    drawn = "sentence_id,doc_id,text,topic,inclusion_probability,sampling_design\na#1,a,So.,,1,x\n"
    (stance.folder / "drawn.csv").write_text(drawn, encoding="utf-8")
    only = "which only 'stance estimate LABELS --sample drawn.csv' reads"
    stance("evaluate", "drawn.csv", "-m", "bundle").failed(3, only, "stance annotate export")
    stance("annotate", "import", "drawn.csv", "-o", "x.jsonl", *BOOK).failed(3, only)
    stance("agreement", "ann.csv", "bob.csv", *BOOK).failed(
        3, "stance annotate import ann.csv bob.csv -o annotations.jsonl"
    )


def test_the_labelled_file_tells_whose_statements_it_holds(stance: Stance) -> None:
    """From classifying to slices by speaker, year and genre; whoever annotates sees them."""
    table = ["text,speaker,date,genre,id"]
    for n, dish in enumerate(["soup", "bread", "wine", "fish", "cake", "rice", "salad", "tea"]):
        speaker, genre = ("Anna", "Ben")[n % 2], ("letter", "review")[n // 4]
        text = f"The {dish} was excellent. A rude waiter brought {dish}."
        table.append(f"{text},{speaker},202{n % 3}-03-01,{genre},d{n}")
    (stance.folder / "table.csv").write_text("\n".join(table), encoding="utf-8")
    stance("classify", "table.csv", "-m", "bundle", "-o", "predictions.jsonl", code=0)
    stance("suggest", "predictions.jsonl", "-o", "tasks.jsonl", *BOOK, "--strategy", "random",
           "--number", "16", "--blind", code=0)  # fmt: skip
    for coder, tone in (("ann", "praise"), ("bob", "neither")):
        sheet = f"{coder}.csv"
        stance("annotate", "export", "tasks.jsonl", "--to", "csv", "-o", sheet, *BOOK, code=0)
        fill_in(stance.folder / sheet, {"The": {"tone": tone}, "A": {"tone": "blame"}},
                topic="(none)", coder=coder)  # fmt: skip
    # bob's spreadsheet wrote the date of a sentence in a way of its own
    path = stance.folder / "bob.csv"
    text = path.read_text("utf-8-sig")
    assert "'2020-03-01" in text
    path.write_text(text.replace("'2020-03-01", "01/03/2020", 1), encoding="utf-8")
    stance("annotate", "import", "ann.csv", "bob.csv", "-o", "both.jsonl", *BOOK, code=0)
    stance("agreement", "both.jsonl", "--disputed", "d.csv", "--replicates", "0", *BOOK, code=0)
    with (stance.folder / "d.csv").open(newline="", encoding="utf-8-sig") as file:
        assert {row["speaker"] for row in csv.DictReader(file)} == {"Anna", "Ben"}
    fill_in(stance.folder / "d.csv", {"The": {"tone": "praise"}})
    stance("annotate", "import", "d.csv", "--coder", "chair", "-o", "c.jsonl", *BOOK, code=0)
    done = stance("annotate", "adjudicate", "both.jsonl", "--decisions", "c.jsonl",
                  "-o", "labelled.jsonl", *BOOK, code=0)  # fmt: skip
    assert "differ" not in done.err
    rows = map(json.loads, (stance.folder / "labelled.jsonl").read_bytes().splitlines())
    told = {row["doc_id"]: (row["speaker"], row["date"], row["genre"]) for row in rows}
    assert len(told) == 8
    assert told["d3"] == ("Ben", "2020-03-01", "letter")
    stance("evaluate", "labelled.jsonl", "-m", "bundle", "--report", "page.html",
           "--out", "scores.json", "--replicates", "100", code=0)  # fmt: skip
    slices = json.loads((stance.folder / "scores.json").read_bytes())["slices"]
    found = {(one["facet"], one["name"]) for one in slices}
    assert found >= {
        ("speaker", "Anna"), ("speaker", "Ben"), ("genre", "letter"), ("genre", "review"),
        ("year", "2020"), ("year", "2021"), ("year", "2022"),
    }  # fmt: skip
    # where sentences of a document differ, it has none, and the command says so
    both = (stance.folder / "both.jsonl").read_text("utf-8")
    (stance.folder / "both.jsonl").write_text(both.replace("Anna", "Eve", 1), encoding="utf-8")
    done = stance("annotate", "adjudicate", "both.jsonl", "-o", "labelled.jsonl", *BOOK, code=0)
    assert "its sentences differ in speaker, so the document has none" in " ".join(done.err.split())


def test_spreadsheets_keep_typographic_quotation_marks_in_excel(annotated: Stance) -> None:
    """With a byte order mark, which is what Excel goes by; files without one are read as well."""
    stance = annotated
    (stance.folder / "docs" / "q.txt").write_text("The soup was “fine” – he said.", "utf-8")
    stance("classify", "docs", "-m", "bundle", "-o", "q.jsonl", code=0)
    stance("annotate", "export", "q.jsonl", "--to", "csv", "-o", "q.csv", *BOOK, code=0)
    path = stance.folder / "q.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbfdoc_id,")
    text = path.read_text("utf-8-sig")
    assert "“fine” –" in text
    imported = ("annotate", "import", "q.csv", "-o", "back.jsonl", "--coder", "ann", *BOOK)
    back = []
    for encoding in ("utf-8-sig", "utf-8"):
        path.write_text(text, encoding)
        fill_in(path, {}, tone="neither")
        stance(*imported, code=0)
        back.append((stance.folder / "back.jsonl").read_bytes())
    assert back[0] == back[1]
    assert "“fine” –".encode() in back[0]


def test_agreement_lists_what_it_cannot_use(shared: Stance) -> None:
    stance = shared
    said = {"doc_id": "d", "i": 0, "topic": [], "tone": "blame"}
    rows = [{**said, "coder": "ann"}, {**said, "coder": "bob", "tone": "praise"}, {**said, "i": 1}]
    lines = [json.dumps(row) for row in (*rows, rows[0])] + ["{"]
    (stance.folder / "rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    measure = ("agreement", "rows.jsonl", "--replicates", "0", *BOOK)
    done = stance(*measure, "-o", "rows.html", code=0)
    rejects = stance.folder / "rows.html.rejects.jsonl"
    assert "3 set aside: 1 bad row, 1 no coder, 1 duplicate" in " ".join(done.err.split())
    assert rejects.name in done.err
    listed = [json.loads(line) for line in rejects.read_bytes().splitlines()]
    assert sorted((one["location"], one["reason"]) for one in listed) == [
        ("line 3", "no coder"),
        ("line 4", "duplicate"),
        ("line 5", "bad row"),
    ]
    assert {one["source"] for one in listed} == {"rows.jsonl"}
    done = stance(*measure, code=0)
    assert "3 set aside" in done.err
    assert "rows.jsonl line 4: duplicate: coder 'ann' has coded '0' already" in done.err
    (stance.folder / "rows.jsonl").write_text("\n".join(lines[:1] + lines[2:]), encoding="utf-8")
    stance(*measure, "-o", "rows.html").failed(3, "two coders or more, got ann; 3 set aside")
    assert len(rejects.read_bytes().splitlines()) == 3


def test_wrong_calls_say_so(shared: Stance) -> None:
    stance = shared
    stance("annotate", "export", "codebook.yaml", "--to", "csv", "-o", "x.csv", *BOOK).failed(
        3, "no sentence to annotate"
    )
    stance("annotate", "import", "codebook.yaml", "-o", "x.jsonl", *BOOK).failed(3, "got '.yaml'")
    stance("annotate", "import", "no.csv", "-o", "x.jsonl", *BOOK).failed(3, "cannot be read")
    stance("agreement", "corpus.jsonl", *BOOK).failed(3, "needs two coders or more, got corpus")
    stance("agreement", "corpus.jsonl", "-o", "x.pdf", *BOOK).failed(2, "give a name in .html")
    stance("agreement", "corpus.jsonl", "--disputed", "x.txt", *BOOK).failed(2, "expected a name")
    stance("annotate", "import", "x.csv", "-o", "x.jsonl", "--rename", "a", *BOOK).failed(
        2, "OLD=NEW"
    )
