"""Phones as digits, their national variants, and WhatsApp LIDs, which are no phones.

A phone is stored as it was first given (digits only) and found again under the variants in which
WhatsApp and people write the same line: Brazil's ninth digit, Mexico's 1, Argentina's 9.
"""

import re

import phonenumbers

SEPARATORS = re.compile(r"[\s()./\-\u2010-\u2015\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""With the dashes and the invisible direction marks that come along when a phone is copied."""
CHAT_SUFFIX = re.compile(r"@(?:c\.us|s\.whatsapp\.net)$", re.IGNORECASE)
LID = re.compile(r"^(\d{1,20})@lid$", re.IGNORECASE | re.ASCII)
DIGITS = re.compile(r"^\d{5,15}$", re.ASCII)

BRAZIL_WITHOUT_NINE = re.compile(r"^55(\d{2})([6-9]\d{7})$")
MEXICO_WITH_ONE = re.compile(r"^521(\d{10})$")
ARGENTINA_WITH_NINE = re.compile(r"^549(\d{10})$")
OTHER_FORMS = (
    (re.compile(r"^55(\d{2})9([6-9]\d{7})$"), r"55\1\2"),
    (re.compile(r"^52(\d{10})$"), r"521\1"),
    (re.compile(r"^54(\d{10})$"), r"549\1"),
)
"""From the form that `phone_key` gives to the other one of the same line."""


def strip_phone(text: str) -> str | None:
    """The 5 to 15 digits of a phone written with `+`, spaces, dashes or a chat suffix, or None."""
    bare = SEPARATORS.sub("", CHAT_SUFFIX.sub("", text.strip())).removeprefix("+")
    return bare if DIGITS.match(bare) else None


def parse_lid(text: str) -> str | None:
    """The digits of `<digits>@lid`, or None where the text is something else."""
    match = LID.match(text.strip())
    return match[1] if match else None


def is_possible(phone: str) -> bool:
    """Whether these digits, country code first, can be a phone anywhere in the world.

    A variant that only WhatsApp still writes, as Mexico's 521, is as good as the plan's own.
    """
    return any(_fits_a_plan(form) for form in {phone, phone_key(phone)})


def _fits_a_plan(phone: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(f"+{phone}"))
    except phonenumbers.NumberParseException:
        return False


def phone_key(phone: str) -> str:
    """The one form that all variants of a phone share; for finding, never for sending."""
    if match := BRAZIL_WITHOUT_NINE.match(phone):
        return f"55{match[1]}9{match[2]}"
    if match := MEXICO_WITH_ONE.match(phone):
        return f"52{match[1]}"
    if match := ARGENTINA_WITH_NINE.match(phone):
        return f"54{match[1]}"
    return phone


def phone_forms(phone: str) -> list[str]:
    """Every form in which WhatsApp may write this line, the given one first."""
    key = phone_key(phone)
    others = [pattern.sub(form, key) for pattern, form in OTHER_FORMS if pattern.match(key)]
    return list(dict.fromkeys([phone, key, *others]))
