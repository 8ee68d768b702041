"""Who is meant by a name: one plain form for everybody, so that nobody is two people by another spelling."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import Final

from policies.facts import shown
from policies.model import PackError

_ADDRESS: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_LONGEST: Final = 200
_BETWEEN: Final = " .-_&/'"
_TOGETHER: Final = (
    frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"CJK", "HANGUL"}),
    frozenset({"CJK", "BOPOMOFO"}),
)
"""Scripts that one language writes together."""
_DRAWN_ALIKE: Final = str.maketrans(
    "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u051a\u051c"
    "\u0430\u0435\u0455\u0456\u0458\u043a\u043e\u0440\u0441\u0443\u0445\u04bb\u0501\u051b\u051d\u04cf"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03b1\u03b9\u03ba"
    "\u03bd\u03bf\u03c1\u03c5\u03c7\u03f3\u0131\u0261",
    "ABESIJKMHOPCTYXQWaesijkopcyxhdqwlABEZHIKMNOPTYXaikvopuxjig",
)
"""Letters of Cyrillic and Greek, and two of Latin, that are drawn as a plain letter."""


def plain_person(text: str, place: str) -> str:
    """The text, where it is one address, or the name of a person or team in one script; raises PackError."""
    if "@" in text or ":" in text or "<" in text:
        if not _ADDRESS.fullmatch(text):
            raise PackError(
                f"{place}: expected one address and nothing beside it, as ann@acme.example; got {shown(text)}"
            )
    elif wrong := _not_plain(text):
        raise PackError(
            f"{place}: expected an address, or a name in letters of one script; {wrong}: {shown(text)}"
        )
    return text


def _not_plain(text: str) -> str:
    """What is wrong with a name; '' where nothing is."""
    if unicodedata.normalize("NFKC", text) != text or len(text) > _LONGEST:
        return f"longer than {_LONGEST} characters, or not in its plain form (NFKC)"
    letters = [each for each in text if not each.isascii() or each.isalpha()]
    odd = [each for each in text if each.isascii() and not each.isalnum() and each not in _BETWEEN]
    odd += [each for each in letters if unicodedata.category(each)[0] not in "LM"]
    if odd or not text[:1].isalnum():
        return f"U+{ord((odd or [text[:1] or ' '])[0]):04X} is of no name"
    if any(one == other == " " for one, other in pairwise(text)):
        return "two blanks in a row"
    scripts = {_script(each) for each in letters}
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        return f"mixes {' and '.join(sorted(each.title() for each in scripts))}"
    return ""


def _script(letter: str) -> str:
    """The first word of a letter's name: LATIN, CYRILLIC, CJK; a mark that joins any letter is of none."""
    return unicodedata.name(letter, "UNNAMED").split()[0]


def same_person(one: str, other: str) -> bool:
    """Whether two names may be of one person, whatever the case, the form or the look-alikes of the letters.

    An address is told by what stands before `+` and `@`, so that a mailbox has no second owner; a name
    without a domain means whoever has it before the `@`. Where in doubt they are one.
    """
    return any(
        name == other_name and (domain == other_domain or not domain or not other_domain)
        for name, domain in _forms(one)
        for other_name, other_domain in _forms(other)
    )


@lru_cache(maxsize=4_096)
def _forms(text: str) -> frozenset[tuple[str, str]]:
    """(name, domain or '') as it is spelt, and as it is drawn in capitals and in small letters."""
    spelt = unicodedata.normalize("NFKC", text)
    drawn = spelt.translate(_DRAWN_ALIKE)
    return frozenset(map(_parts, (spelt, drawn, spelt.casefold().translate(_DRAWN_ALIKE))))


def _parts(text: str) -> tuple[str, str]:
    folded = unicodedata.normalize("NFKC", text.casefold())
    bare = "".join(each for each in folded if unicodedata.category(each) not in ("Cf", "Cc")).strip()
    name, _, domain = bare.removeprefix("mailto:").partition("@")
    return (name.partition("+")[0] if domain else name), domain
