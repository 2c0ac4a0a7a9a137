"""Lines around the text proper: signatures, datelines, bylines, sources, page numbers."""

from __future__ import annotations

import re

from pipeline.records import BlockKind

_SIGNATURE = re.compile(r"[(\[](?:Signed|Signature)[)\]]|/s/|Signed(?: by)?:")
_CLOSING = re.compile(
    r"(?:Yours (?:sincerely|faithfully|truly)|Sincerely(?: yours)?|Respectfully(?: yours)?"
    r"|(?:With )?(?:best|kind|warm) (?:regards|wishes))[,.]?\Z",
    re.IGNORECASE,
)
_SECTION = re.compile(
    r"(?:References?|Reference\(s\)|Sources?|Source\(s\)|Endnotes|Footnotes|Further reading|Tags"
    r"|Read (?:more|also)|Related (?:articles|links|news|stories|topics)|(?:Media )?Contacts?)"
    r" ?:?\Z",
    re.IGNORECASE,
)
_PAGE = r"(?:page )?\d{1,4}(?: ?(?:/|of) ?\d{1,4})?|[-–—] ?\d{1,4} ?[-–—]"
_UN_SYMBOL = r"[ASE]/[A-Z0-9][\w./()-]{2,30}"
_UN_JOB = r"\*?\d{2}-\d{5}\*?(?: ?\([A-Z]\))?(?: ?\d{1,3}/\d{1,3})?"
_RUNNING_HEAD = rf"{_UN_SYMBOL} .{{3,100}} \d\d/\d\d/\d{{4}}"
_ADDRESS = (
    r"(?:https?://|www\.)\S+|[\w-]{1,40}(?:\.[\w-]{1,40}){0,3}\.[a-z]{2,6}(?:/\S*)?|\S+@\S+\.\w+"
)
_RIGHTS = r"(?:©|\(c\) ?\d{4}\b|copyright (?:©|\(c\)|\d{4})|all rights reserved).{0,120}"
_AGENCY = (
    r"(?:Xinhua|Reuters|AFP|AP|TASS|SANA|KUNA|WAM|dpa|Anadolu|Agencies|Associated Press"
    r"|Agence France-Presse)"
)
_CREDIT = (
    rf"[(\[—–-]{{0,2}} ?(?:(?:Source|Sources|Via|With|From|Agencies via|Photo|Image|Credit)"
    rf":? (?:the )?)?{_AGENCY}(?:(?:,| and|/| via| –| -) ?{_AGENCY}){{0,3}}[)\]]?"
    r"|(?:Source|Sources|Photo|Image|Credit|Tags|Editor|Edited by|Reporting by|Contact): .{2,80}"
)
_NAME = r"[^\W\d_a-z][\w.’'-]{0,30}"
_BYLINE = rf"By {_NAME}(?:,? (?:and |in )?{_NAME}){{0,7}}"
_FOOTER = re.compile(
    rf"(?:{_PAGE}|{_UN_SYMBOL}|{_UN_JOB}|{_RUNNING_HEAD}|{_ADDRESS}|{_RIGHTS}|{_CREDIT})\Z",
    re.IGNORECASE,
)
_CASED_FOOTER = re.compile(rf"(?:{_BYLINE})\Z")
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?)"
)
_DATELINE = re.compile(
    r"(?:[^\W\d_a-z][\w.’' -]{1,40}, ?){0,2}(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,? )?"
    rf"(?:\d{{1,2}}(?:st|nd|rd|th)? {_MONTH},? \d{{4}}|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}"
    r"|\d{1,2}[./-]\d{1,2}[./-](?:\d{2}){1,2}|\d{4}-\d\d-\d\d)"
    r"(?:,? (?:at )?\d{1,2}(?:[.:]\d\d)?(?: ?[ap]\.?m\.?)?)?\.?\Z"
)
_LONGEST = 200


def furniture_kind(line: str) -> BlockKind | None:
    """Return the kind of a whole line that is no running text; `None` for text."""
    if len(line) > _LONGEST:
        return None
    if _SIGNATURE.match(line) or _CLOSING.match(line):
        return BlockKind.SIGNATURE
    if _DATELINE.match(line):
        return BlockKind.DATELINE
    if _SECTION.match(line) or _FOOTER.match(line) or _CASED_FOOTER.match(line):
        return BlockKind.FOOTER
    return None


def opens_sources(line: str) -> bool:
    """Whether the line heads a list of sources or links that ends the document."""
    return _SECTION.match(line) is not None


def is_closing(line: str) -> bool:
    """Whether the line is the formula above a signature ("Yours sincerely,")."""
    return _CLOSING.match(line) is not None
