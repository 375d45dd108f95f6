"""The start page as HTML."""

from html.parser import HTMLParser

from widgets.start import GROUPS, start_page

TITLES = {"lif": "Neuron", "stdp": "Timing & order", "training": "Training"}


class Tags(HTMLParser):
    """Counts what is opened and closed, and keeps the links."""

    def __init__(self, page):
        super().__init__()
        self.open, self.links = [], {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag not in ("path", "circle", "ellipse"):
            self.open.append(tag)
        if tag == "a" and "data-tab" in dict(attrs):
            self.links[dict(attrs)["data-tab"]] = dict(attrs)["href"]

    def handle_endtag(self, tag):
        if tag not in ("path", "circle", "ellipse"):
            assert self.open.pop() == tag


def test_it_is_whole_and_links_to_the_panels_that_there_are():
    tags = Tags(start_page(GROUPS, TITLES))
    assert tags.open == []
    assert tags.links == {"lif": "?tab=lif", "stdp": "?tab=stdp", "training": "?tab=training"}


def test_words_are_words_and_no_tags():
    assert "Timing &amp; order" in start_page(GROUPS, TITLES)
