"""MCP's extension for tasks (SEP-2663), served from the service's own tasks.

A client that declares it gets a task at once instead of a video, and asks for its state whenever it likes. The id is
that of our task, so it survives restarts of client, MCP server and service.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, CallToolRequestParams, CallToolResult, RequestParams, TextContent
from pydantic import ConfigDict, Field

from bodydouble.agents.answers import is_cancelled, state_sentence, task_answer
from bodydouble.agents.tools import MODELS, Tools
from bodydouble_client import ClientError, NotFound, TaskInfo

IDENTIFIER = "io.modelcontextprotocol/tasks"
POLL_MILLISECONDS = 2000


class TaskParams(RequestParams):
    """Parameters of ``tasks/get``, ``tasks/update`` and ``tasks/cancel``."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)
    task_id: str = Field(alias="taskId")


class TasksExtension(Extension):
    """Answers calls of long tools with tasks, for clients that declare the extension."""

    identifier = IDENTIFIER

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def methods(self) -> Sequence[MethodBinding]:
        """The extension's three requests."""
        return (
            MethodBinding("tasks/get", TaskParams, self._get),
            MethodBinding("tasks/update", TaskParams, self._update),
            MethodBinding("tasks/cancel", TaskParams, self._cancel),
        )

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """A task for a long tool, if the client can follow one."""
        arguments = dict(params.arguments or {})
        complete = {"picture", "video"} <= arguments.keys()
        if params.name not in MODELS or not complete or not _declares(ctx):
            return await call_next(ctx)
        try:
            task = await self._tools.create(params.name, arguments, ctx.request)
        except (ClientError, ToolError, OSError, ValueError, TypeError) as error:
            return CallToolResult(content=[TextContent(type="text", text=str(error))], is_error=True)
        return {"resultType": "task", **_state(task)}

    async def _get(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> HandlerResult:
        task = await self._known(ctx, params)
        state = _state(task)
        if state["status"] == "completed":
            result = task_answer(task).model_dump(mode="json", by_alias=True, exclude_none=True)
            return {"resultType": "complete", **state, "result": result}
        return {"resultType": "complete", **state}

    async def _update(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> HandlerResult:
        """Acknowledged without effect: our tasks never ask for input."""
        await self._known(ctx, params)
        return {"resultType": "complete"}

    async def _cancel(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> HandlerResult:
        await self._known(ctx, params)
        await self._tools.end(params.task_id, ctx.request)
        return {"resultType": "complete"}

    async def _known(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> TaskInfo:
        try:
            return await self._tools.info(params.task_id, ctx.request)
        except NotFound:
            raise MCPError(code=INVALID_PARAMS, message=f"There is no task {params.task_id}") from None


def _declares(ctx: ServerRequestContext[Any, Any]) -> bool:
    capabilities = ctx.session.client_capabilities
    return IDENTIFIER in ((capabilities.extensions if capabilities else None) or {})


def _state(task: TaskInfo) -> dict[str, Any]:
    """The extension's ``Task``. A task that failed is completed: its result is a tool's error."""
    ended = "cancelled" if is_cancelled(task) else "completed"
    created = task.created_at or datetime.now(UTC)
    until = task.expires_at or task.deadline
    return {
        "taskId": task.id,
        "status": ended if task.is_over else "working",
        "statusMessage": state_sentence(task),
        "createdAt": created.isoformat(),
        "lastUpdatedAt": (task.completed_at or datetime.now(UTC)).isoformat(),
        "ttlMs": int((until - created).total_seconds() * 1000) if until else None,
        "pollIntervalMs": POLL_MILLISECONDS,
    }
