"""The client whose calls return their results."""

from __future__ import annotations

import threading
import warnings
from typing import TYPE_CHECKING, Any, Callable, Optional

from task_api_client._core import account, activity, auth, changes, lists, tasks
from task_api_client._core.context import Context, Timing, Token
from task_api_client._driver import Driver
from task_api_client._methods import Calls, call, loop
from task_api_client.values import Change, Session

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Self


class Lists(Calls):
    """The lists."""

    list = call(lists.list_lists)
    get = call(lists.get_list)
    create = call(lists.create_list)
    update = call(lists.update_list)
    remove = call(lists.remove_list)
    restore = call(lists.restore_list)
    move = call(lists.move_list)


class Labels(Calls):
    """The labels."""

    list = call(lists.list_labels)
    put = call(lists.put_label)
    update = call(lists.update_label)
    remove = call(lists.remove_label)


class Tokens(Calls):
    """The personal access tokens."""

    list = call(account.list_tokens)
    create = call(account.create_token)
    remove = call(account.remove_token)


class Account(Calls):
    """The account of who has signed in."""

    get = call(account.get_account)
    update = call(account.update_account)
    export = call(account.export_account)
    erase = call(account.erase_account)


class Auth(Calls):
    """The sign-in of the service itself, where it is on."""

    methods = call(auth.methods)
    register = call(auth.register)
    login = call(auth.login)
    logout = call(auth.logout)
    change_password = call(auth.change_password)


class Subscription:
    """Calls a function for each change, in a thread of its own, until it is stopped."""

    def __init__(self, run: Callable[[Subscription], None]) -> None:
        self._stopped = threading.Event()
        self._calling = threading.RLock()
        self._thread = threading.Thread(target=run, args=(self,), name="task-api-changes", daemon=True)
        self._thread.start()

    def is_stopped(self) -> bool:
        """Tell whether it was stopped."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Call the function no more. The thread ends when the stream says something, in 15 seconds at the latest."""
        with self._calling:
            self._stopped.set()

    def tell(self, callback: Callable[[Any], object], item: object) -> None:
        """Call a function, unless it was stopped."""
        with self._calling:
            if not self._stopped.is_set():
                callback(item)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Client(Calls):
    """A client for one user. Threads may share it.

    `token` is a token, a function that fetches one (it is told whether the last was refused), a Session to go on with,
    or nothing before `auth.login`. `on_session` hears of each new Session, to keep it, and None when it has ended.
    """

    def __init__(
        self,
        address: str,
        token: Token = None,
        *,
        on_session: Optional[Callable[[Optional[Session]], None]] = None,
        http_client: Optional[httpx.Client] = None,
        timing: Optional[Timing] = None,
    ) -> None:
        context = Context.of(token, on_session, timing or Timing())
        super().__init__(Driver(address, context, http_client))
        self.lists, self.labels, self.tokens = Lists(self._driver), Labels(self._driver), Tokens(self._driver)
        self.account, self.auth = Account(self._driver), Auth(self._driver)

    list = call(tasks.list_page)
    all = loop(tasks.all_tasks)
    get = call(tasks.get)
    create = call(tasks.create)
    update = call(tasks.update)
    toggle = call(tasks.toggle)
    complete = call(tasks.complete)
    remove = call(tasks.remove)
    restore = call(tasks.restore)
    move = call(tasks.move)
    undo = call(activity.undo)
    undo_request = call(activity.undo_request)
    activity_of = call(activity.activity_of)
    activity = call(activity.activity)
    batch = call(tasks.batch)
    subtasks = call(tasks.subtasks)
    counts = call(tasks.counts)
    import_file = call(tasks.import_file)
    export_file = call(tasks.export_file)
    changes = loop(changes.changes)
    request = call(tasks.request)

    def subscribe(
        self,
        callback: Callable[[Change], object],
        *,
        on_error: Optional[Callable[[Exception], object]] = None,
        **options: Any,
    ) -> Subscription:
        """Call a function for each change from now on, in a thread of its own, with the options of `changes`."""

        def run(subscription: Subscription) -> None:
            steps = changes.changes(self._driver.context, **{"since": "now", **options})
            try:
                for change in self._driver.loop(steps, subscription.is_stopped):
                    subscription.tell(callback, change)
            except Exception as problem:
                if on_error is None:
                    raise
                subscription.tell(on_error, problem)

        return Subscription(run)

    def close(self) -> None:
        """Close the connections, unless they are those of an `http_client` of yours."""
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        driver = getattr(self, "_driver", None)  # none if __init__ has failed
        if driver is not None and driver.is_open:
            warnings.warn(
                f"Close this client, or use it in `with`: {self!r}", ResourceWarning, stacklevel=2, source=self
            )
