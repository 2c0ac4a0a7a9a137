"""Typographic characters as the plain ones of a keyboard, for rules and models alike.

The same speech comes with curly quotation marks from one archive and with straight ones from
another; neither rules nor models should tell them apart.
"""

from __future__ import annotations

_PLAIN = str.maketrans("‘’‛ʼ‚“”„‟‐‑‒–—―\u00a0\u2007\u2009\u202f", "'''''\"\"\"\"------    ")


def plain(text: str) -> str:
    """Return `text` with typographic quotation marks, dashes and spaces replaced one for one.

    Positions in the result are positions in `text`.
    """
    return text.translate(_PLAIN)
