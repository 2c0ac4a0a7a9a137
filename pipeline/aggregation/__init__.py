"""Attributed labels summed up: by statement, by actor and time, as a network, as changes.

Pure functions on records, for the command and for pages alike. A room of its own because it stands
on the estimators of `evaluation` and the names of `actors`, and because the rows are neither
predictions nor scores.
"""

from pipeline.aggregation.actor_shares import ActorShare, actor_shares
from pipeline.aggregation.changes import Change, Verdict, find_changes
from pipeline.aggregation.expressed import TEXT, Expressed, Party
from pipeline.aggregation.network import Edge, edges, to_graphml
from pipeline.aggregation.statements import StatementStance, statement_stances

__all__ = [
    "TEXT",
    "ActorShare",
    "Change",
    "Edge",
    "Expressed",
    "Party",
    "StatementStance",
    "Verdict",
    "actor_shares",
    "edges",
    "find_changes",
    "statement_stances",
    "to_graphml",
]
