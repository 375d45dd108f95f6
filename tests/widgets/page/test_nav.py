"""The top line of the app, as far as Python knows of it; the rest is tested in the browser."""

import re

from widgets.page.nav import Nav
from widgets.start import GROUPS


def test_every_colour_of_a_group_is_one_of_the_style_sheet():
    assert all(re.search(rf"--{group.accent}: #", Nav._css) for group in GROUPS)


def test_the_page_is_told_tabs_and_choice():
    nav = Nav(heading="Name", groups=[{"title": "", "accent": "", "tabs": []}], selected="lif")
    assert {"heading", "groups", "selected", "tour"} <= nav.get_state().keys()
