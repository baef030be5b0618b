"""Each call in curl, JavaScript and Python, made from the examples of the contract (`x-codeSamples`)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from textwrap import indent
from typing import Any
from urllib.parse import quote

from backend.api.http.oauth import FORM
from backend.api.streams.download import JSON_LINES

ORIGIN = "http://localhost:8000"  # /docs puts its own in its place
FILE = "tasks.csv"
_CSV = "text/csv"
_EVENTS = "text/event-stream"
_LINE = 60  # characters
# At the end of a value, so not within a text.
_PYTHON_WORD = re.compile(r"\b(?:true|false|null)(?=[,}\]]|$)", re.MULTILINE)
_PYTHON_WORDS = {"true": "True", "false": "False", "null": "None"}


@dataclass(frozen=True, slots=True)
class _Call:
    """What a sample sends. The body is JSON, a form, or a file, or missing."""

    method: str
    address: str
    has_token: bool
    body: Any
    is_file: bool
    is_stream: bool
    is_form: bool

    @property
    def kind(self) -> str | None:
        """Return the type of the body, unless the program adds it itself, as for a form."""
        if self.is_file:
            return _CSV
        if self.is_form:
            return None
        return None if self.body is None else "application/json"


def samples_of(method: str, path: str, operation: dict[str, Any]) -> list[dict[str, str]]:
    """Return the samples of an operation, as Redoc, Scalar and /docs show them."""
    call = _call(method.upper(), path, operation)
    languages = (("Shell", "curl", _curl), ("JavaScript", "JavaScript", _javascript), ("Python", "Python", _python))
    return [{"lang": language, "label": label, "source": write(call)} for language, label, write in languages]


def _call(method: str, path: str, operation: dict[str, Any]) -> _Call:
    """Fill in what an operation needs, and nothing else."""
    query = []
    for parameter in operation.get("parameters", []):
        if parameter["required"]:
            value = quote(parameter["schema"]["examples"][0] or "YOUR_USER_ID", safe="")
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", value)
            else:
                query.append(f"{parameter['name']}={value}")
    kinds = operation.get("requestBody", {}).get("content", {})
    is_file, is_form = JSON_LINES in kinds, FORM in kinds
    examples = kinds.get("application/json", {}).get("examples", {})
    body = kinds[FORM]["example"] if is_form else next((example["value"] for example in examples.values()), None)
    success = next(iter(operation["responses"].values()))
    is_stream = _EVENTS in success.get("content", {})
    address = f"{ORIGIN}{path}{'?' if query else ''}{'&'.join(query)}"
    return _Call(method, address, bool(operation["security"]), body, is_file, is_stream, is_form)


def _curl(call: _Call) -> str:
    options = "-N " if call.is_stream else ""
    lines = [f'curl {options}-X {call.method} "{call.address}"']
    if call.has_token:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if call.kind:
        lines.append(f'-H "Content-Type: {call.kind}"')
    if call.is_file:
        lines.append(f"--data-binary @{FILE}")
    elif call.is_form:
        lines += [f'--data-urlencode "{name}={value}"' for name, value in call.body.items()]
    elif call.body is not None:
        lines.append(f"-d '{_json(call.body)}'")
    return " \\\n  ".join(lines)


def _javascript(call: _Call) -> str:
    headers = ["Authorization: `Bearer ${token}`,"] if call.has_token else []
    headers += [f'"Content-Type": "{call.kind}",'] if call.kind else []
    options = [f'method: "{call.method}",'] if call.method != "GET" else []
    options += ["headers: {", *(f"  {header}" for header in headers), "},"] if headers else []
    if call.is_file:
        options.append('body: "title,due_date\\nBuy milk,2026-11-21\\n",')
    elif call.is_form:
        options.append(f"body: new URLSearchParams({_json(call.body)}),")
    elif call.body is not None:
        options.append(f"body: JSON.stringify({_json(call.body)}),")
    given = f", {{\n{indent(chr(10).join(options), '  ')}\n}}" if options else ""
    shown = "console.log(response.status, await response.text());"
    if call.is_stream:
        shown = "for await (const part of response.body.pipeThrough(new TextDecoderStream())) console.log(part);"
    return f'const response = await fetch("{call.address}"{given});\n{shown}'


def _python(call: _Call) -> str:
    arguments = [f'"{call.method}"', f'"{call.address}"']
    headers = ['"Authorization": f"Bearer {os.environ[\'TOKEN\']}"'] if call.has_token else []
    headers += [f'"Content-Type": "{_CSV}"'] if call.is_file else []
    arguments += [f"headers={{{', '.join(headers)}}}"] if headers else []
    if call.is_file:
        arguments.append(f'content=open("{FILE}", "rb")')
    elif call.is_form:
        arguments.append(f"data={_json(call.body, spaces=4)}")
    elif call.body is not None:
        arguments.append(f"json={_PYTHON_WORD.sub(lambda word: _PYTHON_WORDS[word[0]], _json(call.body, spaces=4))}")
    arguments += ["timeout=None"] if call.is_stream else []
    begun = "import os\n\nimport httpx\n\n" if call.has_token else "import httpx\n\n"
    given = "\n" + indent("".join(f"{argument},\n" for argument in arguments), "    ")
    if call.is_stream:
        reading = "    for line in response.iter_lines():\n        print(line)"
        return f"{begun}with httpx.stream({given}) as response:\n{reading}"
    return f"{begun}response = httpx.request({given})\nprint(response.status_code, response.text)"


def _json(value: Any, *, spaces: int = 2) -> str:
    """Write a small value in one line, and a larger value in several lines."""
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= _LINE else json.dumps(value, indent=spaces, ensure_ascii=False)
