"""The catalogue over HTTP."""

import httpx
import pytest

from api_calls import API, MODEL

pytestmark = pytest.mark.anyio


async def test_the_catalogue_lists_and_filters(client: httpx.AsyncClient) -> None:
    """Models can be filtered by modality and operation; each has the fields that the official client reads."""
    listed = (await client.get(f"{API}/job/Models", params={"operation": "motion-control"})).json()["data"]
    assert [m["model"] for m in listed["models"]] == [MODEL, "wan/2-2-animate-move"]
    entry = listed["models"][0]
    assert entry["model"] == MODEL
    assert entry["price"] == {"480P": 6, "580P": 9, "720P": 12.5}
    assert {"provider", "model_type", "modality", "operations", "quality_tier", "speed_tier", "routing_priority"} <= (
        entry.keys()
    )
    for modality in ("video", "tools"):  # the official client's skill asks for tools, which is the type
        found = (await client.get(f"{API}/job/Models", params={"modality": modality})).json()["data"]
        assert found["total"] == 2
    empty = (await client.get(f"{API}/job/Models", params={"modality": "music"})).json()["data"]
    assert empty == {"total": 0, "models": []}


async def test_one_model_has_its_schema(client: httpx.AsyncClient) -> None:
    """A model name contains a slash; the schema has the fields, and CreateTask accepts the example."""
    data = (await client.get(f"{API}/job/Models/{MODEL}")).json()["data"]
    assert data["input_schema"]["required"] == data["required_input_fields"] == ["img_urls", "video_urls"]
    assert data["input_schema"]["properties"]["resolution"]["enum"] == ["480P", "580P", "720P"]
    assert (await client.post(f"{API}/job/estimate-credits", json=data["example"])).status_code == 200
    unknown = await client.get(f"{API}/job/Models/wan/9")
    assert (unknown.status_code, unknown.json()["code"]) == (404, 404)


async def test_a_model_that_needs_a_gpu_says_so(client: httpx.AsyncClient) -> None:
    """Without a GPU the model is listed as not enabled, and a create request is rejected with what to do."""
    model = "wan/2-2-animate-move"
    data = (await client.get(f"{API}/job/Models/{model}")).json()["data"]
    assert (data["enabled"], data["renderers"]) == (False, [])
    assert data["input_schema"]["properties"]["renderer"]["enum"] == ["auto", "wan"]
    assert (await client.post(f"{API}/job/estimate-credits", json=data["example"])).status_code == 200
    refused = await client.post(f"{API}/job/CreateTask", json=data["example"])
    assert (refused.status_code, refused.json()["code"]) == (503, 505)
    assert refused.json()["message"].startswith("renderer: wan does not run here. ")
    assert "Or use" not in refused.json()["message"]
    listed = await client.get(f"{API}/job/Tasks")
    assert listed.json()["data"]["tasks"] == []


@pytest.mark.parametrize("kind", ["kling", "vidu", "bytedance"])
async def test_template_catalogues_are_empty_pages(client: httpx.AsyncClient, kind: str) -> None:
    """The template endpoints of the official client return an empty page, also if it asks for one template."""
    asked = {"page": "2", "page_size": 10, "template" if kind == "vidu" else "template_id": "dance"}
    answer = await client.get(f"{API}/job/{kind}-templates", params=asked)
    assert answer.json()["data"] == {"total": 0, "page": 2, "page_size": 10, "items": []}
