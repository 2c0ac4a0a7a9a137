"""Typographic characters as the plain ones of a keyboard, for rules and models alike.

The same speech comes with curly quotation marks from one archive and with straight ones from
another; neither rules nor models should tell them apart.
"""

from __future__ import annotations

import re
import unicodedata

_PLAIN = str.maketrans("‘’‛ʼ‚“”„‟‐‑‒–—―\u00a0\u2007\u2009\u202f", "'''''\"\"\"\"------    ")


def plain(text: str) -> str:
    """Return `text` with typographic quotation marks, dashes and spaces replaced one for one.

    Positions in the result are positions in `text`.
    """
    return text.translate(_PLAIN)


def letters_and_digits(text: str) -> str:
    """Return what two texts that say the same have in common: letters and digits in words.

    Case, punctuation, symbols, spacing and compatibility forms (NFKC) make no difference. A text
    without a letter or digit gives the empty string.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\W_]+", " ", folded).strip()
