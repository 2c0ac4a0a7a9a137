"""Actors: phrases that name holders, targets and speakers, linked to ids that stay."""

from pipeline.actors.files import load_registry
from pipeline.actors.linker import ActorLinker, date_of, load_linker
from pipeline.actors.links import How, Link, Links, actors_of
from pipeline.actors.model import Actor, ActorKind
from pipeline.actors.registry import Registry

__all__ = [
    "Actor",
    "ActorKind",
    "ActorLinker",
    "How",
    "Link",
    "Links",
    "Registry",
    "actors_of",
    "date_of",
    "load_linker",
    "load_registry",
]
