"""The codebook model: columns, hashes, and everything that makes a codebook invalid."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.codebook import Codebook, TaskType, load_codebook
from pipeline.errors import InputError, SettingsError

TINY = Path(__file__).parents[2] / "codebooks" / "tiny.yaml"


@pytest.fixture(scope="module")
def tiny() -> Codebook:
    return load_codebook(TINY)


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., Path]:
    def _changed(*replacements: tuple[str, str]) -> Path:
        text = TINY.read_text(encoding="utf-8")
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "changed.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return _changed


def mistakes(path: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_codebook(path)
    return [mistake.replace(str(path), "F") for mistake in caught.value.mistakes]


def test_forms_are_told_in_words(changed: Callable[..., Path]) -> None:
    text = TINY.read_text(encoding="utf-8")
    colour = text[text.index('"#') :].split("\n")[0][:9]
    version = next(line for line in text.splitlines() if line.startswith("version:"))
    path = changed((colour, "red"), (version, "version: one"), ("\n      food:", "\n      Food:"))
    told = " ".join(mistakes(path))
    assert """expected a colour as "#RRGGBB", in quotation marks (got 'red')""" in told
    assert """'version': expected numbers with points, such as "1.0" (got 'one')""" in told
    assert "expected a small letter a-z, then at most 39 small letters, digits or und" in told
    assert "pattern" not in told


def test_columns_are_all_labels_in_file_order(tiny: Codebook) -> None:
    assert tiny.columns == (
        ("topic", "food"),
        ("topic", "service"),
        ("tone", "praise"),
        ("tone", "blame"),
        ("tone", "neither"),
    )
    assert tiny.width == 5
    assert tiny.column_names[2] == "tone.praise"


def test_a_task_is_a_slice_of_the_columns(tiny: Codebook) -> None:
    assert tiny.slice_of("topic") == slice(0, 2)
    assert tiny.slice_of("tone") == slice(2, 5)
    with pytest.raises(KeyError, match="Did you mean 'topic'"):
        tiny.slice_of("topics")


def test_tasks_are_sorted_by_type(tiny: Codebook) -> None:
    assert tiny.multilabel_tasks() == ("topic",)
    assert tiny.multiclass_tasks() == ("tone",)
    assert tiny.tasks["tone"].type is TaskType.MULTICLASS


def test_wording_changes_the_digest_but_not_what_models_depend_on(
    tiny: Codebook, changed: Callable[..., Path]
) -> None:
    reworded = load_codebook(changed(("what was eaten or drunk", "the meal")))
    assert reworded.signature == tiny.signature
    assert reworded.digest != tiny.digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("      blame:", "      scorn:"),
        ("type: multilabel", "type: multiclass"),
        ("  tone:", "  mood:"),
    ],
)
def test_labels_types_and_tasks_change_the_signature(
    tiny: Codebook, changed: Callable[..., Path], old: str, new: str
) -> None:
    assert load_codebook(changed((old, new))).signature != tiny.signature


def test_the_order_of_labels_is_part_of_the_signature(tiny: Codebook) -> None:
    data = json.loads(tiny.model_dump_json())
    data["tasks"] = dict(reversed(data["tasks"].items()))
    assert Codebook.model_validate(data).signature != tiny.signature


def test_json_written_from_a_codebook_reads_back_equal(tiny: Codebook, tmp_path: Path) -> None:
    path = tmp_path / "codebook.json"
    path.write_text(tiny.model_dump_json(), encoding="utf-8")
    again = load_codebook(path)
    assert again == tiny
    assert again.digest == tiny.digest


@pytest.mark.parametrize("text", ["{", "\ufeffnull", '{"name": "x"', '{"name":' * 5_000])
def test_broken_json_is_one_clear_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "codebook.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read as JSON"):
        load_codebook(path)


def test_json_that_is_no_codebook_names_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "codebook.json"
    path.write_text('{"name": "x"}', encoding="utf-8")
    with pytest.raises(SettingsError, match="'tasks' is missing"):
        load_codebook(path)


def test_an_unknown_key_of_a_rule_gets_a_near_match(changed: Callable[..., Path]) -> None:
    [message] = mistakes(changed(("weight: 2.5", "wieght: 2.5")))
    assert message == (
        "F:32: unknown key 'tasks.topic.labels.food.rules.0.wieght'. Did you mean 'weight'?"
    )


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        (r"\b(?:soup|bread|wine|dessert)\b", "(soup", "not a regular expression"),
        (r"unless: \bexcellent\b", "unless: '*'", "not a regular expression"),
        (
            r"unless: \bexcellent\b",
            "unless: 'a(?!b)'",
            "look-ahead is not known here; use 'unless'",
        ),
        (r"unless: \bexcellent\b", "words: [ordered]", "takes either 'pattern' or 'words'"),
        (r"pattern: \bwe ordered\b", "words: []", "takes either 'pattern' or 'words'"),
        (r"unless: \bexcellent\b", "negated: block", "has no 'negation'"),
        (r"unless: \bexcellent\b", "negated: never", "negated' is 'never'"),
        ('"#d55e00"', "red", "'red'"),
        ("      food:", "      Food:", "'Food'"),
        ('version: "0.3"', "version: v3", "'v3'"),
        ("weight: 2.5", "weight: 11", "less than or equal to 10"),
        ("weight: 2.5", "weight: .nan", "nan"),
        ("names_staff", "names_a_dish", "unique within a task; twice: names_a_dish"),
        ("type: multilabel", "type: multilable", "Did you mean 'multilabel'"),
        ("title: Food", "title: ''", "at least 1 character"),
        ("  topic:", "  text:", "a task cannot be named text"),
        ("  topic:", "  sampling:", "a task cannot be named sampling"),
        ("definition: The sentence judges what", "defintion: The sentence judges what", "Did you"),
    ],
)
def test_invalid_codebooks_say_what_is_wrong(
    changed: Callable[..., Path], old: str, new: str, part: str
) -> None:
    assert any(part in message for message in mistakes(changed((old, new))))


def test_two_mistakes_in_two_places_are_both_reported(changed: Callable[..., Path]) -> None:
    found = mistakes(changed(("weight: 2.5", "weight: much"), ('"#d55e00"', "red")))
    assert [message.split(":")[1] for message in found] == ["32", "39"]


def test_a_choice_needs_two_labels(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    text = TINY.read_text(encoding="utf-8").split("      blame:")[0]
    path.write_text(text, encoding="utf-8")
    assert any("at least 2 label(s)" in message for message in mistakes(path))


def test_labels_must_not_share_a_column(tiny: Codebook) -> None:
    data = json.loads(tiny.model_dump_json())
    label = data["tasks"]["topic"]["labels"].pop("food")
    data["tasks"]["topic"]["labels"]["b_c"] = label
    data["tasks"]["topic_b"] = {**data["tasks"]["topic"], "labels": {"c": label}}
    with pytest.raises(ValueError, match="columns would be called topic_b_c"):
        Codebook.model_validate(data)


def test_a_codebook_without_tasks_is_none(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    path.write_text(TINY.read_text(encoding="utf-8").split("tasks:")[0] + "tasks: {}\n")
    assert any("'tasks'" in message for message in mistakes(path))


CONSTRAINTS = """constraints:
  - {when: topic.food, never: tone.neither}
  - {when: topic.service, always: topic.food}
