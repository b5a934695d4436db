"""Which kind a text is, by its letters: what may name a person, a car or an address.

These are patterns that order what people look at. None is a proof: a bus's line looks like a number
plate, a shop's name like a person's.
"""

from __future__ import annotations

import re

__all__ = ["KINDS", "kinds_of", "plate_likeness"]

#: In the order of the columns.
KINDS = ("plate", "email", "telephone", "web", "name")

_EMAIL = re.compile(r"[\w.+-]{1,64}\s?@\s?[\w-]{1,63}(?:\.[\w-]{1,63})+")
#: Endings that most addresses have, so that "end.Next" is none; any after "www." or "http".
_ENDINGS = "com|org|net|edu|gov|info|biz|eu|uk|de|fr|it|es|nl|be|ch|at|pl|se|no|dk|fi|ru|jp|cn|br|"
_WEB = re.compile(
    r"(?:https?:/?/?|www\.)[\w-]+(?:\.[\w-]+)+"
    rf"|\b[\w-]{{2,63}}(?:\.[\w-]+)*\.(?:{_ENDINGS}au|ca|us|io|tv)\b",
    re.IGNORECASE,
)
_TELEPHONE = re.compile(r"(?<![\w.])\+?\(?\d[\d\s()./-]{5,20}\d(?!\w)")
_MIN_TELEPHONE, _MAX_TELEPHONE = 7, 15
#: 2021-03-04, 04.03.21 …
_DATE = re.compile(r"^\d{1,4}[./-]\d{1,2}[./-]\d{1,4}$")
_NAME = re.compile(
    r"^(?:(?:Mr|Mrs|Ms|Dr|Prof)\.?\s)?[A-ZÀ-Þ][a-zß-ÿ'’-]{1,20}"
    r"(?:\s[A-ZÀ-Þ]\.)?(?:\s[A-ZÀ-Þ][a-zß-ÿ'’-]{1,20}){1,2}$"
)

#: Letters and digits of a number plate: India's have 10.
_PLATE_LENGTHS = range(4, 11)
_PLATE = re.compile(r"^[A-Z0-9À-Þ\s.·:•|-]+$")


def kinds_of(text: str) -> dict[str, float]:
    """How much a text is like each kind, 0 to 1; kinds that it is not like are not named.

    >>> kinds_of("HN 4821 KX"), kinds_of("anna.b@example.org"), kinds_of("Anna Berg")
    ({'plate': 1.0}, {'email': 1.0}, {'name': 1.0})
    """
    text = " ".join(text.split())
    if _EMAIL.search(text):
        return {"email": 1.0}
    if _WEB.search(text):
        return {"web": 1.0}
    found = {}
    if _is_telephone(text):
        found["telephone"] = 1.0
    if _NAME.match(text):
        found["name"] = 1.0
    plate = plate_likeness(text)
    if plate:
        found["plate"] = plate
    return found


def _is_telephone(text: str) -> bool:
    for match in _TELEPHONE.finditer(text):
        digits = sum(letter.isdecimal() for letter in match.group())
        if _MIN_TELEPHONE <= digits <= _MAX_TELEPHONE and not _DATE.match(match.group()):
            return True
    return False


def plate_likeness(text: str) -> float:
    """How much a text is like a number plate's, 0 to 1.

    Capitals and digits mixed in few runs are; digits alone, or many runs, less so.

    >>> plate_likeness("AB12 CDE"), plate_likeness("4821"), plate_likeness("STOP")
    (1.0, 0.4, 0.0)
    """
    if not _PLATE.match(text) or _DATE.match(text):
        return 0.0
    plain = re.sub(r"[^A-Z0-9À-Þ]", "", text)
    digits = sum(letter.isdecimal() for letter in plain)
    letters = len(plain) - digits
    if len(plain) not in _PLATE_LENGTHS or digits == 0:
        return 0.0
    if letters == 0:
        return 0.4
    if digits == 1:
        return 0.5
    runs = len(re.findall(r"\d+|\D+", plain))
    return 1.0 if runs <= 4 else 0.6
