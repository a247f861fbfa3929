"""The tools of the MCP server. Their docstrings and parameter texts are all that an agent sees."""

import asyncio
import shlex
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, ImageContent, TextContent, ToolAnnotations
from pydantic import Field

from bodydouble.agents.answers import state_sentence, task_answer
from bodydouble.agents.connections import Connect, ServiceConnection
from bodydouble.agents.local_files import LocalFolders
from bodydouble_client import AsyncTaskHandle, ClientError, ConnectionFailed, ServerError, TaskInfo
from bodydouble_client.media import EXTENSIONS

MODELS = {"replace_person": "wan/2-2-animate-replace", "move_character": "wan/2-2-animate-move"}
"""Tool that makes videos → the model that it uses."""
OPTIONS = ("person", "keep_audio", "label", "consent", "prompt")
"""Arguments of these tools that are inputs of the model under the same name."""
WAIT_SECONDS_MAX = 600
WAIT_SECONDS = 40
"""Many clients end a call after 60 s."""
POLL_SECONDS = 1.0
"""Interval between two reads of a task that a tool waits for."""

Picture = Annotated[
    str, Field(description="The character: path, http(s) address or data URL (of up to 700 kB) of a picture.")
]
Video = Annotated[
    str, Field(description="The driving video, up to 120 s: path, http(s) address or data URL (of up to 700 kB).")
]
Resolution = Annotated[
    Literal["480P", "580P", "720P"], Field(description="Short side of the result; 480P is quickest and cheapest.")
]
PersonIndex = Annotated[
    int | list[float],
    Field(
        description="Which person of the video: an index from find_people (0 is the largest) or a point [x, y], 0-1."
    ),
]
KeepAudio = Annotated[bool, Field(description="Keep the sound of the video.")]
Label = Annotated[
    Literal["none", "eu", "china", "both"],
    Field(description="Visible label: eu shows AI in every frame, china AI生成 in the first seconds."),
]
Consent = Annotated[str, Field(description="How the people shown agreed, such as the number of a release, if known.")]
Prompt = Annotated[str, Field(description="Description of the scene, for the GPU renderer; usually empty.")]
Wait = Annotated[
    int,
    Field(ge=0, le=WAIT_SECONDS_MAX, description="Seconds to wait for the video before answering with the task's id."),
]
TaskId = Annotated[str, Field(description="The id that replace_person or move_character returned.")]

Tool = Callable[..., Coroutine[Any, Any, CallToolResult]]
READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
CREATES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=True)
ENDS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)
WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False)


