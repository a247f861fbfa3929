"""The page that reports what a file says about its origin."""

import re
from typing import Any

import pytest

pytestmark = pytest.mark.anyio


async def test_a_file_is_verified_on_its_page(user: Any) -> None:
    """Any file of any size up to the service's limit; only pages of this session can send one."""
    page = (await user.get("/verify")).text
    assert "File to verify" in page
    token = re.search(r'name="csrf" content="([0-9a-f]+)"', page)
    assert token is not None
    large = b"no media\n" * 300_000
    answer = await user.client.post("/verify", content=large, headers={"x-csrf-token": token[1]})
    assert (answer.json()["rows"], answer.json()["task_id"]) == ([], None)
    assert "proves nothing" in answer.json()["conclusion"]
    headers = {"x-csrf-token": "0", "accept": "application/json"}
    refused = await user.client.post("/verify", content=b"x", headers=headers)
    assert refused.status_code == 403
