"""Read the pack's own YAML files: strict about keys, fast to load."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import yaml

from policies.model import PackError

# The C loader is ten times faster; both are the safe one, so no tag can make an object.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(path: Path) -> object:
    """The document in the file; raises PackError that names it."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506
    except (OSError, yaml.YAMLError) as error:
        raise PackError(f"{path.name}: {error}") from error


def mapping(
    value: object, place: str, *, required: Collection[str] = (), optional: Collection[str] | None = None
) -> Mapping[str, object]:
    """A mapping with the required keys and no others than these and the optional ones (None: any)."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise PackError(f"{place}: expected a mapping, got {value!r}")
    missing = [key for key in required if key not in value]
    extra = [] if optional is None else [key for key in value if key not in required and key not in optional]
    if missing or extra:
        raise PackError(f"{place}: missing {missing or 'nothing'}, not understood {extra or 'nothing'}")
    return value
