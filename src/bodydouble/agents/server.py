"""The MCP server: the tools and the tasks extension."""

import inspect
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import MCPServer

from bodydouble import __version__
from bodydouble.agents.connections import Connect
from bodydouble.agents.local_files import LocalFolders
from bodydouble.agents.tasks_extension import TasksExtension
from bodydouble.agents.tools import Tools

INSTRUCTIONS = (
    "Makes videos in which a person is replaced by the character of a picture (replace_person), or in which a picture "
    "moves like the person of a video (move_character). Both take minutes and cost credits: call estimate first if the "
    "user asks for the price. If the video shows several people, call find_people and ask which one. A task continues "
    "without you: keep its task_id, and call task for its state. Results are marked as generated."
)


def build_server(
    connect: Connect, folders: Sequence[Path] = (), is_stopping: Callable[[], bool] = lambda: False
) -> MCPServer[Any]:
    """The server over ``connect``. ``folders``: local folders that its tools may read and write.

    ``is_stopping``: whether the process stops, so that tools no longer wait for tasks.
    """
    tools = Tools(connect, LocalFolders(folders), is_stopping)
    logs = logging.getLogger()
    handlers, level = logs.handlers[:], logs.level
    server = MCPServer[Any](
        name="bodydouble",
        title="bodydouble",
        version=__version__,
        instructions=INSTRUCTIONS,
        extensions=[TasksExtension(tools)],
    )
    logs.handlers[:], logs.level = handlers, level  # the library has changed how the whole process logs
    for tool, title, annotations in tools.all():
        server.add_tool(
            tool, title=title, description=inspect.getdoc(tool), annotations=annotations, structured_output=False
        )
    return server
