"""Reading YAML into models: every mistake at once, with its line and what was probably meant."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from pipeline.errors import InputError, SettingsError
from pipeline.validated_yaml import StrictModel, load_model, read_yaml, validate_model


class Oven(StrictModel):
    degrees: int
    mode: Literal["grill", "fan"] = "fan"


class Bowl(StrictModel):
    kind: Literal["bowl"]
    litres: float = 1.0


class Pan(StrictModel):
    kind: Literal["pan"]
    width: float = 1.0


class Recipe(StrictModel):
    title: str
    oven: Oven
    steps: tuple[str, ...] = ()
    ovens: tuple[Oven, ...] = ()
    by_country: dict[str, Oven] | None = None
    spare: Oven | None = None
    vessel: Annotated[Bowl | Pan, Field(discriminator="kind")] | None = None


GOOD = """\
title: Bread
oven:
  degrees: 220
steps:
  - knead
  - bake
"""


@pytest.fixture
def write(tmp_path: Path):
    def _write(text: str | bytes) -> Path:
        path = tmp_path / "recipe.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return _write


def mistakes(path: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_model(Recipe, path)
    return [mistake.replace(str(path), "F") for mistake in caught.value.mistakes]


def test_a_good_file_is_read(write) -> None:
    recipe = load_model(Recipe, write(GOOD))
    assert recipe == Recipe(title="Bread", oven=Oven(degrees=220), steps=("knead", "bake"))


def test_an_unknown_key_is_named_with_its_line_and_the_near_match(write) -> None:
    assert mistakes(write(GOOD + "stepps: []\n")) == [
        "F:7: unknown key 'stepps'. Did you mean 'steps'?"
    ]


@pytest.mark.parametrize(
    ("addition", "line", "key"),
    [
        ("ovens:\n  - degrees: 1\n    mod: fan\n", 9, "ovens.0.mod"),
        ("by_country:\n  it:\n    degrees: 1\n    mod: fan\n", 10, "by_country.it.mod"),
        ("spare:\n  degrees: 1\n  mod: fan\n", 9, "spare.mod"),
    ],
)
def test_near_matches_reach_into_lists_mappings_and_optional_parts(
    write, addition: str, line: int, key: str
) -> None:
    assert mistakes(write(GOOD + addition)) == [
        f"F:{line}: unknown key '{key}'. Did you mean 'mode'?"
    ]


def test_near_matches_in_a_choice_of_models_are_those_of_the_chosen_one(write) -> None:
    assert mistakes(write(GOOD + "vessel:\n  kind: pan\n  litres: 2\n")) == [
        "F:9: unknown key 'vessel.litres'. Known: kind, width."
    ]
    assert mistakes(write(GOOD + "vessel:\n  kind: pot\n"))[0].startswith("F:7: 'vessel'")


class Dial(StrictModel):
    marks: int | list[int]


def test_a_mistake_in_a_list_that_may_be_something_else_is_named(write) -> None:
    with pytest.raises(SettingsError) as caught:
        load_model(Dial, write("marks: [1, x]"))
    assert any("'marks.1': Input should be a valid integer" in m for m in caught.value.mistakes)


def test_a_key_far_from_all_known_ones_lists_them(write) -> None:
    [message] = mistakes(write(GOOD.replace("  degrees: 220", "  degrees: 220\n  zzz: 1")))
    assert message == "F:4: unknown key 'oven.zzz'. Known: degrees, mode."


def test_all_mistakes_are_reported_at_once(write) -> None:
    text = "titel: Bread\noven:\n  degrees: hot\n  mode: gril\nsteps: knead\n"
    found = mistakes(write(text))
    assert len(found) == 5
    assert "F: 'title' is missing" in found
    assert "F:1: unknown key 'titel'. Did you mean 'title'?" in found
    assert any(m.startswith("F:3: 'oven.degrees':") and "'hot'" in m for m in found)
    assert "F:4: 'oven.mode' is 'gril'. Did you mean 'grill'?" in found
    assert any(m.startswith("F:5: 'steps':") for m in found)


def test_the_message_counts_the_mistakes(write) -> None:
    with pytest.raises(SettingsError, match="2 mistakes"):
        load_model(Recipe, write("oven:\n  degrees: 1\n  mod: fan\n"))


def test_a_key_given_twice_is_an_error_and_not_the_last_one_wins(write) -> None:
    [message] = mistakes(write(GOOD + "title: Cake\n"))
    assert message.startswith("F:7: ")
    assert "duplicate key" in message
    assert "title" in message


def test_words_that_old_yaml_took_for_booleans_stay_text(write) -> None:
    for word in ("no", "yes", "on", "off", "y"):
        assert load_model(Recipe, write(GOOD.replace("Bread", word))).title == word


def test_a_number_where_text_belongs_is_told_to_be_quoted(write) -> None:
    assert mistakes(write(GOOD.replace("Bread", "1.2"))) == [
        "F:1: 'title': expected text, put it in quotation marks (got 1.2)"
    ]


def test_text_of_any_script_survives(write) -> None:
    title = "Ma‘arrat al-Nu‘man – 平和 ‏سلام‏ 🕊"
    assert load_model(Recipe, write(GOOD.replace("Bread", title))).title == title


def test_a_byte_order_mark_and_windows_line_ends_are_fine(write) -> None:
    text = "\ufeff" + GOOD.replace("\n", "\r\n")
    assert load_model(Recipe, write(text)).steps == ("knead", "bake")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a: [1, 2", "F:1: "),
        ("a:\n\tb: 1", "F:2: "),
        ("a: *nowhere", "undefined alias 'nowhere'"),
        (GOOD + "---\nb: 1\n", "found another document"),
        ("a: '\x00'", "not allowed"),
        ("&a\nb: *a\n", "contains itself"),
        ("", "got nothing"),
        ("- a\n- b\n", "expected 'key: value' pairs"),
        ("hello", "expected 'key: value' pairs, got str"),
        ("a: b\nc: !!int ''", "F:2: '' cannot be read as int"),
        ("a: !!float ''", "F:1: '' cannot be read as float"),
        ("a: [x, !!bool maybe]", "F:1: 'maybe' cannot be read as bool"),
        ("a:\n  b: 2024-13-45", "F:2: '2024-13-45' cannot be read as timestamp (month"),
        ("? [a]: [b]", "is not YAML: unhashable"),
        ("a: b\nc: !!omap [{d: 1}, {d: 2}]", "F:2: this cannot be read as omap"),
        ("!!omap\n- d: 1\n- d: 2\n", "is not YAML: a tag does not fit its value, or a key stands"),
        ("%YAML 1.3\n---\na: b\n", "is not YAML: version minor part can only be 2 or 1"),
    ],
)
def test_what_is_not_a_yaml_mapping_is_one_clear_mistake(write, text: str, part: str) -> None:
    [message] = mistakes(write(text))
    assert part in message


@given(
    st.sampled_from(["int", "float", "bool", "null", "timestamp", "binary", "set", "omap", "x"]),
    st.sampled_from(["a: {}", "a:\n  - {}", "{}: a", "? [{}]\n: [a]", "<<: {}"]),
    st.sampled_from(["''", "-", "0x", "maybe", "[1]", "{a: b}", "~", "1:99", "2024-13-45", "é"]),
)
def test_a_tag_that_does_not_fit_is_an_expected_error(
    tmp_path_factory: pytest.TempPathFactory, tag: str, place: str, value: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "tagged.yaml"
    path.write_text(place.format(f"!!{tag} {value}"), encoding="utf-8")
    with suppress(SettingsError):
        read_yaml(path)


def test_a_comment_and_blank_lines_around_a_value_are_passed_over(write) -> None:
    assert read_yaml(write("a: # why\n\n  b\n\nc: 1 # so\n# end\n")) == {"a": "b", "c": 1}


def test_python_objects_are_never_built(write, tmp_path: Path) -> None:
    target = tmp_path / "made"
    text = f"{GOOD}spare: !!python/object/apply:pathlib.Path.touch ['{target}']\n"
    assert mistakes(write(text))
    assert not target.exists()


def test_files_that_cannot_be_read_are_input_errors(write, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_model(Recipe, tmp_path / "none.yaml")
    with pytest.raises(InputError, match="cannot be read"):
        load_model(Recipe, tmp_path)
    with pytest.raises(InputError, match="UTF-8"):
        load_model(Recipe, write(b"title: \xff\xfe"))


def test_mappings_without_lines_name_their_origin() -> None:
    with pytest.raises(SettingsError, match=r"options: unknown key 'oven\.degree'"):
        validate_model(Recipe, {"title": "x", "oven": {"degrees": 1, "degree": 2}}, where="options")


def test_models_are_frozen() -> None:
    oven = Oven(degrees=1)
    with pytest.raises(ValueError, match="frozen"):
        oven.degrees = 2  # type: ignore[misc]  # the point of the test


@given(st.binary(max_size=200))
def test_no_bytes_escape_as_anything_but_an_expected_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(data)
    with pytest.raises((InputError, SettingsError)):
        load_model(Recipe, path)
