"""How values, titles and properties are written in OSCAL."""

from __future__ import annotations

from typing import Final

from orchestrator.reporting.escape import markdown_title, visible

NAMESPACE: Final = "https://steward.example/ns/oscal"


def prop(name: str, value: str) -> dict[str, str]:
    """A property in Steward's own namespace."""
    return {"name": name, "ns": NAMESPACE, "value": plain(value)}


def plain(value: str) -> str:
    """A value of OSCAL has no white space at its ends, and is not empty."""
    return visible(value).strip() or "–"


def text(value: str) -> str:
    """Titles and descriptions are Markdown to whoever shows them."""
    return markdown_title(value) or "–"
