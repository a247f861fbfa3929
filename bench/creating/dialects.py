"""One create request of each dialect, as its clients send it, with a webhook where the dialect has one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

COUNTER, DIGITS = "COUNTER", 32
"""The load replaces this word by as many unique digits."""
IMAGE, VIDEO = "https://cdn.example.com/characters/astronaut.png", f"https://cdn.example.com/shots/{COUNTER}.mp4"
HOOK = "https://studio.example.com/hooks/bodydouble"


@dataclass(frozen=True, kw_only=True)
class Create:
    """A create request."""

    path: str
    authorization: str  # header; the key is put in
    body: Mapping[str, Any]
    headers: str = ""  # further ones


BEARER = "Authorization: Bearer {key}"
CREATES: Mapping[str, Create] = {
    "crun": Create(
        path="/api/v1/client/job/CreateTask",
        authorization="x-api-key: {key}",
        headers=f"Idempotency-Key: {COUNTER}\r\n",
        body={
            "model": "wan/2-2-animate-replace",
            "callback_url": HOOK,
            "input": {"img_urls": [IMAGE], "video_urls": [VIDEO], "resolution": "480P"},
        },
    ),
    "fal": Create(
        path=f"/fal/queue/fal-ai/wan/v2.2-14b/animate/replace?fal_webhook={HOOK}",
        authorization="Authorization: Key {key}",
        body={"video_url": VIDEO, "image_url": IMAGE, "resolution": "480p"},
    ),
    "replicate": Create(
        path="/replicate/v1/models/wan-video/wan-2.2-animate-replace/predictions",
        authorization=BEARER,
        body={"webhook": HOOK, "input": {"video": VIDEO, "character_image": IMAGE, "resolution": "480"}},
    ),
    "dashscope": Create(
        path="/dashscope/api/v1/services/aigc/image2video/video-synthesis",
        authorization=BEARER,
        headers="X-DashScope-Async: enable\r\n",
        body={
            "model": "wan2.2-animate-mix",
            "input": {"image_url": IMAGE, "video_url": VIDEO},
            "parameters": {"check_image": True, "mode": "wan-std"},
        },
    ),
    "kie": Create(
        path="/kie/api/v1/jobs/createTask",
        authorization=BEARER,
        body={
            "model": "wan/2-2-animate-replace",
            "callBackUrl": HOOK,
            "input": {"video_url": VIDEO, "image_url": IMAGE, "resolution": "480p"},
        },
    ),
    "wavespeed": Create(
        path=f"/wavespeed/api/v3/wavespeed-ai/wan-2.2/animate?webhook={HOOK}",
        authorization=BEARER,
        body={"image": IMAGE, "video": VIDEO, "mode": "replace", "resolution": "480p"},
    ),
}


def create_request(dialect: str, port: int, key: str) -> str:
    """A create request of a dialect as HTTP text."""
    create = CREATES[dialect]
    body = json.dumps(create.body, separators=(",", ":"))
    length = len(body) + body.count(COUNTER) * (DIGITS - len(COUNTER))
    return (
        f"POST {create.path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{create.authorization.format(key=key)}\r\n"
        f"{create.headers}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
