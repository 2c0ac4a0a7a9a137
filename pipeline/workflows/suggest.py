"""Stage `suggest`: which of the classified sentences to label next, as tasks for `annotate`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.classifiers.encoder import resolve_encoder
from pipeline.classifiers.registry import classifier_class
from pipeline.codebook import Codebook
from pipeline.errors import SettingsError
from pipeline.evaluation.sampling_design import strata_by_label
from pipeline.evaluation.suggestion import Numbers, choose, uncertainty, word_vectors
from pipeline.inference.row_files import read_rows
from pipeline.inference.rows import NUMBERS, Row, RowFormat
from pipeline.labelling.annotation_reader import AnnotationReader
from pipeline.labelling.annotations import Annotation, Sampling, to_line
from pipeline.labelling.near_duplicates import near_duplicate_groups
from pipeline.output import whole_file, write_text
from pipeline.records import RejectReason, Sentence
from pipeline.settings.classifiers import EncoderSettings
from pipeline.settings.estimation import Strategy, Vectors
from pipeline.workflows.annotate import read_annotations
from pipeline.workflows.population import LabelledPopulation, is_unread, read_population
from pipeline.workflows.record_files import Rejects, rejects_path


@dataclass(frozen=True, slots=True)
class SuggestSummary:
    """What was suggested, and what was left out.

    `labelled` sentences have annotations; `near_labelled` are near-duplicates of annotated ones,
    `near` those of another sentence that stands for them. `outside` of `near_labelled` resemble
    annotated sentences that are not among the predictions: these alone have no chance.
    `before` is the file of the earlier annotations, `None` where there are none.
    """

    sentences: int
    drawn: int
    labelled: int
    near_labelled: int
    near: int
    outside: int
    before: Path | None
    rejected: Mapping[RejectReason, int]
    rejects_file: Path


@dataclass(frozen=True, slots=True)
class _Pool:
    """What may be suggested: one row of the predictions for each group of near-duplicates.

    `rows` and `sizes` (m,) are their places among the predictions and the sizes of their groups.
    `before` maps places of annotated sentences to the chance that they stand for.
    """

    rows: Numbers
    sizes: Numbers
    before: Mapping[int, float]
    near_labelled: int
    outside: int


def suggest(
    predictions: Path,
    codebook: Codebook,
    *,
    number: int,
    strategy: Strategy,
    random_share: float,
    labelled: Sequence[Path],
    vectors: Vectors,
    blind: bool,
    seed: int,
    out: Path,
) -> SuggestSummary:
    """Choose sentences to label and write them as `stance annotate export` takes them.

    Each carries its `sampling`: by which design it was chosen and with which probability.

    Args:
        predictions: what `stance classify` wrote.
        random_share: part of `number`, in (0, 1], that is drawn at random; not used by `RANDOM`
            and `STRATIFIED`, which draw all of it.
        labelled: annotations or labelled documents; see `read_annotations`.
        blind: leave out what the model says, which annotators would lean towards.

    Raises:
        InputError: a file cannot be read.
        SettingsError: fewer than `number` sentences are left.
        MissingExtra: `vectors` needs a package that is not installed.
        OutputError: an output cannot be written.
    """
    known = read_population(predictions, codebook)
    texts = _texts(predictions, codebook)
    reader = read_annotations(labelled, codebook)
    draws = _seed(seed, reader.annotations)
    pool = _pool(known, texts, reader.annotations, draws)
    if not 1 <= number <= len(pool.rows):
        raise SettingsError(
            [f"cannot suggest {number} of {len(pool.rows)} sentences that are left to label"],
            where="--number",
        )
    # Groups so large that a random sample would hold one of each are taken for certain, else single
    # sentences would stand for most of the texts.
    heavy = pool.sizes > pool.sizes.sum() / number
    light = np.flatnonzero(~heavy)
    strata = strata_by_label(known.population.given[pool.rows[light]] == 1.0)
    if strategy is Strategy.STRATIFIED:
        _require_enough(number, len(np.unique(strata)), int(heavy.sum()))
    points = None
    if strategy in (Strategy.DIVERSITY, Strategy.MIX):
        covered = [texts[i] for i in pool.rows[heavy]]
        covered += [annotation.item.text for annotation in reader.annotations]
        points = _points([*(texts[i] for i in pool.rows[light]), *covered], vectors, draws)
    inclusion, drawn = np.ones(len(pool.rows)), np.zeros(len(pool.rows), dtype=bool)
    inclusion[light], drawn[light] = choose(
        strategy,
        uncertainty(known.population.scores[pool.rows[light]], codebook),
        strata,
        points,
        number - int(heavy.sum()),
        random_share=random_share,
        seed=draws,
    )
    chances: dict[str, Sampling] = {}
    for at in np.flatnonzero(~np.isnan(inclusion)).tolist():
        how = "drawn at random" if drawn[at] else "taken"
        design = f"{strategy.value}, {how}, seed {seed}"
        name = known.sentence_ids[pool.rows[at]]
        chances[name] = Sampling(design, float(inclusion[at] / pool.sizes[at]))
    tasks = _tasks(predictions, codebook, chances, blind)
    write_text(out, "".join(json.dumps(task, ensure_ascii=False) + "\n" for task in tasks))
    rejects = Rejects(reader.rejections)
    rejects.write(rejects_path(out))
    return SuggestSummary(
        sentences=len(chances),
        drawn=int(drawn.sum()),
        labelled=len(pool.before),
        near_labelled=pool.near_labelled,
        near=int((pool.sizes - 1).sum()),
        outside=pool.outside,
        before=_write_before(reader, known, pool, out),
        rejected=dict(rejects.counts),
        rejects_file=rejects_path(out),
    )


def _seed(seed: int, annotations: Sequence[Annotation]) -> int:
    """Return the seed of a round.

    The same draw from a population that lacks a few sentences takes the neighbours of those that it
    took before, so rounds with one seed would not be independent.
    """
    labelled = len({annotation.item.key for annotation in annotations})
    mixed = np.random.SeedSequence((seed, 2, labelled)).generate_state(1)[0]
    return int(mixed) if labelled else seed


def _require_enough(number: int, strata: int, certain: int) -> None:
    if number < strata + certain:
        raise SettingsError(
            [
                f"the strategy '{Strategy.STRATIFIED.value}' takes one of each of {strata} groups "
                f"of sentences by predicted label, and {certain} that stand for many near-"
                f"duplicates; cannot suggest {number}, give {strata + certain} or more"
            ],
            where="--number",
        )


def before_path(out: Path) -> Path:
    """Return where the earlier annotations of suggestions in `out` go."""
    return out.with_name(f"{out.stem}.before.jsonl")


def _texts(predictions: Path, codebook: Codebook) -> list[str]:
    """Return the texts of the population, in its order."""
    format_ = RowFormat(codebook)
    rows = read_rows(predictions, format_, ("text", *format_.probability_columns))
    return [str(row["text"]) for _, row in rows if not is_unread(row, format_)]


def _pool(
    known: LabelledPopulation,
    texts: Sequence[str],
    annotations: Sequence[Annotation],
    seed: int,
) -> _Pool:
    count = len(texts)
    groups = near_duplicate_groups([*texts, *(one.item.text for one in annotations)])
    own = groups[:count]
    sizes = np.bincount(own, minlength=int(groups.max()) + 1)
    said = {i for one in annotations if (i := _place(known, texts, one)) is not None}
    annotated = np.bincount(own[sorted(said)], minlength=len(sizes))
    closed = np.zeros(len(sizes), dtype=bool)
    closed[groups[count:]] = True
    # One sentence at random stands for its group.
    order = np.random.default_rng(seed).permutation(count)
    open_groups, first = np.unique(own[order], return_index=True)
    keep = ~closed[open_groups]
    rows = order[first[keep]]
    by_place = np.argsort(rows)
    return _Pool(
        rows=rows[by_place].astype(np.intp),
        sizes=sizes[open_groups[keep]][by_place],
        before={i: float(annotated[own[i]] / sizes[own[i]]) for i in said},
        near_labelled=int(closed[own].sum()) - len(said),
        outside=int((closed & (annotated == 0))[own].sum()),
    )


def _place(known: LabelledPopulation, texts: Sequence[str], one: Annotation) -> int | None:
    place = known.rows.get(one.item.sentence_id)
    return place if place is not None and texts[place] == one.item.text else None


def _points(texts: Sequence[str], vectors: Vectors, seed: int) -> npt.NDArray[np.float32]:
    """Return vectors of unit length, (n, d)."""
    if vectors is Vectors.WORDS:
        return word_vectors(texts, seed=seed)
    classifier_class("embedding")  # says which extra is missing, where one is
    from pipeline.classifiers.embedding import FrozenEncoder

    settings = EncoderSettings()
    encoder = FrozenEncoder(resolve_encoder(settings), max_tokens=settings.max_tokens)
    return encoder.embed([Sentence(str(i), "", text) for i, text in enumerate(texts)])


def _tasks(
    predictions: Path, codebook: Codebook, chances: Mapping[str, Sampling], blind: bool
) -> Iterator[dict[str, object]]:
    """Yield the rows of the chosen sentences, their context as `context_of` has it."""
    format_ = RowFormat(codebook)
    empty_list = predictions.suffix.lower() == ".csv"  # which CSV does not tell from null
    document, before = None, ""
    for _, row in read_rows(predictions, format_, format_.columns):
        if row["doc_id"] != document:
            document, before = row["doc_id"], ""
        sampling = chances.get(str(row["sentence_id"]))
        if sampling is not None and not is_unread(row, format_):
            task: Row = dict(row)
            for name in NUMBERS:
                task[name] = None if row[name] is None else int(float(str(row[name])))
            for name in codebook.multilabel_tasks():
                task[name] = [] if row[name] is None and empty_list else row[name]
            if blind:
                answers = (*codebook.tasks, *format_.probability_columns, "model")
                task |= dict.fromkeys(answers)
            drawn = {"design": sampling.design, "probability": sampling.probability}
            yield {**task, "context": row["lead_in"] or before, "sampling": drawn}
        before = str(row["text"])


def _write_before(
    reader: AnnotationReader, known: LabelledPopulation, pool: _Pool, out: Path
) -> Path | None:
    """Write annotations of the predictions with the chance they have beside the new ones.

    Given that they are labelled, their groups are in the sample for certain.
    """
    path = before_path(out)
    kept = []
    for annotation in reader.annotations:
        place = known.rows.get(annotation.item.sentence_id)
        if place is not None and place in pool.before:
            sampling = Sampling("labelled before", pool.before[place])
            kept.append(replace(annotation, sampling=sampling))
    if not kept:
        path.unlink(missing_ok=True)
        return None
    with whole_file(path) as file:
        file.writelines(map(to_line, kept))
    return path
