"""What a command returns, laid out as text for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any


def as_text(content: Any) -> str:
    """Lay out a JSON-like value: a list of records as a table, a record line by line."""
    if isinstance(content, Mapping):
        return "\n".join(_entry(key, value) for key, value in content.items() if value != [])
    return _value(content)


def _entry(key: str, value: Any) -> str:
    if _is_table(value):
        return f"{_table(value)}"
    if isinstance(value, Mapping):
        inner = as_text(value).replace("\n", "\n  ")
        return f"{key}:\n  {inner}" if inner else f"{key}: -"
    return f"{key}: {_value(value)}"


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) for v in value)


def _table(records: Sequence[Mapping[str, Any]]) -> str:
    columns = list(dict.fromkeys(key for record in records for key in record))
    rows = [columns] + [[_value(record.get(key)) for key in columns] for record in records]
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)


def _value(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(
            " ".join(map(_value, item.values())) if isinstance(item, Mapping) else _value(item)
            for item in value
        )
    return str(value)
