"""Uploads of dialects: whose they are, and what is not stored."""

import asyncio
import base64
from decimal import Decimal
from typing import Any

import httpx
import pytest

from bodydouble.service import Services

pytestmark = pytest.mark.anyio
KIE, DASHSCOPE = "/kie/api", "/dashscope/api/v1"
PICTURE = {"base64Data": f"data:image/png;base64,{base64.b64encode(b'not looked at').decode()}"}


async def _key_of_another_account(services: Services) -> dict[str, str]:
    other = await services.accounts.open_account("other", Decimal(100), "for the test")
    return {"x-api-key": (await services.accounts.create_key(other.id)).secret}


async def test_kie_renews_addresses_of_the_account_only(client: httpx.AsyncClient, services: Services) -> None:
    """A valid address of another account's file is refused as an unknown one is."""
    stored = (await client.post(f"{KIE}/file-base64-upload", json=PICTURE)).json()["data"]
    url = {"url": stored["downloadUrl"]}
    own = await client.post(f"{KIE}/v1/common/download-url", json=url)
    assert (await client.get(own.json()["data"])).content == b"not looked at"
    headers = await _key_of_another_account(services)
    foreign = await client.post(f"{KIE}/v1/common/download-url", json=url, headers=headers)
    assert (foreign.json()["code"], foreign.json()["data"]) == (422, None)


async def test_an_oss_address_names_an_upload_of_the_account_only(
    client: httpx.AsyncClient, services: Services
) -> None:
    """Another account that knows the address cannot create a task with it; the owner can."""
    policy = (await client.get(f"{DASHSCOPE}/uploads", params={"action": "getPolicy"})).json()["data"]
    name = f"{policy['upload_dir']}/a.png"
    form = {"policy": policy["policy"], "Signature": policy["signature"], "key": name}
    assert (await client.post("/dashscope/objects", data=form, files={"file": ("a.png", b"x")})).status_code == 200
    body: dict[str, Any] = {
        "model": "wan2.2-animate-mix",
        "input": {"image_url": f"oss://{name}", "video_url": "https://example.com/v.mp4"},
        "parameters": {"mode": "wan-std"},
    }
    create = f"{DASHSCOPE}/services/aigc/image2video/video-synthesis"
    headers = {"X-DashScope-Async": "enable"} | await _key_of_another_account(services)
    refused = await client.post(create, json=body, headers=headers)
    assert (refused.status_code, refused.json()["message"]) == (
        400,
        "input.image_url: this oss:// address is not one of an upload; upload the file again",
    )
    unknown = await client.post(create, json=body, headers=headers | {"x-api-key": f"ak_{'0' * 32}"})
    assert unknown.status_code == 401
    owner = await client.post(create, json=body, headers={"X-DashScope-Async": "enable"})
    assert "not one of an upload" not in owner.text


async def test_an_empty_file_is_refused(client: httpx.AsyncClient) -> None:
    """As base64, in the forms of all dialects, and as a body. Nothing is stored."""
    refused = (await client.post(f"{KIE}/file-base64-upload", json={"base64Data": "", "fileName": "a.png"})).json()
    assert (refused["code"], refused["msg"]) == (422, "base64Data: the file is empty")
    policy = (await client.get(f"{DASHSCOPE}/uploads", params={"action": "getPolicy"})).json()["data"]
    form = {
        "policy": policy["policy"],
        "Signature": policy["signature"],
        "key": f"{policy['upload_dir']}/a.png",
    }
    empty = ("a.png", b"", "image/png")
    uploads: list[tuple[str, dict[str, Any]]] = [
        (f"{KIE}/file-stream-upload", {"files": {"file": empty}}),
        ("/wavespeed/api/v3/media/upload/binary", {"files": {"file": empty}}),
        ("/replicate/v1/files", {"files": {"content": empty}}),
        ("/dashscope/objects", {"files": {"file": empty}, "data": form}),
        ("/fal/cdn/files/upload", {"content": b"", "headers": {"content-type": "image/png"}}),
    ]
    for path, sent in uploads:
        answer = await client.post(path, **sent)
        assert (answer.status_code in (400, 422), "is empty" in answer.text) == (True, True), (path, answer.text)
    assert (await client.get("/replicate/v1/files")).json()["results"] == []


