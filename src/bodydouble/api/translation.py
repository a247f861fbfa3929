"""Translating a vendor's request into ours, and our field names in messages into the vendor's."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, AnyHttpUrl, Field

from bodydouble.api.inputs import INPUTS
from bodydouble.api.request_bodies import validate
from bodydouble.service import Submission
from bodydouble.tasks.dialect import PARAM_KEY, DialectRequest


def _without_credentials(url: AnyHttpUrl) -> AnyHttpUrl:
    if url.username is not None or url.password is not None:
        raise ValueError("must not hold a user name or password")
    return url


CallbackUrl = Annotated[AnyHttpUrl, Field(max_length=2000), AfterValidator(_without_credentials)]


def translated(
    model: str, inputs: Mapping[str, Any], request: DialectRequest, callback_url: str | None = None
) -> Submission:
    """The submission of a vendor's request.

    ``model`` is the name in our catalogue. ``inputs`` are the fields of its input class; None stands for a default.
    Raises InvalidParams with our field names, see ``FieldNames``.
    """
    given = {name: value for name, value in inputs.items() if value is not None}
    param: dict[str, Any] = {"model": model, "input": given, PARAM_KEY: request.as_json()}
    if callback_url:
        param["callback_url"] = callback_url
    return Submission(
        model=model,
        param=param,
        inputs=validate(INPUTS[model], given).model_dump(mode="json"),
        callback_url=callback_url,
    )


class FieldNames:
    """Our field names at the beginning of messages, replaced by a vendor's."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """``names``: our name → the vendor's. The files are ``img_urls`` and ``video_urls``."""
        self._names = names
        self._pattern = re.compile(rf"^({'|'.join(map(re.escape, names))})(\[\d+\])?(?=[:.])")

    def translate(self, message: str) -> str:
        """The message with the vendor's name of the field that it is about."""
        return self._pattern.sub(lambda match: self._names[match[1]], message)

    def split(self, message: str) -> tuple[str | None, str]:
        """The vendor's name of the field that the message is about, and the rest; None if it is about none."""
        field, colon, text = self.translate(message).partition(": ")
        return (field, text) if colon and " " not in field else (None, message)
