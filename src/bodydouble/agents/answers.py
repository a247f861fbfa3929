"""Results of tools: a sentence for the model, fields for programs, and a link to the video."""

from typing import Any

from mcp_types import CallToolResult, ContentBlock, ResourceLink, TextContent

from bodydouble_client import TaskInfo, TaskStatus

CANCELLED_CODE = 499
"""Result code of a task that somebody cancelled."""


def is_cancelled(task: TaskInfo) -> bool:
    """Whether the task ended because somebody cancelled it."""
    return task.status is TaskStatus.FAILED and task.result_code == CANCELLED_CODE


def state_sentence(task: TaskInfo) -> str:
    """The task's state in one sentence."""
    match task.status:
        case TaskStatus.SUCCESS:
            return f"The video is ready. It cost {float(task.credits):g} credits."
        case TaskStatus.FAILED:
            return f"The task ended without a video and cost nothing: {task.result_message}"
        case TaskStatus.PENDING:
            ahead = task.queue_position
            return "The task is waiting." + (f" {ahead} tasks are ahead of it." if ahead else "")
        case _:
            return f"The task is running: {task.stage or 'started'}, {(task.progress or 0):.0%} done."


def task_fields(task: TaskInfo) -> dict[str, Any]:
    """The task for programs."""
    return {
        "task_id": task.id,
        "status": "cancelled" if is_cancelled(task) else task.status.value,
        "progress": 1.0 if task.status is TaskStatus.SUCCESS else task.progress or 0.0,
        "stage": task.stage,
        "queue_position": task.queue_position,
        "credits": float(task.credits),
        "message": task.result_message,
        "video_url": task.media_urls[0] if task.media_urls else None,
        "warnings": [warning.message for warning in task.warnings],
    }


def task_answer(task: TaskInfo) -> CallToolResult:
    """The answer of a tool about ``task``."""
    lines = [state_sentence(task), f"task_id: {task.id}"]
    lines += [f"Note: {warning.message}" for warning in task.warnings]
    if not task.is_over:
        lines.append("Call `task` with this id to wait for it. It continues whatever happens to this conversation.")
    content: list[ContentBlock] = [TextContent(type="text", text="\n".join(lines))]
    content += [
        ResourceLink(
            type="resource_link", uri=url, name=f"{task.id}.mp4", mime_type="video/mp4", description="the video"
        )
        for url in task.media_urls
    ]
    is_error = task.status is TaskStatus.FAILED and not is_cancelled(task)
    return CallToolResult(content=content, structured_content=task_fields(task), is_error=is_error)
