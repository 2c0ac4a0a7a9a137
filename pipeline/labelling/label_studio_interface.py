"""The labelling interface of Label Studio, made from the codebook."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from pipeline.codebook import Codebook, Label, Task, TaskType
from pipeline.labelling.annotation_csv import ABSTAIN, NONE
from pipeline.labelling.label_studio import (
    COMMENT,
    PROVENANCE,
    TEXT,
    holder_control,
    speaker_control,
    words_control,
)
from pipeline.records import SPEAKER


def interface(codebook: Codebook) -> str:
    """Return the labelling configuration (XML) that `label_studio.to_task` writes tasks for.

    A multilabel task is a group of check boxes, a multiclass task one of radio buttons. Both have
    to be answered: "none of them" and "cannot decide" are answers of their own.
    """
    view = Xml.Element("View")
    Xml.SubElement(view, "Header", value="$said", size="6")
    Xml.SubElement(view, "Header", value="$statement", size="6")
    Xml.SubElement(view, "Text", name="before", value="$context", granularity="word")
    Xml.SubElement(view, "Header", value=codebook.unit, size="6")
    for name, task in codebook.tasks.items():
        if task.attribution:
            _words(view, name, task)
    Xml.SubElement(view, "Text", name=TEXT, value="$text", granularity="word")
    for name, task in codebook.tasks.items():
        _question(view, name, task)
    Xml.SubElement(view, "Header", value="Comment", size="5")
    _text_area(view, COMMENT, "Anything that made this hard")
    _text_area(Xml.SubElement(view, "View", style="display: none"), PROVENANCE, "")
    Xml.indent(view)
    return Xml.tostring(view, encoding="unicode") + "\n"


def _words(parent: Xml.Element, name: str, task: Task) -> None:
    marks = Xml.SubElement(parent, "Labels", name=words_control(name), toName=TEXT)
    for label_name, label in task.labels.items():
        for role in ("holder", "target"):
            mark = f"{label_name}.{role}"
            shown = f"{label.title}: {role}"
            Xml.SubElement(marks, "Label", value=shown, alias=mark, background=label.colour)


def _question(parent: Xml.Element, name: str, task: Task) -> None:
    several = task.type is TaskType.MULTILABEL
    Xml.SubElement(parent, "Header", value=task.question, size="5")
    choices = Xml.SubElement(
        parent,
        "Choices",
        name=name,
        toName=TEXT,
        choice="multiple" if several else "single-radio",
        required="true",
        requiredMessage=f"Answer: {task.question}",
    )
    for label_name, label in task.labels.items():
        Xml.SubElement(choices, "Choice", value=label.title, alias=label_name, hint=_hint(label))
    if several:
        Xml.SubElement(choices, "Choice", value="None of these", alias=NONE)
    Xml.SubElement(choices, "Choice", value="Cannot decide", alias=ABSTAIN)
    if task.attribution:
        for label_name, label in task.labels.items():
            _holder(parent, name, label_name, label)


def _holder(parent: Xml.Element, task: str, name: str, label: Label) -> None:
    """Ask who holds a label that was given, where the sentence does not name him."""
    view = Xml.SubElement(
        parent, "View", visibleWhen="choice-selected", whenTagName=task, whenChoiceValue=name
    )
    Xml.SubElement(view, "Header", value=f"{label.title}: who holds it?", size="6")
    speaker = Xml.SubElement(
        view, "Choices", name=speaker_control(task, name), toName=TEXT, choice="multiple"
    )
    Xml.SubElement(speaker, "Choice", value="The speaker", alias=SPEAKER)
    hint = "Named in another sentence (words of this one are marked above)"
    _text_area(view, holder_control(task, name), hint)


def _text_area(parent: Xml.Element, name: str, hint: str) -> None:
    Xml.SubElement(
        parent, "TextArea", name=name, toName=TEXT, placeholder=hint, editable="true", rows="1"
    )


def _hint(label: Label) -> str:
    counts = [f"Counts: {'; '.join(label.count)}"] if label.count else []
    not_counted = [f"Does not count: {'; '.join(label.do_not_count)}"] if label.do_not_count else []
    return " ".join([label.definition, *counts, *not_counted])
