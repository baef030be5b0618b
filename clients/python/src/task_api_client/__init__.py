"""A client of the Task API: `Client` for scripts and Streamlit, `AsyncClient` for bots and servers."""

from task_api_client._core.context import Timing
from task_api_client.async_client import AsyncClient, AsyncSubscription
from task_api_client.client import Client, Subscription
from task_api_client.errors import (
    Conflict,
    NoAnswer,
    NotFound,
    PreconditionFailed,
    RateLimited,
    TaskApiError,
    Unauthorized,
)
from task_api_client.values import (
    AccessToken,
    Account,
    Change,
    Detail,
    FileProblem,
    ImportReport,
    Label,
    List,
    Page,
    PageInfo,
    Problem,
    Result,
    Session,
    StatusCounts,
    SubtaskCounts,
    Task,
    User,
)
from task_api_client.version import __version__

__all__ = [
    "AccessToken",
    "Account",
    "AsyncClient",
    "AsyncSubscription",
    "Change",
    "Client",
    "Conflict",
    "Detail",
    "FileProblem",
    "ImportReport",
    "Label",
    "List",
    "NoAnswer",
    "NotFound",
    "Page",
    "PageInfo",
    "PreconditionFailed",
    "Problem",
    "RateLimited",
    "Result",
    "Session",
    "StatusCounts",
    "Subscription",
    "SubtaskCounts",
    "Task",
    "TaskApiError",
    "Timing",
    "Unauthorized",
    "User",
    "__version__",
]
