"""Translating a vendor's request into ours."""

from collections.abc import Container, Iterable, Mapping
from typing import Annotated, Any

import structlog
from pydantic import AfterValidator, AnyHttpUrl, Field, ValidatorFunctionWrapHandler, WrapValidator

from bodydouble.api.inputs import INPUTS, plain_inputs
from bodydouble.api.request_bodies import validate
from bodydouble.service import Submission
from bodydouble.service.document import to_json
from bodydouble.tasks.dialect import PARAM_KEY, DialectName, DialectRequest

_log = structlog.get_logger("bodydouble.api")


def _without_credentials(url: AnyHttpUrl) -> AnyHttpUrl:
    if url.username is not None or url.password is not None:
        raise ValueError("must not hold a user name or password")
    return url


def _remembered(value: object, validate_url: ValidatorFunctionWrapHandler) -> AnyHttpUrl:
    known = remembered_callback_urls.get(value) if isinstance(value, str) else None
    if known is not None:
        return known
    url: AnyHttpUrl = validate_url(value)
    if isinstance(value, str):
        if len(remembered_callback_urls) >= CALLBACK_URLS_REMEMBERED:
            remembered_callback_urls.clear()
        remembered_callback_urls[value] = url
    return url


CALLBACK_URLS_REMEMBERED = 256
"""Valid callback URLs that are kept, because reading one takes 6 µs. Clients use few of them."""
remembered_callback_urls = dict[str, AnyHttpUrl]()
CallbackUrl = Annotated[
    AnyHttpUrl, Field(max_length=2000), AfterValidator(_without_credentials), WrapValidator(_remembered)
]


def translated(
    model: str, inputs: Mapping[str, Any], request: DialectRequest, callback_url: str | None = None
) -> Submission:
    """The submission of a vendor's request.

    ``model`` is the name in our catalogue. ``inputs`` are the fields of its input class; None stands for a default.
    Raises InvalidParams with our field names, see ``field_names``.
    """
    given = {name: value for name, value in inputs.items() if value is not None}
    param: dict[str, Any] = {"model": model, "input": given, PARAM_KEY: request.as_json()}
    if callback_url:
        param["callback_url"] = callback_url
    return Submission(
        model=model,
        param=param,
        inputs=plain_inputs(validate(INPUTS[model], given)),
        callback_url=callback_url,
    )


def log_without_effect(dialect: DialectName, given: Iterable[str], without_effect: Container[str]) -> None:
    """Log which given inputs cannot change the result here."""
    if fields := [name for name in given if name in without_effect]:
        _log.info("inputs without effect", dialect=dialect.value, fields=fields)


def only(accepted: object, reason: str) -> AfterValidator:
    """A validator for a field without an effect here: it accepts only the value ``accepted``, which asks for nothing.

    ``reason`` tells the client why another value is refused.
    """

    def check(value: object) -> object:
        if value != accepted:
            raise ValueError(f"only {to_json(accepted).decode()} is accepted: {reason}")
        return value

    return AfterValidator(check)
