"""What to say about a problem that the validator has found: what to send, in the words of all our messages."""

from __future__ import annotations

import re

BLANK = "Must not be empty or blank"
TOO_FEW = "Must have at least one entry"
# Replaces messages of the validator that would not tell a beginner what to do.
_PLAIN_WORDS = {
    "missing": "This is required: send it",
    "string_too_short": BLANK,
    "too_short": TOO_FEW,
    "bool_type": "Must be true or false; in JSON, without quotes",
    "int_type": "Must be a whole number; in JSON, without quotes",
    "int_from_float": "Must be a whole number",
    "list_type": "Must be an array, in square brackets",
    "model_attributes_type": "Must be a JSON object, like {…}",
    "string_type": "Must be a text; in JSON, in double quotes",
    "string_unicode": "Must not contain half a character (a lone surrogate)",
}
_VALIDATOR_SAYS = re.compile(r"(Input|String|List|Value) should ")


def in_plain_words(code: str, message: str) -> str:
    """Return what to say about a problem that the validator has found, in the words of all our messages."""
    return _PLAIN_WORDS.get(code) or _VALIDATOR_SAYS.sub("Must ", message, count=1).replace(" after validation", "")
