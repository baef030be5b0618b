"""The client whose calls are awaited."""

from __future__ import annotations

import asyncio
import inspect
import warnings
from typing import TYPE_CHECKING, Any, Callable, Optional

from task_api_client._async_driver import AsyncDriver
from task_api_client._core import account, activity, auth, changes, lists, tasks
from task_api_client._core.context import Context, Timing, Token
from task_api_client._methods import AsyncCalls, async_call, async_loop
from task_api_client.values import Change, Session

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Self


class AsyncLists(AsyncCalls):
    """The lists."""

    list = async_call(lists.list_lists)
    get = async_call(lists.get_list)
    create = async_call(lists.create_list)
    update = async_call(lists.update_list)
    remove = async_call(lists.remove_list)
    restore = async_call(lists.restore_list)
    move = async_call(lists.move_list)


class AsyncLabels(AsyncCalls):
    """The labels."""

    list = async_call(lists.list_labels)
    put = async_call(lists.put_label)
    update = async_call(lists.update_label)
    remove = async_call(lists.remove_label)


class AsyncTokens(AsyncCalls):
    """The personal access tokens."""

    list = async_call(account.list_tokens)
    create = async_call(account.create_token)
    remove = async_call(account.remove_token)


class AsyncAccount(AsyncCalls):
    """The account of who has signed in."""

    get = async_call(account.get_account)
    update = async_call(account.update_account)
    export = async_call(account.export_account)
    erase = async_call(account.erase_account)


class AsyncAuth(AsyncCalls):
    """The sign-in of the service itself, where it is on."""

    methods = async_call(auth.methods)
    register = async_call(auth.register)
    login = async_call(auth.login)
    logout = async_call(auth.logout)
    change_password = async_call(auth.change_password)


class AsyncSubscription:
    """Calls a function for each change, in a task of its own, until it is stopped."""

    def __init__(self, task: asyncio.Task[None]) -> None:
        self._task = task

    def stop(self) -> None:
        """Call the function no more."""
        self._task.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop()
        await asyncio.wait([self._task])


class AsyncClient(AsyncCalls):
    """A client for one user. Tasks may share it, and so may event loops in turn.

    `token` is a token, a function that fetches one (it is told whether the last was refused), a Session to go on with,
    or nothing before `auth.login`. `on_session` hears of each new Session, to keep it, and None when it has ended.
    """

    def __init__(
        self,
        address: str,
        token: Token = None,
        *,
        on_session: Optional[Callable[[Optional[Session]], None]] = None,
        http_client: Optional[httpx.AsyncClient] = None,
        timing: Optional[Timing] = None,
    ) -> None:
        context = Context.of(token, on_session, timing or Timing())
        super().__init__(AsyncDriver(address, context, http_client))
        self.lists, self.labels, self.tokens = (
            AsyncLists(self._driver),
            AsyncLabels(self._driver),
            AsyncTokens(self._driver),
        )
        self.account, self.auth = AsyncAccount(self._driver), AsyncAuth(self._driver)

    list = async_call(tasks.list_page)
    all = async_loop(tasks.all_tasks)
    get = async_call(tasks.get)
    create = async_call(tasks.create)
    update = async_call(tasks.update)
    toggle = async_call(tasks.toggle)
    complete = async_call(tasks.complete)
    remove = async_call(tasks.remove)
    restore = async_call(tasks.restore)
    move = async_call(tasks.move)
    undo = async_call(activity.undo)
    undo_request = async_call(activity.undo_request)
    activity_of = async_call(activity.activity_of)
    activity = async_call(activity.activity)
    batch = async_call(tasks.batch)
    subtasks = async_call(tasks.subtasks)
    counts = async_call(tasks.counts)
    import_file = async_call(tasks.import_file)
    export_file = async_call(tasks.export_file)
    changes = async_loop(changes.changes)
    request = async_call(tasks.request)

    def subscribe(
        self,
        callback: Callable[[Change], object],
        *,
        on_error: Optional[Callable[[Exception], object]] = None,
        **options: Any,
    ) -> AsyncSubscription:
        """Call a function for each change from now on, in a task of its own, with the options of `changes`."""

        async def tell(function: Callable[[Any], object], item: object) -> None:
            result = function(item)
            if inspect.isawaitable(result):
                await result

        async def run() -> None:
            try:
                async for change in self.changes(**{"since": "now", **options}):
                    await tell(callback, change)
            except Exception as problem:
                if on_error is None:
                    raise
                await tell(on_error, problem)

        return AsyncSubscription(asyncio.get_running_loop().create_task(run()))

    async def aclose(self) -> None:
        """Close the connections, unless they are those of an `http_client` of yours."""
        await self._driver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        driver = getattr(self, "_driver", None)  # none if __init__ has failed
        if driver is not None and driver.is_open:
            warnings.warn(
                f"Close this client, or use it in `async with`: {self!r}", ResourceWarning, stacklevel=2, source=self
            )
