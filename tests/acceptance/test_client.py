"""The Python client against a real service."""

import asyncio
import os

import httpx
import pytest

from bodydouble.provenance.reading import read_manifest
from bodydouble_client import AsyncClient, Client, InvalidRequest, NotFound, TaskCancelled, TransferFailed
from live_service import PERCEIVING, LiveService
from proxies import DisconnectingProxy, running_proxy

pytestmark = pytest.mark.acceptance


@pytest.fixture
def client(service: LiveService):
    """A client of the running service."""
    with Client(service.key, service.url) as client:
        yield client


def test_local_files_become_a_downloaded_result(client: Client, inputs, undisturbed, tmp_path):
    """Updates only advance; the unsigned video is that of plain HTTP, the price the estimate; delete removes both."""
    updates = []
    before = client.balance()
    price = client.estimate(inputs.image, inputs.video, resolution="480P")
    result = client.subscribe(inputs.image, inputs.video, resolution="480P", on_update=updates.append)
    assert read_manifest(result.download(tmp_path / "result.mp4")).state == "valid"
    assert result.media_info["provenance"]["unsigned_sha256"] == undisturbed.unsigned
    assert before - client.balance() == result.credits == price.credits
    assert result.media_info["frames"] == inputs.frames
    progress = [update.progress for update in updates]
    assert progress == sorted(progress)
    assert {"running", "success"} <= {update.status.value for update in updates} <= {"pending", "running", "success"}
    assert [update.is_done for update in updates] == [False] * (len(updates) - 1) + [True]
    client.delete(result.task_id)
    with pytest.raises((NotFound, TransferFailed)):
        result.download(tmp_path / "again.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["result.mp4"]


class ThroughLine(httpx.HTTPTransport):
    """Sends everything through a proxy, and repairs it after the client has noticed the break."""

    def __init__(self, line: DisconnectingProxy) -> None:
        super().__init__()
        self._line, self.breaks = line, 0

    def handle_request(self, request):
        request.url = request.url.copy_with(port=self._line.port)
        try:
            return super().handle_request(request)
        except httpx.TransportError:
            self.breaks += 1
            self._line.mend()
            raise


def test_an_upload_goes_on_where_the_line_broke(service: LiveService, tmp_path):
    """After a break in its middle the whole file arrives, and little more than its length was sent."""
    content = b"\0\0\0\x20ftypisom" + os.urandom(24_000_000)
    (tmp_path / "large.mp4").write_bytes(content)
    line = DisconnectingProxy(service.port, len(content) // 2)
    with running_proxy(line):
        through = ThroughLine(line)
        with (
            httpx.Client(transport=through, timeout=30) as http,
            Client(service.key, service.url, http_client=http) as client,
        ):
            stored = client.upload(tmp_path / "large.mp4")
    assert through.breaks == 1
    assert httpx.get(stored, timeout=30).content == content
    assert line.sent_bytes < 1.25 * len(content)


def test_a_task_can_be_cancelled_listed_and_deleted(service: LiveService, inputs, tmp_path):
    """With asyncio: cancelling ends the wait and refunds the credits; a deleted task does not exist any more."""

    async def story() -> None:
        async with AsyncClient(service.key, service.url) as client:
            before = await client.balance()
            task = await client.submit(inputs.image, inputs.video, resolution="480P")
            await asyncio.to_thread(service.hold, task.id, PERCEIVING)
            async for update in task.events():
                if update.status == "running":
                    with pytest.raises(InvalidRequest):
                        await client.delete(task.id)
                    assert await task.cancel()
                    break
            with pytest.raises(TaskCancelled):
                await task.wait(timeout=400)
            assert await client.balance() == before
            assert not await task.cancel()
            assert task.id in [listed.id async for listed in client.tasks(status="failed", page_size=1)]
            await client.delete(task.id)
            with pytest.raises(NotFound):
                await client.task(task.id).status()
            assert task.id not in [listed.id async for listed in client.tasks()]

    asyncio.run(story())


def test_a_repeated_create_makes_one_task(client: Client, inputs):
    """The same key and request return the first task; the same key with another request is refused."""
    image, video = client.upload(inputs.image), client.upload(inputs.video)
    first = client.submit(image, video, resolution="480P", idempotency_key="order-17")
    assert client.submit(image, video, resolution="480P", idempotency_key="order-17").id == first.id
    with pytest.raises(InvalidRequest):
        client.submit(image, video, resolution="720P", idempotency_key="order-17")
    first.cancel()
    with pytest.raises(TaskCancelled):
        first.wait(timeout=400)


def test_bad_input_names_the_field(client: Client, inputs, tmp_path):
    """The service's message about a file is passed on unchanged, and nothing is charged."""
    (tmp_path / "cut.mp4").write_bytes(inputs.video.read_bytes()[: inputs.video.stat().st_size // 2])
    with pytest.raises(InvalidRequest, match="video_urls"):
        client.run(inputs.image, tmp_path / "cut.mp4", resolution="480P")
