"""How the documentation is built: Sphinx, Markdown through MyST, and pages made from the code."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_extensions")]

import steward_reference  # noqa: E402  # found by the path above

project = "Steward"
author = "The Steward engineers"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_heading_anchors = 3
myst_enable_extensions = ["fieldlist"]
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = "Steward"
# Nothing is fetched from elsewhere: the pages are read where the internet is not.
html_theme_options = {"navigation_with_keys": True}
html_static_path = ["_static"]
html_css_files = ["steward.css"]
html_copy_source = False
html_show_sphinx = False

man_pages = [
    (
        "reference/commands",
        "steward",
        "plans, provisions, configures, backs up and proves fleets",
        [author],
        1,
    )
]


def setup(app: object) -> None:
    """Make the reference before it is read."""
    del app
    steward_reference.main()
