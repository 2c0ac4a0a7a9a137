"""Words around full stops: abbreviations of diplomatic English, and words that open sentences."""

from __future__ import annotations


def _words(listing: str) -> frozenset[str]:
    return frozenset(listing.split())


TITLES = _words(
    "adm amb asst atty brig capt cdr cmdr col comm cpl cpt dep dr fr gen gov hon insp lt maj"
    " messrs mgr min mlle mme mmes mr mrs ms msgr mt mx pres prof pte pvt rep rev rt secy sen"
    " sgt st ste supt"
)
"""Never the last word of a sentence when capitalised ("Min. Ode", but "in 30 min. We left")."""

CONNECTORS = _words("approx ca cf e.g i.e incl resp v viz vs")
"""Never the last word of a sentence."""

REFERENCES = _words(
    "add ann app apr arg art arts aug chap ch corr dec doc docs ed feb fig figs ibid jan jul jun"
    " mar no nos nov nr oct op para paras par pars pp p pt res rev sec sect sep sept ser subpara"
    " suppl tel vol vols"
)
"""Followed by a number they belong to it; otherwise they may end a sentence ("They said no.")."""

DIVISIONS = _words("chap para paras subpara vol vols")
"""Those of REFERENCES that are no words, so "I" and "(a)" behind them belong to them as well."""
LETTERED = _words("ann arts ch sect")
"""Those of REFERENCES that are words or names too: only "(a)" belongs to them ("the arts. I")."""

MAYBE_FINAL = _words("al assn bros co corp dept dist drs est gov govt inc intl jr ltd ret sr univ")
"""End a sentence only before a word that usually opens one."""

CLOCK = _words("a.m p.m")
"""End a sentence unless a word of AFTER_CLOCK follows ("at 3 p.m. Monday")."""
AFTER_CLOCK = _words(
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June"
    " July August September October November December Eastern Central European Pacific Moscow"
    " Beijing Greenwich GMT UTC EST EDT CET"
)

OPENERS = _words(
    "A According Additionally After All Also Although An And Another Any As At Because Before Both"
    " But Despite During Each Every Finally First Firstly Following For From Further Furthermore He"
    " Hence Her Here His How However I If In Indeed Instead It Its Last Lastly Let Many Meanwhile"
    " Moreover Most My Nevertheless Next Nobody Nonetheless Nor Not Nothing Now On Once Only Our"
    " Over Regarding Second Secondly She Should Since So Some Still Such That The Their Then There"
    " Therefore These They Third Thirdly This Those Through Thus To Today Under Unfortunately Until"
    " We What When Where Whether Which While Who Why With Without Yesterday Yet You Your"
)
"""Words that open sentences and hardly ever continue a name ("U.S. State Department")."""
