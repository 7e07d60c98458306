"""Values that are checked once, when they are made, and the sentences for those that fail."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails


class Frozen(BaseModel):
    """A value that is checked once, when it is made, and taken for no other type than it has."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


_RULES = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "literal_error": "must be {expected}",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "is too large",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entries",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "tuple_type": "must be a list",
    "model_type": "must be a group of settings",
}


def sentence(errors: Sequence[ErrorDetails]) -> str:
    """The first that pydantic found wrong, as setting, rule and value."""
    error = _most_telling(errors)
    key = ".".join(_key(error))
    value, context = error["input"], error.get("ctx", {})
    if error["type"] == "value_error":
        return str(context["error"])
    if error["type"] == "json_invalid":
        return f"the configuration must be JSON: {context['error']}"
    if error["type"] == "extra_forbidden":
        return f"there is no setting {key!r}"
    if error["type"] == "missing":
        return f"{key} is missing"
    rule = _RULES.get(error["type"])
    words = rule.format(**context) if rule else error["msg"]
    return f"{key or 'the configuration'} {words}, got {shown(value)}"


def first_line(error: Exception) -> str:
    """The first thing that is wrong, in a few words, for an error of pydantic or any other."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return f"{place}: {first['msg']}" if place else first["msg"]
    return str(error).splitlines()[0]


def _most_telling(errors: Sequence[ErrorDetails]) -> ErrorDetails:
    """Of the errors about the first setting, the one that looked farthest into its value.

    Where a setting is a number or a list, pydantic tells why a value is neither.
    """
    first = _key(errors[0])
    about_it = [error for error in errors if _key(error)[: len(first)] == first]
    return max(about_it, key=lambda error: len(error["loc"]))


def _key(error: ErrorDetails) -> list[str]:
    # Members of a union stand in a pydantic location as if they were settings.
    return [str(part) for part in error["loc"] if not _names_a_type(part)]


def _names_a_type(part: int | str) -> bool:
    types = ("int", "float", "str", "bool")
    return isinstance(part, str) and (not part.isidentifier() or part in types)


def shown(value: Any) -> str:
    """A value as JSON, cut short where it is long."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:77] + "..."
