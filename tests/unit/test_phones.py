"""Phones and LIDs as pure functions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.phones import is_possible, parse_lid, phone_forms, phone_key, strip_phone


@pytest.mark.parametrize(
    ("written", "stripped"),
    [
        ("60123456789", "60123456789"),
        ("+60 12-345 6789", "60123456789"),
        ("60123456789@C.US", "60123456789"),
        ("60123456789@s.whatsapp.net", "60123456789"),
        ("\u202a+60\u00a012\u2011345\u200b6789\u202c", "60123456789"),
        ("12345", "12345"),
        ("1234", None),
        ("1" * 16, None),
        ("60123456789@g.us", None),
        ("++60123456789", None),
        ("٦٠١٢٣٤٥٦٧٨٩", None),
        ("", None),
    ],
)
def test_a_phone_is_its_5_to_15_digits(written: str, stripped: str | None) -> None:
    assert strip_phone(written) == stripped


@given(st.text())
def test_whatever_is_written_becomes_digits_or_nothing(text: str) -> None:
    phone = strip_phone(text)
    assert phone is None or (phone.isascii() and phone.isdigit() and 5 <= len(phone) <= 15)
    assert phone is None or strip_phone(phone) == phone


@given(st.from_regex(r"\A[0-9]{5,15}\Z"))
def test_the_key_of_a_key_is_itself(phone: str) -> None:
    assert phone_key(phone_key(phone)) == phone_key(phone)


@pytest.mark.parametrize(
    "pair",
    [
        ("5511987654321", "551187654321"),
        ("5215512345678", "525512345678"),
        ("5491123456789", "541123456789"),
    ],
)
def test_variants_of_a_line_share_a_key_and_are_possible(pair: tuple[str, str]) -> None:
    assert len({phone_key(phone) for phone in pair}) == 1
    assert all(is_possible(phone) for phone in pair)


@pytest.mark.parametrize("pair", [("551133334444", "5511933334444"), ("60123456789", "6012345678")])
def test_other_lines_have_keys_of_their_own(pair: tuple[str, str]) -> None:
    assert phone_key(pair[0]) != phone_key(pair[1])


@pytest.mark.parametrize("phone", ["00000", "999123456789", "123456"])
def test_a_phone_that_no_plan_has_is_not_possible(phone: str) -> None:
    assert not is_possible(phone)


@pytest.mark.parametrize(
    ("text", "lid"), [("77@lid", "77"), (" 77@LID ", "77"), ("77", None), ("x@lid", None),
                      ("7" * 21 + "@lid", None)]
)  # fmt: skip
def test_a_lid_ends_in_its_suffix(text: str, lid: str | None) -> None:
    assert parse_lid(text) == lid


@pytest.mark.parametrize(
    ("phone", "forms"),
    [
        ("60123456789", ["60123456789"]),
        ("551187654321", ["551187654321", "5511987654321"]),
        ("5215512345678", ["5215512345678", "525512345678"]),
        ("541123456789", ["541123456789", "5491123456789"]),
    ],
)
def test_every_form_of_a_line_is_known(phone: str, forms: list[str]) -> None:
    assert phone_forms(phone) == forms
