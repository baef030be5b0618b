"""A worker does not return memory to the system that the next large answer needs again."""

from __future__ import annotations

import subprocess
import sys

import pytest

ANSWERS = 50
# An answer of half a megabyte exists four times: as the driver's result, as its text, in the envelope, and as bytes.
ANSWER = """
import resource
from backend.server.memory import keep_freed_memory

def faults_of_answers():
    for _ in range({answers}):
        copies = [bytes(500_000) for _ in range(4)]
        del copies
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

{first}
begun = faults_of_answers()
print(faults_of_answers() - begun)
"""


def page_faults(first: str) -> int:
    script = ANSWER.format(answers=ANSWERS, first=first)
    command = [sys.executable, "-c", script]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603 - written here


@pytest.mark.requirement("FR-373")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only the C library of Linux can be told")
def test_large_answers_use_the_same_memory_again() -> None:
    assert page_faults("keep_freed_memory()") < ANSWERS
    assert page_faults("") > 10 * ANSWERS  # else nothing was to be gained
