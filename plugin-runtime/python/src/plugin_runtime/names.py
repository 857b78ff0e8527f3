"""Names that someone who mistyped one may have meant."""

from __future__ import annotations

import difflib
from typing import Iterable


def no_such(what: str, name: str, known: Iterable[str]) -> str:
    """Says that there is no such thing, what may have been meant, and what there is."""
    known = sorted(set(known))
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    meant = f"; did you mean `{'` or `'.join(near)}`?" if near else ""
    there = f"`{'`, `'.join(known)}`" if known else "none"
    return f"no {what} `{name}`{meant}; there is {there}"
