"""What Sphinx is told about the book; `make book` builds it (build.py of this folder)."""

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT)]

from workbench.version import installed_version  # noqa: E402

project = "Local Learning Workbench"
version = release = installed_version()
author = copyright = ""
language = "en"
html_show_copyright = False

extensions = ["myst_nb", "sphinx.ext.autodoc", "docstrings", "mathml", "glossary"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb", ".rst": "restructuredtext"}
nitpicky = False

# The notebooks keep their results: nothing is run when the book is built.
nb_execution_mode = "off"
nb_mime_priority_overrides = [("html", "image/gif", 25), ("html", "text/html", None)]
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 4
myst_dmath_double_inline = True
myst_links_external_new_tab = False

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_inherit_docstrings = False
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
toc_object_entries = False
add_module_names = False

html_theme = "furo"
html_title = "Local Learning Workbench"
SHARED = [str(ROOT / "widgets" / "static" / name) for name in ("formula.css", "twins.js")]  # of the app's own page
html_static_path = [str(HERE / "static"), *SHARED]
html_favicon = str(HERE / "static" / "icon.svg")
html_css_files = ["formula.css", "book.css"]
html_js_files = [(name, {"defer": "defer"}) for name in ("twins.js", "live.js", "book.js")]
html_copy_source = False
html_show_sourcelink = False
html_math_renderer = "mathml"
pygments_style, pygments_dark_style = "a11y-light", "a11y-dark"
html_theme_options = {"navigation_with_keys": True}


def name_levels(app: Any, page: str, template: str, context: dict[str, Any], document: Any) -> None:
    """The captions of the table of contents are headings: a reader of the screen is told of which level."""
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace('role="heading"', 'role="heading" aria-level="2"')


def setup(app: Any) -> None:
    """For Sphinx."""
    app.connect("html-page-context", name_levels, priority=900)  # behind the theme's own
