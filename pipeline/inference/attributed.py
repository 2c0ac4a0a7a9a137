"""One row an expressed label: who holds it, toward whom, with the sentence as proof.

These rows are what `stance attribute` writes beside the rows of `stance classify`, and what
`stance aggregate` and the dossier read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

PLACE = (
    *("doc_id", "sentence_id", "start", "end", "source_start", "source_end", "page"),
    *("block", "text"),
)
HOLDER = ("holder", "holder_start", "holder_end", "holder_actors", "p_holder")
TARGET = ("target", "target_start", "target_end", "target_actors", "p_target")
FACTS = ("speaker", "date", "genre", "title", "source")
INTEGERS = (
    *("start", "end", "source_start", "source_end", "page"),
    *("holder_start", "holder_end", "target_start", "target_end"),
)
LISTS = ("holder_actors", "target_actors")
NUMBERS = ("probability", "p_holder", "p_target")


@dataclass(frozen=True, slots=True)
class AttributionFormat:
    """Columns and types of the rows; the same for every codebook.

    `task` and `label` say what is expressed, `probability` how likely the classifier holds it.
    `holder` is SPEAKER or verbatim words; `target` verbatim words or null. The offsets of both are
    half-open positions in the statement's cleaned text, as `start` and `end` are, so they may lie
    in an earlier sentence; all null for SPEAKER and for no target. `holder_actors` and
    `target_actors` are ids of the actors file, of SPEAKER those of the speaker; empty where nothing
    was linked. `p_holder` and `p_target` are probabilities of the choice made.
    """

    @property
    def columns(self) -> tuple[str, ...]:
        """All column names in order."""
        return (
            *PLACE,
            *("task", "label", "probability"),
            *HOLDER,
            *TARGET,
            *("model", "attribution_model"),
            *FACTS,
        )

    def schema(self) -> pa.Schema:
        """Return the Arrow schema of the rows."""
        import pyarrow as pa

        types = dict.fromkeys(self.columns, pa.string())
        types |= dict.fromkeys(INTEGERS, pa.int64())
        types |= dict.fromkeys(NUMBERS, pa.float32())
        types |= dict.fromkeys(LISTS, pa.list_(pa.string()))
        return pa.schema([(name, types[name]) for name in self.columns])
