"""The page of webhooks."""

import dataclasses
import html
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI

from bodydouble.console import Console
from bodydouble.service import Caller
from bodydouble.tasks.account import Account
from bodydouble.tasks.delivery import CallbackMessage, DeliveryTry, Outcome

pytestmark = pytest.mark.anyio


async def test_webhooks_are_tested_from_their_page(user: Any, app: FastAPI, console: Console, account: Account) -> None:
    """The test is signed with the account's secret; the page says what the receiver answered."""
    sent: list[tuple[str, bytes, Any]] = []

    async def send(url: str, delivery: UUID, message: CallbackMessage) -> DeliveryTry:
        sent.append((url, message.body, list(message.secrets)))
        status = 204 if "good" in url else 500
        return DeliveryTry(http_status=status, error=None, milliseconds=7, outcome=Outcome.RETRY)

    app.state.console = dataclasses.replace(console, send_callback=send)
    for url, said in (("https://good.example/hook", "status 204"), ("https://bad.example/hook", "status 500")):
        await user.post("/webhooks/test", url=url)
        assert f"{url} answered the test with {said} in 7 ms" in html.unescape((await user.get("/webhooks")).text)
    assert [url for url, _, _ in sent] == ["https://good.example/hook", "https://bad.example/hook"]
    assert b'"test": true' in sent[0][1]
    assert sent[0][2] == [console.accounts.webhook_secret(account)]
    await user.post("/webhooks/test", url="ftp://good.example")
    assert len(sent) == 2
    shown = await user.post("/webhooks/secret")
    assert console.accounts.webhook_secret(account) in shown.text
    assert console.accounts.webhook_secret(account) not in (await user.get("/webhooks")).text


async def test_recent_callbacks_are_listed(user: Any, console: Console, account: Account) -> None:
    """A callback of an ended task is listed with its address and links to the task."""
    inputs = {"img_urls": ["https://example.com/a.png"], "video_urls": ["https://example.com/b.mp4"]}
    request = {"model": "wan/2-2-animate-replace", "input": inputs, "callback_url": "https://example.com/hook"}
    task = str((await console.tasks.submit(Caller(account=account), console.parse(request))).id)
    assert "No callbacks yet" in (await user.get("/webhooks")).text
    await console.tasks.cancel(Caller(account=account), task)
    page = (await user.get("/webhooks")).text
    assert f'href="/tasks/{task}#callbacks"' in page
    assert "https://example.com/hook" in page
