"""`stance actors`: what mentions of actors link to, and the check of a user's own file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from pipeline.cli import console
from pipeline.cli.options import ActorFiles

if TYPE_CHECKING:
    import datetime as dt

    from typer._click.core import Context  # of the click that typer carries

    from pipeline.actors import Link, Registry

_LINK = "link"


class _LinkUnlessNamed(TyperGroup):
    """Takes `stance actors MENTION` for `stance actors link MENTION`."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [_LINK, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_LinkUnlessNamed,
    help="Show what mentions of actors link to (stance actors MENTION...); check a file of them.",
    no_args_is_help=True,
)


@app.command(_LINK)
def link(
    mentions: Annotated[list[str], typer.Argument(metavar="MENTION...", show_default=False)],
    speaker: Annotated[
        str | None, typer.Option("--speaker", help="Who speaks; 'we' stands for it.")
    ] = None,
    date: Annotated[
        str | None, typer.Option("--date", help="Date of the text (YYYY-MM-DD).")
    ] = None,
    earlier: Annotated[
        list[str] | None,
        typer.Option("--earlier", help="An actor named before in the text; repeatable, in order."),
    ] = None,
    members: Annotated[
        bool, typer.Option("--members", help="Show the members of organisations at the date.")
    ] = False,
    actors: ActorFiles = None,
) -> None:
    """Print the actors each mention links to and how, or why it stays text."""
    from pipeline.actors import load_linker

    day = _day(date)
    linker = load_linker(actors or ())
    rows: list[tuple[str, ...]] = []
    for mention in mentions:
        links = linker.link(mention, speaker=speaker, date=day, earlier=earlier or ())
        for i, part in enumerate(links):
            rows.append((mention if i == 0 else "", *_shown(part, linker.registry)))
            if members:
                rows += _members(part.actors, linker.registry, day)
    console.table(("mention", "part", "actor", "called", "matched by"), rows)


@app.command("check")
def check(file: Annotated[Path, typer.Argument(help="Your own actors (YAML).")]) -> None:
    """Validate a file of actors; every mistake is reported with its line."""
    from pipeline.actors import load_registry

    before = load_registry()
    after = load_registry([file])
    names = len(after.all_names()) - len(before.all_names())
    new = len(after.actors) - len(before.actors)
    console.say(f"{file}: valid: {new:,} new actors, {names:,} names.")


def _day(date: str | None) -> dt.date | None:
    from pipeline.actors import date_of
    from pipeline.errors import SettingsError

    day = date_of(date)
    if date is not None and day is None:
        raise SettingsError([f"expected YYYY-MM-DD, got '{date}'"], where="--date")
    return day


def _shown(part: Link, registry: Registry) -> tuple[str, str, str, str]:
    ids = ", ".join(part.actors) or "-"
    names = ", ".join(registry.actor(actor).name for actor in part.actors)
    more = "; ".join(text for text in (part.role, part.person, part.detail) if text)
    return part.text, ids, names, f"{part.how.value} ({more})" if more else part.how.value


def _members(
    actors: Sequence[str], registry: Registry, day: dt.date | None
) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for actor in actors:
        if registry.actor(actor).members:
            found = registry.members(actor, day)
            told = "not known at this date" if day else "depends on the date: give --date"
            rows.append(
                (
                    "",
                    "members",
                    ", ".join(found) if found is not None else "-",
                    "",
                    f"{len(found)} members" if found is not None else told,
                )
            )
    return rows
