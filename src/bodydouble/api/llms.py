"""``/llms.txt``: what a language model should read first about this service (https://llmstxt.org)."""

from fastapi.responses import PlainTextResponse, Response

from bodydouble.api.routing import api_router

router = api_router(include_in_schema=False)

TEXT = """\
# bodydouble

> A service that replaces a person in a video with the character of a picture. One picture and one video in, the same
> shot with the person replaced out. Tasks take minutes and cost credits; results are marked as generated.

Send the API key (`ak_…`) as the header `x-api-key` or as a bearer token. A task is created with CreateTask and followed
with TaskInfo or TaskEvents. Its result is a signed address. Upload local files to the address of upload-url first.

## For agents

- [MCP server](/mcp): streamable HTTP with the same keys; tools replace_person, move_character, find_people, estimate,
  task, cancel, download, upload_address

## API

- [OpenAPI document](/openapi.json): every endpoint with examples
- [Reference](/docs): the same for people, with code samples

## Optional

- [Health](/readyz): whether the service is ready
"""


@router.get("/llms.txt")
async def llms() -> Response:
    """The text."""
    return PlainTextResponse(TEXT)
