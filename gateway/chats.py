"""A chat is named by its phone's digits, or by `<digits>@lid` while no phone is known."""

import re

PHONE = re.compile(r"[0-9]{5,15}")
LID = re.compile(r"[0-9]{1,20}@lid")
LID_SUFFIX = "@lid"
DECORATION = str.maketrans("", "", "+- ")


def parse_chat(value: str) -> str:
    """The stripped name of a chat. Raises ValueError where it is neither phone nor LID."""
    chat = value.translate(DECORATION).removesuffix("@c.us")
    if PHONE.fullmatch(chat) or LID.fullmatch(chat):
        return chat
    raise ValueError("must be a phone number of 5 to 15 digits, or <digits>@lid")


def address_fields(chat: str) -> dict[str, str]:
    """`{"phone": …}` or `{"lid": …}`: a LID is not a phone and is never passed off as one."""
    if chat.endswith(LID_SUFFIX):
        return {"lid": chat.removesuffix(LID_SUFFIX)}
    return {"phone": chat}
