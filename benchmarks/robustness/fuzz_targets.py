"""What `benchmarks.robustness.fuzz` fuzzes: the parts that read hostile bytes in pure Python.

A check takes a number, which chooses among variants, and the bytes of a file or text; it raises
where something is not as documented.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from benchmarks.robustness.fuzz_documents import (
    MARKUP,
    Target,
    delimited,
    json_lines,
    markdown,
    require,
    text,
)
from pipeline.actors import date_of, load_linker, load_registry
from pipeline.attribution.rules import first_reported
from pipeline.classifiers.inputs import as_read, opening
from pipeline.codebook import Codebook, load_codebook
from pipeline.errors import InputError, StanceError
from pipeline.labelling.annotation_csv import read_csv, write_csv
from pipeline.labelling.annotation_reader import AnnotationReader
from pipeline.labelling.annotations import Annotation, CodebookStamp, Sheet, to_line
from pipeline.labelling.corpus import read_labelled
from pipeline.labelling.label_studio import write_tasks
from pipeline.labelling.label_studio_export import read_tasks
from pipeline.labelling.name_lists import load_names
from pipeline.labelling.negation import Scopes
from pipeline.labelling.rules import RuleSet
from pipeline.labelling.typography import plain
from pipeline.settings.experiment import load_settings

ROOT = Path(__file__).parents[2]
CODEBOOK = ROOT / "configs" / "codebook.yaml"

Reads = Callable[[str], AnnotationReader]
Writes = Callable[[Annotation], str]


def yaml() -> Target:
    """Settings, codebooks, actors and lists of names: nothing but a documented error comes out."""
    path = Path(tempfile.mkdtemp()) / "read.yaml"
    as_json = path.with_suffix(".json")

    def registry(path: Path) -> object:
        return load_registry([path])

    loaders: tuple[Callable[[Path], object], ...] = (
        lambda path: RuleSet(load_codebook(path)).fire("We do not condemn the two attacks."),
        load_settings,
        registry,
        load_names,
        lambda path: load_codebook(path.rename(as_json)),
    )

    def check(number: int, body: bytes) -> None:
        path.write_bytes(body)
        with suppress(StanceError):
            loaders[number % len(loaders)](path)

    rule = (
        "name: c\nversion: '1.0'\nabout: x\nunit: y\n"
        "negation: {words: [not, no longer], pseudo: [not only], ends: [but], scope: 4}\n"
        "tasks:\n  t:\n    type: multilabel\n    question: q\n    labels:\n      l:\n"
        "        title: L\n        colour: '#aabbcc'\n        definition: d\n        rules:\n"
        "          - {name: r, words: [condemn], negated: flip, weight: 2}\n"
        "          - {name: p, pattern: 'two (at|de)[a-z]+', unless: no}\n"
        "      m: {title: M, colour: '#aabbcc', definition: e}\n"
        "constraints: [{when: t.l, never: t.m}]\n"
    )
    actors = (
        "source: a book\nlists: {zz: A list}\nactors:\n  a-b:\n    kind: group\n    name: A\n"
        "    aliases: [B, {name: C, from: 2001-02-03}]\n    listed: [{on: zz}]\n    of: FRA\n"
        "    source: a book\nnames:\n  FRA: {short: [D]}\n"
    )
    settings = (ROOT / "configs" / "demo.yaml").read_text()
    settings += "tune: {space: {linear: {c: {low: 1, high: 2}, balanced: [true, false]}}}\n"
    names = (ROOT / "configs" / "names.yaml").read_text()
    path.write_text(rule)
    made = load_codebook(path).model_dump_json(exclude_none=True)
    odd = "%YAML 1.2\n---\na: # why\n\n  b\n\nc: !!omap [{d: 1}, {e: 2}]\nf: !!set {g}\n"
    seeds = [rule, settings[settings.index("codebook:") :], actors, names[:1_400], made, odd]
    return Target(
        check,
        [seed.encode() + bytes([number]) for number, seed in enumerate(seeds)],
        "!!int !!float !!timestamp !!omap !!set !!binary <<: ? &a *a | > {} [] # 0x 1_0 \n\n \t "
        "%YAML tasks: labels: rules: words: pattern: constraints: actors: names: members:",
        longest=2_000,
    )


def labelled() -> Target:
    """Labelled documents: every line that holds something is read or set aside."""
    codebook = load_codebook(CODEBOOK)
    path = Path(tempfile.mkdtemp()) / "read.jsonl"

    def check(number: int, body: bytes) -> None:
        path.write_bytes(body)
        with suppress(InputError):
            read, set_aside = read_labelled(path, codebook, probabilities=bool(number & 1))
            lines = body.removeprefix(b"\xef\xbb\xbf").split(b"\n")
            held = sum(bool(line.strip()) for line in lines)
            require(len(read) + len(set_aside) == held, "rows in, rows out")

    sentence = {
        "text": "x",
        "stance": [{"label": "condemnation", "holder": "SPEAKER"}, "call_for_restraint"],
        "claim": None,
        "context": ["a"],
        "probabilities": {"stance": dict.fromkeys(codebook.tasks["stance"].labels, 0.9)},
    }
    document = {"doc_id": "d", "date": "2024", "sentences": [sentence, {"text": "y"}]}
    row = json.dumps(document).encode()
    words = " ".join([*names_of(codebook), "holder NaN \\ud800 {}"])
    return Target(check, [row + b"\1", row + b"\n" + row[:-1] + b"\0"], words)


def annotations() -> Target:
    """Annotations in three formats; those that are kept survive every way of writing them."""
    codebook = load_codebook(CODEBOOK)
    stamp = CodebookStamp.of(codebook)

    def lines(text: str) -> AnnotationReader:
        reader = AnnotationReader(codebook, coder="anna")
        held = [line for line in text.encode().split(b"\n") if line.strip()]
        for line in held:
            reader.read_json_line(line, "file", "line")
        out = len(reader.annotations) + len(reader.rejections) + reader.blank
        require(out == len(held), "rows in, rows out")
        return reader

    def cells(text: str) -> AnnotationReader:
        reader = AnnotationReader(codebook, coder="anna")
        with suppress(InputError):
            read_csv(text, "file", reader)
        return reader

    def tasks(text: str) -> AnnotationReader:
        reader = AnnotationReader(codebook, coder="anna")
        read_tasks(text, "file", reader)
        return reader

    def sheet_of(one: Annotation) -> Sheet:
        return Sheet(one.item, one.codebook, one.sampling, annotations=(one,))

    formats: tuple[tuple[Reads, Writes], ...] = (
        (lines, lambda one: to_line(one).decode()),
        (cells, lambda one: write_csv([sheet_of(one)], codebook)),
        (tasks, lambda one: write_tasks([sheet_of(one)])),
    )

    def check(number: int, body: bytes) -> None:
        read, _ = formats[number % len(formats)]
        for one in read(body.decode("utf-8", "replace")).annotations:
            for again, write in formats:
                promise = f"{again.__name__} give back what was written"
                require(again(write(one)).annotations == [one], promise)

    item = {"doc_id": "d", "sentence_id": "d#0", "text": "We condemn it.", "start": 0, "end": 14}
    draft: Mapping[str, object] = {
        "item": item,
        "coder": "anna",
        "codebook": {"name": stamp.name, "version": stamp.version, "signature": stamp.signature},
        "time": "2024-01-31T10:00:00Z",
        "sampling": {"design": "random", "probability": 0.5},
        "labels": {"stance": ["condemnation"]},
        "attributions": [
            {"task": "stance", "label": "condemnation", "holder": {"text": "We"}, "target": None}
        ],
        "comment": "=x",
    }
    [one] = lines(json.dumps(draft)).annotations
    seeds = [write(one).encode() + bytes([number]) for number, (_, write) in enumerate(formats)]
    words = " ".join([*names_of(codebook), '[] none SPEAKER "\\" ""'])
    return Target(check, seeds, words)


def names_of(codebook: Codebook) -> tuple[str, ...]:
    """Return the names of tasks and labels."""
    return (*codebook.tasks, *(label for _, label in codebook.columns))


def rules() -> Target:
    """What rules, their negations, classifiers and attribution by rules read of a sentence."""
    codebook = load_codebook(CODEBOOK)
    ruled = RuleSet(codebook)
    scopes = Scopes(codebook.negation) if codebook.negation else None

    def check(_: int, body: bytes) -> None:
        text = body.decode("utf-8", "replace")
        require(
            len(as_read(text)) == len(text) - opening(plain(text)),
            "positions differ by the opening",
        )
        require(scopes is None or len(scopes.hidden(text)) == len(text), "hiding keeps positions")
        ruled.fire(text)
        found = first_reported(text)
        if found is not None:
            for span in (found.who, found.verb):
                require(0 <= span.start < span.end <= len(text), "spans lie in the text")

    seeds = [
        "1. Mr. President, we do not only condemn, but “strongly” deplore the attack of 7 October.",
        "France, he said, no longer calls on all parties to refrain; we were told by the Minister.",
        "(iv) Your Excellency, according to the U.N., nobody supports it – İstanbul’s ﬁrst.",
    ]
    words = " ".join(["not only, no longer never said by urged that “ ” he they", MARKUP])
    return Target(check, [seed.encode() + b"\0" for seed in seeds], words, longest=2_000)


def actors() -> Target:
    """Mentions of actors: the first line is one, the second the speaker, others came before."""
    linker = load_linker()

    def check(number: int, body: bytes) -> None:
        mention, *others = body.decode("utf-8", "replace").split("\n")
        speaker = others[0] if others else None
        date = date_of(("", "2024-01-31", "1985-05-05")[number % 3])
        links = linker.link(mention, speaker=speaker, date=date, earlier=others[1:])
        require(bool(links), "a mention has at least one part")
        for link in links:
            require(
                all(actor in linker.registry.actors for actor in link.actors), "actors are known"
            )

    seeds = [
        "the Foreign Ministers of France, Bosnia and Herzegovina and the United Kingdom\n"
        "Mr. Nebenzia (Russian Federation)\nFrance, Germany\nPresident Macron of France",
        "we\nThe Permanent Representative of the U.S. on behalf of the E.U.\nthe Assad regime",
        "the four allies\n\nFrance, Italy, Spain and Poland",
        "the regime's spokesman\nx\nthe Syrian regime",
        "Georgia, Armenia & Israel's army (IDF)/Hamas\nthe Secretary-General\nNATO",
    ]
    words = "the of and , ( ) 's ’ / & on_behalf_of Minister President regime its our two allies"
    return Target(check, [seed.encode() + bytes([1]) for seed in seeds], words, longest=600)


TARGETS: Mapping[str, Callable[[], Target]] = {
    "text": text,
    "markdown": markdown,
    "jsonl": json_lines,
    "csv": delimited,
    "yaml": yaml,
    "labelled": labelled,
    "annotations": annotations,
    "rules": rules,
    "actors": actors,
}
