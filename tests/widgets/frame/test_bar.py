"""The bars above and below a panel: what comes back from the page, and what is sent to it."""

import pytest

from widgets.frame.bar import Bar


@pytest.fixture
def clicks():
    return []


@pytest.fixture
def bar(clicks):
    return Bar("head", lambda action, which: clicks.append((action, which)))


def test_a_click_comes_back(bar, clicks):
    bar._handle_custom_msg({"action": "preset", "which": "fast"}, [])
    bar._handle_custom_msg({"action": "undo"}, [])
    assert clicks == [("preset", "fast"), ("undo", "")]


@pytest.mark.parametrize("content", [None, 3, [], "undo", {"action": 3}, {"action": "undo", "which": {}}])
def test_anything_else_is_no_click(bar, clicks, content):
    bar._handle_custom_msg(content, [])
    assert clicks == [("", "")]


def test_facts_add_up_and_the_same_facts_send_nothing(bar):
    sent = []
    bar.observe(lambda change: sent.append(change["new"]), "facts")
    bar.show(question="why?")
    bar.show(undo=True)
    bar.show(undo=True)
    assert sent == [{"question": "why?"}, {"question": "why?", "undo": True}]
