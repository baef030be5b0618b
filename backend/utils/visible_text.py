"""Which characters can be seen: the rest show nothing, so a text of them alone looks empty."""

from __future__ import annotations

import re

# As ranges of a class, for patterns. Unicode's property White_Space, and controls (Cc) that are none.
WHITE = r"\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
CONTROLS = r"\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f"
# Unicode's property Default_Ignorable_Code_Point, the marks of interlinear annotations, and the blank of Braille.
_FORMAT = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
)
INVISIBLE = WHITE + CONTROLS + _FORMAT
_RANGE = re.compile(r"\\u(\w{4})(?:-\\u(\w{4}))?")
FORMAT_CHARACTERS = "".join(
    chr(number)
    for first, last in _RANGE.findall(_FORMAT)
    for number in range(int(first, 16), int(last or first, 16) + 1)
)
# Not for the patterns of a contract: some programs cannot read such ranges in a class.
_BEYOND = r"\U00013430-\U00013440\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"

_VISIBLE = re.compile(rf"[^{INVISIBLE}{_BEYOND}]")
_CONTROL = re.compile(rf"[{CONTROLS}]")


def is_visible(text: str) -> bool:
    """Return whether any character of a text can be seen."""
    return _VISIBLE.search(text) is not None


def has_controls(text: str) -> bool:
    """Return whether a text has control characters other than white space."""
    return _CONTROL.search(text) is not None


def without_controls(text: str) -> str:
    """Remove control characters other than white space."""
    return _CONTROL.sub("", text)
