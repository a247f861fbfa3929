"""DashScope's dialect over HTTP, where its SDK would not go."""

import base64
from typing import Any

import httpx
import pytest

from bodydouble.service import Services
from bodydouble.tasks.account import Account, Scope

pytestmark = pytest.mark.anyio
BASE = "/dashscope/api/v1"
CREATE = f"{BASE}/services/aigc/image2video/video-synthesis"
ASYNC = {"X-DashScope-Async": "enable"}
BODY: dict[str, Any] = {
    "model": "wan2.2-animate-mix",
    "input": {"image_url": "https://example.com/a.png", "video_url": "https://example.com/v.mp4"},
    "parameters": {"mode": "wan-std"},
}


async def _policy(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get(f"{BASE}/uploads", params={"action": "getPolicy", "model": "any"})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


async def _upload(client: httpx.AsyncClient, policy: dict[str, Any], changes: dict[str, str]) -> httpx.Response:
    fields = {
        "policy": policy["policy"],
        "Signature": policy["signature"],
        "key": f"{policy['upload_dir']}/a picture.png",
    }
    return await client.post("/dashscope/objects", data=fields | changes, files={"file": ("a.png", b"not looked at")})


async def test_one_policy_allows_several_files_but_each_name_once(client: httpx.AsyncClient) -> None:
    """The names are those of the client. A file is never replaced."""
    policy = await _policy(client)
    assert (await _upload(client, policy, {})).status_code == 200
    assert (await _upload(client, policy, {"key": f"{policy['upload_dir']}/b.mp4"})).status_code == 200
    again = await _upload(client, policy, {})
    assert (again.status_code, again.json()["code"]) == (409, "InvalidParameter")


async def test_an_upload_needs_a_policy_of_its_own_folder(client: httpx.AsyncClient) -> None:
    """A changed policy, a signature of another, another folder and a path beside it are refused."""
    policy, other = await _policy(client), await _policy(client)
    longer = base64.b64encode(base64.b64decode(policy["policy"]).replace(b"expires", b"Expires")).decode()
    for changes in (
        {"policy": longer},
        {"Signature": other["signature"]},
        {"key": f"{other['upload_dir']}/a.png"},
        {"key": f"{policy['upload_dir']}/../a.png"},
        {"key": "dashscope-instant/1/x/a.png"},
    ):
        refused = await _upload(client, policy, changes)
        assert (refused.status_code, refused.json()["code"]) == (403, "AccessDenied"), changes


async def test_an_upload_has_an_extension_that_is_accepted(client: httpx.AsyncClient) -> None:
    """The message lists the extensions. A form without a file is refused too."""
    policy = await _policy(client)
    refused = await _upload(client, policy, {"key": f"{policy['upload_dir']}/program.exe"})
    assert (refused.status_code, "key: the file name must end in" in refused.json()["message"]) == (400, True)
    empty = await client.post("/dashscope/objects", files={"policy": (None, "x")})
    assert (empty.status_code, empty.json()["message"]) == (400, "file: Field required")


async def test_a_policy_needs_a_key_that_may_write(
    client: httpx.AsyncClient, services: Services, account: Account
) -> None:
    """A key that only reads gets no policy, and the action must be the one that exists."""
    refused = await client.get(f"{BASE}/uploads", params={"action": "put"})
    assert (refused.status_code, refused.json()["message"]) == (400, "action: must be 'getPolicy'")
    client.headers["x-api-key"] = (await services.accounts.create_key(account.id, scope=Scope.READ)).secret
    refused = await client.get(f"{BASE}/uploads", params={"action": "getPolicy"})
    assert (refused.status_code, refused.json()["code"]) == (403, "AccessDenied")


async def test_an_address_that_names_no_upload_is_refused(client: httpx.AsyncClient) -> None:
    """The message names the vendor's field, for a wrong name as well as for a file that was not uploaded."""
    folder = (await _policy(client))["upload_dir"]
    for address, message in (
        (
            "oss://elsewhere/a.png",
            "input.image_url: this oss:// address is not one of an upload; upload the file again",
        ),
        (f"oss://{folder}/50%.png", "input.image_url: nothing was uploaded to this address yet; PUT the file first."),
        ("file:///etc/passwd", "input.image_url: must be an http or https URL, or an oss:// address of an upload"),
    ):
        body = BODY | {"input": BODY["input"] | {"image_url": address}}
        refused = await client.post(CREATE, json=body, headers=ASYNC)
        assert (refused.status_code, refused.json()["message"]) == (400, message)


async def test_a_synchronous_create_is_refused(client: httpx.AsyncClient) -> None:
    """The vendor requires the header too."""
    refused = await client.post(CREATE, json=BODY)
    assert (refused.status_code, refused.json()["message"].split(":")[0]) == (400, "X-DashScope-Async")


async def test_the_list_has_pages_and_filters(client: httpx.AsyncClient) -> None:
    """Pages are counted from 1; a status or model that no task can have gives an empty list."""
    for number in range(3):
        made = BODY | {"input": BODY["input"] | {"video_url": f"https://example.com/{number}.mp4"}}
        assert (await client.post(CREATE, json=made, headers=ASYNC)).status_code == 200

    async def listed(**query: Any) -> dict[str, Any]:
        return (await client.get(f"{BASE}/tasks", params=query)).json()

    page = await listed(page_no=2, page_size=2)
    assert (len(page["tasks"]), page["total"], page["total_page"]) == (1, 3, 2)
    assert (await listed(status="PENDING", model_name="wan2.2-animate-mix"))["total"] == 3
    assert (await listed(status="SUSPENDED"))["total"] == (await listed(model_name="wan2.6-i2v"))["total"] == 0
    assert (await listed(start_time="20990101000000"))["total"] == 0
    for name, value in (("start_time", "00010101000000"), ("api_key_id", "1"), ("page_no", "0"), ("colour", "red")):
        refused = await listed(**{name: value})
        assert (refused["code"], refused["message"].split(":")[0]) == ("InvalidParameter", name)


async def test_unknown_paths_have_the_dialects_errors(client: httpx.AsyncClient) -> None:
    """Code, message and request id, also where no route is."""
    missing = await client.get(f"{BASE}/services/aigc/text2image")
    assert (missing.status_code, missing.json()["code"]) == (404, "NotFound")
    assert missing.json()["request_id"] == missing.headers["x-request-id"]
