"""What only the document can settle: ambiguous names, "the regime", "the four allies", surnames.

All rules ask for one answer: where earlier mentions disagree, or one of them is unknown, the
mention stays text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.actors.grammar import TITLES, HeadReader, is_person, person_of
from pipeline.actors.links import How, Link, Links, Surroundings, actors_of, missed
from pipeline.actors.model import ActorKind
from pipeline.actors.registry import STANDS_ALONE, Name, NameKind, Registry
from pipeline.actors.text import Token, key_of, tokens, word_set

_NUMBERS = {
    "both": 2,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}
_HOW = {NameKind.SEAT: How.SEAT, NameKind.HOLDER: How.HOLDER}
_OTHERS = word_set(
    "he she it they him her his hers its them their theirs this that these those who whom you your "
    "everyone everybody everything anyone anybody someone somebody nobody all both others another "
    "one each himself herself itself themselves"
)


def resolve_name(
    text: str, names: Sequence[Name], registry: Registry, around: Surroundings
) -> Link | None:
    """Return the link of a mention that is a name; `None` where `names` holds none of texts."""
    names = [name for name in names if name.kind is not NameKind.RECORDED]
    if not names:
        return None
    valid = [name for name in names if name.period.holds(around.date)]
    if not valid:
        also = ", ".join(sorted({name.actor for name in names}))
        return missed(text, How.DATE, f"known at other dates: {also}")
    strong = {name.actor: name.kind for name in valid if name.kind in STANDS_ALONE}
    short = {name.actor for name in valid if name.kind is NameKind.SHORT}
    formal = {name.actor for name in valid if name.kind is NameKind.FORMAL}
    if around.formal and not strong and len(formal) == 1:
        return Link(text, tuple(formal), How.NAME)
    if len(strong) == 1 and not _overruled(next(iter(strong)), short, registry, around):
        [(actor, kind)] = strong.items()
        return Link(text, (actor,), _HOW.get(kind, How.NAME))
    candidates = {*strong, *short}
    if not candidates and not formal:
        return missed(text, How.PEOPLE)
    here = candidates & with_wholes(around.named, registry)
    if len(here) == 1:
        return Link(text, tuple(here), How.CONTEXT)
    return missed(text, How.AMBIGUOUS, f"may be {', '.join(sorted(candidates | formal))}")


def with_wholes(actors: Iterable[str], registry: Registry) -> frozenset[str]:
    """Return the actors and all that they are parts of."""
    found: set[str] = set()
    for actor in actors:
        at: str | None = actor
        while at is not None and at not in found:
            found.add(at)
            at = registry.actors[at].of
    return frozenset(found)


def _overruled(actor: str, short: set[str], registry: Registry, around: Surroundings) -> bool:
    """Return whether the text has named another one that is called so for short.

    "The Secretary-General" is that of the United Nations, unless that of NATO was named, or NATO
    was and nothing of the United Nations.
    """
    if short & around.named:
        return True
    owners = {registry.actors[other].of for other in short} - {None}
    root = registry.actors[actor].of
    return bool(owners & around.named) and not any(
        root is not None and registry.within(named, root) for named in around.named
    )


def read_self(
    text: str, words: Sequence[Token], reader: HeadReader, around: Surroundings
) -> Links | None:
    """Read "we", "my delegation", "our country" as the speaker, other pronouns as unknown."""
    keys = [word.key for word in words]
    alone = len(words) == 1
    if alone and keys[0] in ("we", "us", "ours", "i", "me", "myself", "ourselves", "speaker"):
        return _as_speaker(text, around)
    if keys[0] in ("my", "our") and len(words) > 1:
        rest = [word for word in words[1:] if word.key != "own"]
        if rest and (
            (len(rest) == 1 and rest[0].key in ("country", "nation", "capital", "state"))
            or reader.description(rest) is not None
        ):
            return _as_speaker(text, around)
    if alone and keys[0] in _OTHERS:
        return (missed(text, How.PRONOUN),)
    return None


def _as_speaker(text: str, around: Surroundings) -> Links:
    if around.speaker is None:
        return (missed(text, How.NO_SPEAKER, "no speaker is given"),)
    if not around.speakers or not all(link.linked for link in around.speakers):
        return (missed(text, How.NO_SPEAKER, f"speaker '{around.speaker}'"),)
    return tuple(Link(text, link.actors, How.SPEAKER) for link in around.speakers)


def read_set(
    text: str, words: Sequence[Token], registry: Registry, reader: HeadReader, around: Surroundings
) -> Link | None:
    """Read "the four NATO allies" as the four States that the text has named together."""
    plain = [word for word in words if word.key != "the"]
    if len(plain) < 2 or not reader.is_set(plain[-1]) or plain[0].key not in _NUMBERS:
        return None
    number, middle = _NUMBERS[plain[0].key], plain[1:-1]
    bloc: str | None = None
    if middle:
        owner = [n for n in registry.named(key_of(middle)) if n.kind is NameKind.NAME]
        if len(owner) == 1 and registry.actors[owner[0].actor].members:
            bloc = owner[0].actor
        elif not all(word.key in ("member", "foreign", "prime") for word in middle):
            return missed(text, How.DESCRIPTION)
    found = {
        actors
        for links in around.earlier
        if len(links) > 1 and all(link.linked for link in links)
        for actors in [actors_of(links)]
        if len(actors) == number
        and all(registry.actors[a].kind is ActorKind.COUNTRY for a in actors)
        and (bloc is None or all(registry.belongs(a, bloc, around.date) for a in actors))
    }
    if len({frozenset(actors) for actors in found}) == 1:
        return Link(text, sorted(found)[0], How.CONTEXT)
    return missed(text, How.DESCRIPTION)


def read_description(
    text: str, words: Sequence[Token], reader: HeadReader, around: Surroundings
) -> Link | None:
    """Read "the regime" as the actor whose regime the text has named, if it named only one."""
    description = reader.description(words)
    if description is None:
        return None
    head, wanted = description[-1], set(description)
    found: set[tuple[str, ...]] = set()
    for links in around.earlier:
        for link in links:
            keys = [word.stem for word in tokens(link.text)]
            if head not in keys or set(keys) - {"the"} == wanted:
                continue
            if wanted <= set(keys) or not link.linked:
                found.add(link.actors)
    if len(found) == 1 and (actors := found.pop()):
        return Link(text, actors, How.CONTEXT, role="" if head in reader.grammar.forms else head)
    return missed(text, How.DESCRIPTION)


def read_person(text: str, words: Sequence[Token], around: Surroundings) -> Link | None:
    """Read a surname as the actor for whom the text has named that person before."""
    if not is_person(words):
        return None
    wanted = person_of([word for word in words if word.key not in TITLES]).split()
    found = {
        link.actors
        for links in around.earlier
        for link in links
        if link.person and _ends_or_begins(link.person.split(), wanted)
    }
    if len(found) == 1:
        return Link(text, found.pop(), How.CONTEXT, role="office", person=" ".join(wanted))
    return None


def _ends_or_begins(whole: Sequence[str], part: Sequence[str]) -> bool:
    return list(whole[-len(part) :]) == list(part) or (
        len(part) > 1 and list(whole[: len(part)]) == list(part)
    )