async def test_fals_javascript_client_sends_a_large_file_in_parts(client: httpx.AsyncClient) -> None:
    """Parts in any order, one of them twice, become the file in the order of their numbers; the URL names it."""
    asked = {"content_type": "video/mp4", "file_name": "long.mp4"}
    made = (await client.post("/fal/rest/storage/upload/initiate-multipart", json=asked)).json()
    address = httpx.URL(made["upload_url"])

    def at(rest: str) -> httpx.URL:
        return address.copy_with(path=f"{address.path}/{rest}")

    anybody = {"x-api-key": ""}
    parts: list[dict[str, Any]] = []
    for number, content in ((2, b"second"), (1, b"lost"), (1, b"first, ")):
        sent = await client.put(at(str(number)), content=content, headers=anybody)
        assert sent.status_code == 200, sent.text
        parts.append(sent.json())
    wrong = await client.post(at("complete"), json={"parts": parts[:2]}, headers=anybody)
    assert (wrong.status_code, "part 1 has another etag" in wrong.text) == (422, True)
    missing = await client.post(at("complete"), json={"parts": [parts[2], parts[0], parts[0] | {"partNumber": 3}]})
    assert (missing.status_code, "part 3 was not sent" in missing.text) == (422, True)
    for _ in range(2):  # the client repeats it if the response is lost
        done = await client.post(at("complete"), json={"parts": [parts[0], parts[2]]}, headers=anybody)
        assert (done.status_code, done.json()) == (200, {}), done.text
        assert (await client.get(made["file_url"])).content == b"first, second"


async def test_an_upload_in_parts_is_completed_by_two_calls_at_once(client: httpx.AsyncClient) -> None:
    """Both get the same answer, whichever of them stores the file."""
    asked = {"content_type": "video/mp4", "file_name": "long.mp4"}
    made = (await client.post("/fal/rest/storage/upload/initiate-multipart", json=asked)).json()
    address = httpx.URL(made["upload_url"])
    part = (await client.put(address.copy_with(path=f"{address.path}/1"), content=b"whole")).json()
    complete = address.copy_with(path=f"{address.path}/complete")
    answers = await asyncio.gather(*(client.post(complete, json={"parts": [part]}) for _ in range(2)))
    assert [answer.status_code for answer in answers] == [200, 200], answers[1].text
    assert (await client.get(made["file_url"])).content == b"whole"


async def test_parts_need_the_address_that_was_signed_for_them(client: httpx.AsyncClient) -> None:
    """Another file, another time and another number than the parts have are refused."""
    asked = {"content_type": "video/mp4", "file_name": "long.mp4"}
    made = (await client.post("/fal/rest/storage/upload/initiate-multipart", json=asked)).json()
    address = httpx.URL(made["upload_url"])
    name = address.path.removesuffix(".mp4")
    other = address.copy_with(path=f"{name[:-1]}{'1' if name[-1] == '0' else '0'}.mp4/1")
    later = address.copy_with(path=f"{address.path}/1").copy_set_param("expires", "99999999999")
    numbers = [
        address.copy_with(path=f"{address.path}/{text}") for text in ("0", "101", "00000000101", "0" * 9 + "1" * 5000)
    ]
    for url, status in ((other, 403), (later, 403), *((url, 422) for url in numbers)):
        assert (await client.put(url, content=b"x")).status_code == status
    missing = await client.post(address.copy_with(path=f"{address.path}/complete"), json={"parts": []})
    assert missing.status_code == 422


async def test_fals_python_client_is_told_how_to_send_a_large_file(client: httpx.AsyncClient) -> None:
    """It would send parts to the addresses of its storage; the message names the argument that sends one request."""
    refused = await client.post("/fal/cdn/files/upload/multipart", headers={"content-type": "video/mp4"})
    assert (refused.status_code, 'repository="fal"' in refused.json()["detail"][0]["msg"]) == (422, True)


async def test_a_file_of_replicate_keeps_its_name_and_metadata(client: httpx.AsyncClient) -> None:
    """As the response to its upload they are in the list and under its address, until it is deleted."""
    form: dict[str, Any] = {
        "files": {"content": ("My portrait.png", b"png", "image/png")},
        "data": {"metadata": '{"shot": "ü"}'},
    }
    made = (await client.post("/replicate/v1/files", **form)).json()
    assert (made["name"], made["metadata"], len(made["checksums"]["sha256"])) == ("My portrait.png", {"shot": "ü"}, 64)
    address, kept = f"/replicate/v1/files/{made['id']}", ("id", "name", "metadata", "checksums", "size", "created_at")
    await client.post("/fal/cdn/files/upload", content=b"x", headers={"content-type": "image/png"})
    listed = (await client.get("/replicate/v1/files")).json()["results"]
    assert len(listed) == 2, "a file without a description is listed too"
    own = next(file for file in listed if file["id"] == made["id"])
    for found in ((await client.get(address)).json(), own):
        assert {name: found[name] for name in kept} == {name: made[name] for name in kept}
    description = address.replace(".png", ".json")
    assert (await client.get(description)).status_code == 404
    assert (await client.delete(address)).status_code == 204
    assert len((await client.get("/replicate/v1/files")).json()["results"]) == 1
