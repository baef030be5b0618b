"""How services' methods behave when a connection is lost, and that each marks what may be retried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from inspect import getclosurevars
from pkgutil import walk_packages

import pytest

from backend import services
from backend.database import retry
from backend.database.errors import Interrupted
from backend.database.retry import READ_TRIES, once_only, reads, repeatable
from backend.errors import ServiceUnavailable
from backend.services.task_files.import_service import ImportService
from backend.services.tasks.rules import TaskNotFound
from tests.fixtures.http.deadlines import time_left

# All that do something for one user.
_SERVICES = {
    value
    for module in walk_packages(services.__path__, f"{services.__name__}.")
    for value in vars(import_module(module.name)).values()
    if isinstance(value, type) and value.__name__.endswith("Service") and "user_id" in vars(value)
}
SERVICES = sorted(_SERVICES, key=lambda service: service.__name__)  # the same order in all of pytest's processes
# These call one method of another service, which is marked.
HANDED_ON = {ImportService.bring}

UNDONE = Interrupted(may_be_done=False)
DOUBTFUL = Interrupted(may_be_done=True)
MISSING = TaskNotFound()
AWAY = ServiceUnavailable()
DONE = "done"

Mark = Callable[[Callable[[], str]], Callable[[], str]]


def work_that_meets(*outcomes: Exception | str) -> Callable[[], str]:
    """Return a function whose calls end in each of these ways in turn."""
    coming: Iterator[Exception | str] = iter(outcomes)

    def work() -> str:
        outcome = next(coming)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return work


@pytest.mark.requirement("FR-156", "FR-157", "FR-158")
@pytest.mark.parametrize(("mark", "first"), [(repeatable, DOUBTFUL), (repeatable, UNDONE), (once_only, UNDONE)])
def test_a_change_that_may_be_retried_is_retried_once(mark: Mark, first: Interrupted) -> None:
    assert mark(work_that_meets(first, DONE))() == DONE
    with pytest.raises(Interrupted) as raised:
        mark(work_that_meets(first, UNDONE, DONE))()
    assert raised.value is UNDONE


@pytest.mark.requirement("FR-156", "FR-258")
@pytest.mark.parametrize("lost", [DOUBTFUL, UNDONE])
def test_a_read_is_retried_as_often_as_is_allowed(lost: Interrupted) -> None:
    assert reads(work_that_meets(*[lost] * (READ_TRIES - 1), DONE))() == DONE
    last = Interrupted(may_be_done=False)
    with pytest.raises(Interrupted) as raised:
        reads(work_that_meets(*[lost] * (READ_TRIES - 1), last, DONE))()
    assert raised.value is last


@pytest.mark.requirement("FR-160")
@pytest.mark.parametrize("mark", [reads, repeatable, once_only])
def test_nothing_is_retried_after_the_deadline(mark: Mark) -> None:
    with time_left(0), pytest.raises(Interrupted) as raised:
        mark(work_that_meets(UNDONE, DONE))()
    assert raised.value is UNDONE


@pytest.mark.requirement("FR-158")
def test_what_must_not_be_done_twice_is_not_retried_when_it_may_be_done() -> None:
    with pytest.raises(Interrupted) as raised:
        once_only(work_that_meets(DOUBTFUL, DONE))()
    assert raised.value is DOUBTFUL


@pytest.mark.requirement("FR-159")
@pytest.mark.parametrize(
    ("mark", "first", "second", "answer"),
    [
        (repeatable, DOUBTFUL, MISSING, DOUBTFUL),
        (repeatable, UNDONE, MISSING, MISSING),
        (reads, DOUBTFUL, MISSING, MISSING),
        (repeatable, DOUBTFUL, AWAY, AWAY),
    ],
)
def test_a_refusal_that_may_be_our_own_doing_is_not_told(
    mark: Mark, first: Exception, second: Exception, answer: Exception
) -> None:
    with pytest.raises(type(answer)) as raised:
        mark(work_that_meets(first, second))()
    assert raised.value is answer


@pytest.mark.parametrize("mark", [reads, repeatable, once_only])
@pytest.mark.parametrize("outcome", [MISSING, AWAY])
@pytest.mark.requirement("FR-158")
def test_what_was_not_lost_is_not_retried(mark: Mark, outcome: Exception) -> None:
    with pytest.raises(type(outcome)):
        mark(work_that_meets(outcome, DONE))()


@pytest.mark.requirement("FR-156", "FR-157", "FR-158")
@pytest.mark.parametrize("service", SERVICES)
def test_every_method_of_a_service_says_whether_it_may_be_retried(service: type) -> None:
    methods = {name: value for name, value in vars(service).items() if callable(value) and not name.startswith("_")}
    # What must not be retried comes first, like making an id: then the rest, named after it, is what is marked.
    methods = {name: vars(service).get(f"_{name}", value) for name, value in methods.items()}

    assert methods
    assert [name for name, value in methods.items() if not is_marked(value) and value not in HANDED_ON] == []


@pytest.mark.requirement("FR-158")
def test_what_is_not_the_same_when_done_twice_is_marked_to_be_done_once() -> None:
    methods = [value for service in SERVICES for value in vars(service).values() if callable(value)]
    marked = [method for method in methods if hasattr(method, "__code__") and is_marked(method)]

    once = {method.__qualname__ for method in marked if not getclosurevars(method).nonlocals["is_safe"]}
    assert once == {
        "AccessTokenService.create",
        "BatchService.run",
        "SignInService.begin",
        "SignInService.change_password",
        "SignInService.register",
        "TaskService.toggle",
        "TaskService._update_once",
        "UndoService.undo_request",
        "UndoService.undo_task",
        "UserService.erase",
    }


def is_marked(method: Callable[..., object]) -> bool:
    return method.__code__.co_filename == retry.__file__
