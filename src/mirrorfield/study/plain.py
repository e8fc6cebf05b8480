"""An answer as plain values for JSON."""

import math
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel

from mirrorfield.contract import name_of


def plain(value: Any) -> Any:
    """Return an answer's fields as dictionaries, lists, text and numbers; what is not finite becomes None.

    Scenarios are written as in a scenario file, objects of somebody's own as the name of their class.

    >>> plain({"bracket": (0.5, float("nan")), "moves": np.eye(2, dtype=int)})
    {'bracket': [0.5, None], 'moves': [[1, 0], [0, 1]]}
    """
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    return name_of(value)
