"""Texts for pydantic's errors, the same in every dialect."""

from collections.abc import Mapping, Sequence
from typing import Any

PROBLEMS_MAX = 50
"""Problems of one request that its response lists."""
NAME_CHARACTERS_MAX = 100
"""A longer name of an unknown field is cut in the message."""
PROBLEM_MESSAGES: Mapping[str, str] = {
    "extra_forbidden": "Unknown field",
    "too_short": "must have at least {min_length} item, not {actual_length}",
    "too_long": "must have at most {max_length} item, not {actual_length}",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "string_type": "must be a text",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "must be a smaller whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "url_type": "must be an http or https URL",
    "url_parsing": "must be an http or https URL",
    "url_syntax_violation": "must be an http or https URL",
    "url_scheme": "must be an http or https URL",
    "url_too_long": "must have at most {max_length} characters",
}
"""Texts instead of pydantic's own, by its error type. Other types keep pydantic's text."""


def describe_problems(problems: Sequence[Mapping[str, Any]], prefix: str = "") -> list[str]:
    """One line for each of pydantic's errors, at most ``PROBLEMS_MAX``: ``prefix``, the field, the problem."""
    lines = [f"{prefix}{_describe_problem(problem)}" for problem in problems[:PROBLEMS_MAX]]
    if len(problems) > PROBLEMS_MAX:
        lines.append(f"{prefix}{len(problems) - PROBLEMS_MAX} more problems")
    return lines


def _describe_problem(problem: Mapping[str, Any]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part[:NAME_CHARACTERS_MAX]}" for part in problem["loc"])
    path = "".join(parts).lstrip(".")
    message = PROBLEM_MESSAGES.get(problem["type"])
    text = message.format_map(problem.get("ctx", {})) if message else str(problem["msg"]).removeprefix("Value error, ")
    return f"{path}: {text}" if path else text
