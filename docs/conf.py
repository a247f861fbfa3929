"""Sphinx's configuration of the documentation site. ``make site`` builds it; a link that leads nowhere fails."""

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
import generate_reference

project = "bodydouble"
author = "the bodydouble authors"
release = installed_version("bodydouble")
extensions = ["myst_parser", "sphinx_copybutton", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_site"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3  # links such as page.md#heading
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
html_theme = "furo"
html_title = "bodydouble"


def setup(app: Sphinx) -> None:
    """Write the reference pages before Sphinx looks for pages."""
    app.connect("builder-inited", lambda _: generate_reference.write(Path(__file__).parent / "reference"))
