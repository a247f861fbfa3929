"""Uploads of dialects: whose they are, and what is not stored."""

import base64
from decimal import Decimal

import httpx
import pytest

from bodydouble.service import Services

pytestmark = pytest.mark.anyio
KIE = "/kie/api"
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
