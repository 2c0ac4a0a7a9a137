"""The labelling interface has a control for all that a task can bring back."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from pipeline.codebook import Codebook, load_codebook
from pipeline.labelling.annotations import (
    Annotation,
    CodebookStamp,
    Item,
    Sheet,
    Span,
    SpanAttribution,
    Suggestion,
)
from pipeline.labelling.label_studio import write_tasks
from pipeline.labelling.label_studio_interface import interface
from pipeline.records import SPEAKER

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", ["tests/codebooks/tiny.yaml", "configs/codebook.yaml"])
def test_every_task_is_asked(name: str) -> None:
    codebook = load_codebook(ROOT / name)
    view = Xml.fromstring(interface(codebook))  # noqa: S314 - written a line above
    for task_name, task in codebook.tasks.items():
        [choices] = [tag for tag in view.iter("Choices") if tag.get("name") == task_name]
        several = task.type == "multilabel"
        assert choices.get("choice") == ("multiple" if several else "single-radio")
        assert choices.get("required") == "true"
        aliases = [tag.get("alias") for tag in choices]
        assert aliases == [*task.labels, *(["(none)"] if several else []), "(abstain)"]
        marks = [tag.get("alias") for tag in view.iter("Label")]
        assert all((f"{label}.holder" in marks) == task.attribution for label in task.labels)


def test_results_name_controls_and_values_of_the_interface(tiny: Codebook) -> None:
    view = Xml.fromstring(interface(tiny))  # noqa: S314 - written a line above
    controls = {tag.get("name"): tag for tag in view.iter() if tag.get("toName")}
    item = Item("d", "d#0", "The bread was stale.", speaker="A guest", genre="review")
    stamp = CodebookStamp.of(tiny)
    bread = Span("The bread", 0, 9)
    made = Annotation(
        item,
        "ann",
        stamp,
        labels={"topic": ("food", "service")},
        abstained=("tone",),
        attributions=(
            SpanAttribution("topic", "food", Span(SPEAKER), bread),
            SpanAttribution("topic", "service", Span("a guest"), None),
        ),
        comment="hm",
    )
    suggestion = Suggestion("m", {"topic": (), "tone": ("blame",)}, 0.75)
    [task] = json.loads(write_tasks([Sheet(item, stamp, None, suggestion, (made,), (made,))]))
    shown = [str(tag.get("value")) for tag in view if str(tag.get("value")).startswith("$")]
    assert shown == ["$said", "$statement", "$context", "$text"]
    assert {value.removeprefix("$") for value in shown} <= set(task["data"])
    assert task["data"]["statement"] == "A guest, review"
    assert task["data"]["said"].startswith("ann: topic: food, service; tone: (abstain)")
    [prediction] = task["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("m", 0.75)
    results = [*prediction["result"], *task["annotations"][0]["result"]]
    kinds = {"choices": "Choices", "labels": "Labels", "textarea": "TextArea"}
    for result in results:
        control = controls[result["from_name"]]
        assert control.tag == kinds[result["type"]]
        known = {tag.get("alias") for tag in control}
        if result["type"] != "textarea":
            assert set(result["value"][result["type"]]) <= known
    assert {result["from_name"] for result in results} == {
        *("topic", "tone", "topic-words", "topic-food-speaker", "topic-service-holder"),
        *("comment", "provenance"),
    }
