"""Cut a statement into sentences that know their place in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.records import BlockKind, Sentence, Statement
from pipeline.segmentation.blocks import find_blocks
from pipeline.segmentation.sentences import split_sentences

_INTRODUCES = re.compile(r":[\s\"'”’)\]]*[-–—]?\Z|\s[–—]\Z")
_TAIL = 12
_LONGEST_REPEATED = 1000
"""Characters of a heading or lead-in; every sentence below repeats them."""


def segment(statement: Statement) -> Iterator[Sentence]:
    """Yield the sentences of a statement in order; same input, same output, in linear time.

    For every sentence `statement.text[start:end] == text`, trimmed and never empty. All characters
    are covered but white space, markers of lists and headings, and rules ("* * *"). Ids are the
    document's id, "#" and the position, from 0. `lead_in` is set for items and numbered points
    whose list follows a sentence that ends with a colon; an inner list without one inherits it. Of
    a longer lead-in its last 1,000 characters are kept, of a heading the first.
    """
    text, doc_id = statement.text, statement.doc_id
    number = 0
    lead_ins: list[str] = []
    heading = context = ""
    for block in find_blocks(text):
        depth = 0 if block.kind is BlockKind.HEADING else len(block.list_path)
        if block.opens is not None:
            outer = lead_ins[block.opens - 1] if block.opens else ""
            introduces = _INTRODUCES.search(context[-_TAIL:])
            lead_in = context[-_LONGEST_REPEATED:] if introduces else outer
            lead_ins[block.opens :] = [lead_in] * (depth - block.opens)
        elif depth:
            del lead_ins[depth:]
        lead_in = lead_ins[depth - 1] if depth else ""
        block_text = text[block.start : block.end]
        for start, end in split_sentences(block_text):
            words = block_text[start:end]
            yield Sentence(
                sentence_id=f"{doc_id}#{number}",
                doc_id=doc_id,
                text=words,
                start=block.start + start,
                end=block.start + end,
                block=block.kind,
                list_path=block.list_path,
                heading=heading,
                lead_in=lead_in,
                context=context,
            )
            number += 1
            context = words
        if block.kind is BlockKind.HEADING:
            heading = block_text[:_LONGEST_REPEATED]
