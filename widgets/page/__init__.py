"""The browser page around the panels: its link, its accessibility."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from widgets.page.accessibility import make_page_accessible
    from widgets.page.link import PageLink, read_language, read_link, write_link

__all__ = [
    "PageLink",
    "make_page_accessible",
    "read_language",
    "read_link",
    "write_link",
]

lazy(__name__)