"""


@pytest.fixture
def stating(tmp_path: Path) -> Callable[[str], Path]:
    def _stating(constraints: str) -> Path:
        path = tmp_path / "stating.yaml"
        text = TINY.read_text(encoding="utf-8").replace("tasks:\n", constraints + "tasks:\n", 1)
        path.write_text(text, encoding="utf-8")
        return path

    return _stating


def test_constraints_say_what_may_be_given_together(
    stating: Callable[[str], Path], tiny: Codebook, tmp_path: Path
) -> None:
    codebook = load_codebook(stating(CONSTRAINTS))
    never, always = codebook.constraints
    assert never.broken_by({"topic": ("food",), "tone": ("neither",)})
    assert not never.broken_by({"topic": ("service",), "tone": ("neither",)})
    assert not never.broken_by({"topic": ("food",), "tone": None})
    assert not never.broken_by({"topic": ("food",)})
    assert always.broken_by({"topic": ("service",)})
    assert not always.broken_by({"topic": ("service", "food")})
    assert not always.broken_by({"topic": ()})
    [linked] = codebook.linked
    assert linked.columns.tolist() == [0, 1, 2, 3, 4]
    shown = ["".join(map(str, row)) for row in linked.combinations.astype(int)]
    assert sorted(shown) == ["00001", "00010", "00100", "10010", "10100", "11010", "11100"]
    path = tmp_path / "codebook.json"
    path.write_text(codebook.model_dump_json(), encoding="utf-8")
    assert load_codebook(path) == codebook
    assert codebook.signature == tiny.signature
    assert codebook.digest != tiny.digest
    assert tiny.linked == ()
    assert "constraints" not in tiny.model_dump_json()


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        (
            "{when: topic.fod, never: tone.blame}",
            "unknown label 'fod' of task 'topic'. Did you mea",
        ),
        ("{when: topic.food, never: tune.blame}", "unknown task 'tune'. Did you mean 'tone'?"),
        ("{when: food, never: tone.blame}", "expected TASK.LABEL (got 'food')"),
        ("{when: topic.food, nevr: tone.blame}", "Did you mean 'never'?"),
        ("{when: topic.food}", "takes either 'never' or 'always'"),
        ("{when: topic.food, never: tone.blame, always: tone.praise}", "takes either"),
        ("{when: topic.food, never: topic.food}", "'topic.food' stands on both sides"),
        ("{when: tone.praise, never: tone.blame}", "labels of 'tone' exclude each other as they"),
    ],
)
def test_mistakes_in_constraints_are_named_with_their_line(
    stating: Callable[[str], Path], constraint: str, message: str
) -> None:
    good = "  - {when: topic.service, never: tone.praise}\n"
    found = mistakes(stating(f"constraints:\n{good}  - {constraint}\n"))
    assert all(mistake.startswith("F:10: ") for mistake in found), found
    assert any(message in mistake for mistake in found), found


def test_constraints_that_leave_no_way_to_give_a_label_are_refused(
    stating: Callable[[str], Path],
) -> None:
    both = (
        "  - {when: topic.food, always: tone.blame}\n  - {when: topic.food, always: tone.praise}\n"
    )
    [mistake] = mistakes(stating(f"constraints:\n{both}"))
    assert mistake == "F:8: 'constraints': together they leave no way to give topic.food"


def test_constraints_that_link_too_much_are_refused(tiny: Codebook) -> None:
    data = json.loads(tiny.model_dump_json())
    food = data["tasks"]["topic"]["labels"]["food"]
    data["tasks"]["topic"]["labels"] = {f"l{i}": {**food, "rules": []} for i in range(13)}
    chain = [{"when": f"topic.l{i}", "never": f"topic.l{i + 1}"} for i in range(12)]
    assert len(Codebook.model_validate({**data, "constraints": chain[:11]}).linked) == 1
    with pytest.raises(ValueError, match="link 13 labels with 8,192 combinations"):
        Codebook.model_validate({**data, "constraints": chain})


def test_a_label_that_is_not_of_the_codebook_is_told_with_what_is_near(tiny: Codebook) -> None:
    assert tiny.label_mistake("topic", "food") is None
    told = tiny.label_mistake("topic", "fod")
    assert told == "unknown label 'fod' of task 'topic'. Did you mean 'food'?"
    told = tiny.label_mistake("tune", "blame")
    assert told == "unknown task 'tune'. Did you mean 'tone'?"
