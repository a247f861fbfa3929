"""Requests that several API tests send."""

import copy
from pathlib import Path
from typing import Any

import httpx

API = "/api/v1/client"
MODEL = "wan/2-2-animate-replace"
WORKER = "one:/work"
BODY: dict[str, Any] = {
    "model": MODEL,
    "input": {
        "img_urls": ["https://example.com/portrait.jpg"],
        "video_urls": ["https://example.com/source-video.mp4"],
        "resolution": "480p",
    },
}


def body(**changes: Any) -> dict[str, Any]:
    """A valid body with changed input fields; None removes a field."""
    made = copy.deepcopy(BODY)
    made["input"] = {k: v for k, v in (made["input"] | changes).items() if v is not None}
    return made


async def create(client: httpx.AsyncClient, made: dict[str, Any]) -> httpx.Response:
    return await client.post(f"{API}/job/CreateTask", json=made)


async def balance(client: httpx.AsyncClient) -> float:
    return (await client.get(f"{API}/account/balance")).json()["data"]["balance"]


async def upload(client: httpx.AsyncClient, path: Path, content_type: str) -> str:
    """Upload a file as the official client does; returns its URL."""
    asked = {"content_type": content_type, "ext": path.suffix}
    signed = (await client.get(f"{API}/files/upload-url", params=asked)).json()["data"]
    put = await client.put(signed["presigned_url"], content=path.read_bytes(), headers={"Content-Type": content_type})
    assert put.status_code == 200, put.text
    return str(signed["file_url"])
