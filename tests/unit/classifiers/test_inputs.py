from pipeline.classifiers.inputs import context_of
from pipeline.records import Sentence


def test_a_list_item_continues_its_lead_in() -> None:
    item = Sentence("s", "d", "cease fire;", lead_in="We call on them to:", context="desist;")
    assert context_of(item) == "We call on them to:"


def test_any_other_sentence_continues_the_one_before() -> None:
    assert context_of(Sentence("s", "d", "They did.", context="Who fired?")) == "Who fired?"
    assert context_of(Sentence("s", "d", "First.")) == ""
