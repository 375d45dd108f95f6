"""The state in a page's address."""

from hypothesis import given, settings
from hypothesis import strategies as st

from widgets.page.link import read_link, write_link

names = st.text("abcdefgh-", min_size=1)
values = st.one_of(
    st.booleans(),
    st.integers(-1000, 1000),
    st.floats(-10, 10),
    st.lists(st.floats(0, 1)),
    st.sampled_from(["soft", "none at all", "a&b=c"]),
)


@settings(max_examples=50, deadline=None)
@given(tab=st.none() | names, states=st.dictionaries(names, st.dictionaries(names, values, min_size=1)))
def test_what_is_written_is_read(tab, states):
    assert read_link("?" + write_link(tab, states)) == (tab, states)


def test_other_keys_are_left_alone():
    assert read_link("theme=dark&voila=1") == (None, {})
    assert read_link("") == (None, {})