class Tools:
    """The tools over one way to reach the service.

    ``folders``: what they may use of this machine. ``is_stopping``: whether they have to stop waiting for tasks.
    """

    def __init__(self, connect: Connect, folders: LocalFolders, is_stopping: Callable[[], bool]) -> None:
        self._connect, self._folders, self._is_stopping = connect, folders, is_stopping

    def all(self) -> list[tuple[Tool, str, ToolAnnotations]]:
        """Each tool with its title and annotations."""
        tools: list[tuple[Tool, str, ToolAnnotations]] = [
            (self.replace_person, "Replace a person in a video", CREATES),
            (self.move_character, "Make a picture move like a video", CREATES),
            (self.find_people, "Find the people in a video", READS),
            (self.estimate, "What a video costs", READS),
            (self.task, "State of a task", READS),
            (self.cancel, "Cancel a task", ENDS),
            (self.download, "Get a finished video", WRITES),
        ]
        if not self._folders:
            tools.append((self.upload_address, "Where to upload a file", WRITES))
        return tools

    async def replace_person(
        self,
        picture: Picture,
        video: Video,
        ctx: Context,
        resolution: Resolution = "720P",
        person: PersonIndex = 0,
        keep_audio: KeepAudio = True,
        label: Label = "none",
        consent: Consent = "",
        prompt: Prompt = "",
        wait_seconds: Wait = WAIT_SECONDS,
    ) -> CallToolResult:
        """Replace a person in a video with the character of a picture.

        The scene, camera, light, motion and sound stay. Use it to replace, swap or recast somebody: "put X into this
        clip", "X in place of the man". Takes minutes. The answer has the video, or a task_id for `task`.
        """
        options = {"person": person, "keep_audio": keep_audio, "label": label, "consent": consent, "prompt": prompt}
        return await self._make("replace_person", picture, video, ctx, resolution, options, wait_seconds)

    async def move_character(
        self,
        picture: Picture,
        video: Video,
        ctx: Context,
        resolution: Resolution = "720P",
        label: Label = "none",
        consent: Consent = "",
        prompt: Prompt = "",
        wait_seconds: Wait = WAIT_SECONDS,
    ) -> CallToolResult:
        """Animate the character of a picture with the motion of the person in a video.

        The picture's own background stays, nothing of the video is seen but the motion. Use it for "make this drawing
        dance like the video". Needs a GPU renderer, takes minutes.
        """
        options = {"label": label, "consent": consent, "prompt": prompt}
        return await self._make("move_character", picture, video, ctx, resolution, options, wait_seconds)

    async def find_people(self, video: Video, ctx: Context) -> CallToolResult:
        """Find who is at the start of a video: a picture with numbers, and where each one is.

        Use it first if a video shows several people, to ask who is meant. The numbers are values of `person`.
        """
        async with self._service(ctx) as service:
            url = await service.client.upload(self._folders.source(video, "video"))
            found = await service.people(url)
        picture = found["picture"].partition(",")[2]
        lines = [
            f"{index}: {person['width']:.0%} wide and {person['height']:.0%} high, around "
            f"[{person['x'] + person['width'] / 2:.2f}, {person['y'] + person['height'] / 2:.2f}]"
            for index, person in enumerate(found["people"])
        ] or ["Nobody was found in the first two seconds."]
        text = TextContent(type="text", text="\n".join([*lines, f"video: {url} (already uploaded; use this address)"]))
        fields = {"people": found["people"], "video": url}
        if not picture:
            return CallToolResult(content=[text], structured_content=fields)
        shown = ImageContent(type="image", data=picture, mime_type="image/jpeg")
        return CallToolResult(content=[text, shown], structured_content=fields)

    async def estimate(
        self,
        picture: Picture,
        video: Video,
        ctx: Context,
        resolution: Resolution = "720P",
        kind: Annotated[
            Literal["replace_person", "move_character"], Field(description="The tool whose price is asked.")
        ] = "replace_person",
    ) -> CallToolResult:
        """What a video would cost in credits, and the account's balance. Use it for "how much", "what does it cost"."""
        async with self._service(ctx) as service:
            sources = self._folders.source(picture, "picture"), self._folders.source(video, "video")
            price = await service.client.estimate(*sources, model=MODELS[kind], resolution=resolution)
            balance = await service.client.balance()
        about = "about " if price.estimated else ""
        text = f"It costs {about}{float(price.credits):g} credits; the balance is {float(balance):g}."
        fields = {"credits": float(price.credits), "estimated": price.estimated, "balance": float(balance)}
        return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=fields)

    async def task(self, task_id: TaskId, ctx: Context, wait_seconds: Wait = WAIT_SECONDS) -> CallToolResult:
        """Wait for a task and report its state: queue, progress, the finished video, or why it failed."""
        async with self._service(ctx) as service:
            return task_answer(await _follow(service.client.task(task_id), ctx, wait_seconds, self._is_stopping))

    async def cancel(self, task_id: TaskId, ctx: Context) -> CallToolResult:
        """Stop a task. Its credits are returned. A finished task stays as it is."""
        async with self._service(ctx) as service:
            cancelled = await service.client.task(task_id).cancel()
        text = "The task is being stopped; it costs nothing." if cancelled else "The task was finished already."
        fields = {"task_id": task_id, "cancelled": cancelled}
        return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=fields)

    async def download(
        self,
        task_id: TaskId,
        ctx: Context,
        path: Annotated[
            str, Field(description="Where to save the video on this machine; empty: only the address.")
        ] = "",
    ) -> CallToolResult:
        """Save the video of a finished task as a local file, or return its address."""
        async with self._service(ctx) as service:
            handle = service.client.task(task_id)
            task = await handle.status()
            result = handle.result
            if result is None or not path:
                return task_answer(task)
            saved: Path = await result.download(self._folders.target(path))
        fields = {"task_id": task_id, "path": str(saved), "bytes": saved.stat().st_size}
        return CallToolResult(content=[TextContent(type="text", text=f"Saved: {saved}")], structured_content=fields)

    async def upload_address(
        self,
        file_name: Annotated[str, Field(description="Name of the picture or video, with its extension.")],
        ctx: Context,
    ) -> CallToolResult:
        """Get an address to upload a picture or video to, and the address that the other tools take afterwards.

        Use it for local files, and instead of data URLs for files of more than 700 kB.
        """
        extension = Path(file_name).suffix.lower()
        if extension not in EXTENSIONS:
            raise ToolError(f"file_name: {file_name} has to end in one of {', '.join(sorted(EXTENSIONS))}")
        kind = EXTENSIONS[extension]
        async with self._service(ctx) as service:
            place = await service.upload_address(kind, extension)
        command = shlex.join(["curl", "-T", file_name, "-H", f"Content-Type: {kind}", place["presigned_url"]])
        text = f"Upload it with: {command}\nThen use this address as picture or video: {place['file_url']}"
        fields = {"put_url": place["presigned_url"], "content_type": kind, "file_url": place["file_url"]}
        return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=fields)

    async def create(self, name: str, arguments: dict[str, Any], request: Any) -> TaskInfo:
        """Create the task of a call of ``replace_person`` or ``move_character`` and return at once.

        Raises ToolError, ClientError.
        """
        options = {key: arguments[key] for key in OPTIONS if arguments.get(key) is not None}
        async with self._connect(request) as service:
            handle = await self._submit(service, MODELS[name], arguments, options)
            with _named_in_errors(handle):
                return await handle.status()

    async def info(self, task_id: str, request: Any) -> TaskInfo:
        """A task's current state. Raises ClientError."""
        async with self._connect(request) as service:
            return await service.client.task(task_id).status()

    async def end(self, task_id: str, request: Any) -> None:
        """Cancel a task. Raises ClientError."""
        async with self._connect(request) as service:
            await service.client.task(task_id).cancel()

    async def _submit(
        self, service: ServiceConnection, model: str, arguments: dict[str, Any], options: dict[str, Any]
    ) -> AsyncTaskHandle:
        picture = self._folders.source(arguments["picture"], "picture")
        video = self._folders.source(arguments["video"], "video")
        resolution = str(arguments.get("resolution") or "720P")
        return await service.client.submit(picture, video, model=model, resolution=resolution, **options)

    async def _make(
        self,
        name: str,
        picture: str,
        video: str,
        ctx: Context,
        resolution: str,
        options: dict[str, Any],
        wait_seconds: int,
    ) -> CallToolResult:
        arguments = {"picture": picture, "video": video, "resolution": resolution}
        async with self._service(ctx) as service:
            handle = await self._submit(service, MODELS[name], arguments, options)
            with _named_in_errors(handle):
                return task_answer(await _follow(handle, ctx, wait_seconds, self._is_stopping))

    @asynccontextmanager
    async def _service(self, ctx: Context) -> AsyncGenerator[ServiceConnection]:
        """The service for this call. Its refusals become errors that the agent can read."""
        try:
            async with self._connect(ctx.request_context.request) as service:
                yield service
        except ClientError as error:
            raise ToolError(str(error)) from None
        except (OSError, ValueError, TypeError) as error:  # local files
            raise ToolError(str(error)) from None


@contextmanager
def _named_in_errors(handle: AsyncTaskHandle) -> Generator[None]:
    """Errors of the block name the new task, so that the agent does not create another one. Raises ToolError."""
    try:
        yield
    except ClientError as error:
        raise ToolError(
            f"The task {handle.id} was created, but its state could not be read: {error}. Call `task` with this id; "
            "another call of this tool would make and charge another video."
        ) from None


async def _follow(handle: AsyncTaskHandle, ctx: Context, seconds: float, is_stopping: Callable[[], bool]) -> TaskInfo:
    """The task after ``seconds``, or as soon as it is over or this process stops.

    Reports progress. An outage only delays the next report.

    Raises ClientError.
    """
    until = time.monotonic() + seconds
    seen: TaskInfo | None = None
    while True:
        try:
            seen = await handle.status()
        except (ConnectionFailed, ServerError):
            if time.monotonic() >= until or is_stopping():
                if seen is None:
                    raise
                return seen
        else:
            await ctx.report_progress(seen.progress or 0.0, 1.0, state_sentence(seen))
            if seen.is_over or time.monotonic() >= until or is_stopping():
                return seen
        await asyncio.sleep(POLL_SECONDS)
