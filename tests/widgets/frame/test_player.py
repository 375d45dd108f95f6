"""A slider that walks by itself: to its end, from there anew, and not on when it is held."""

from gate import PATIENCE

from widgets.frame.controls import button, whole_slider
from widgets.frame.player import Player


def player(value, period=0.0):
    slider = whole_slider("place", value, 0, 4, "where it stands")
    return Player(slider, button("Play", "walk on or hold", "play"), lambda: period)


def test_it_walks_from_where_it_stands_to_the_end():
    found, places = player(2), []
    found.slider.observe(lambda change: places.append(change["new"]), "value")
    found.button.click()
    found.thread.join(PATIENCE)
    assert places == [3, 4]
    assert not found.playing
    assert (found.button.description, found.button.icon) == ("Play", "play")


def test_from_the_end_it_walks_from_the_beginning():
    found, places = player(4), []
    found.slider.observe(lambda change: places.append(change["new"]), "value")
    found.toggle()
    found.thread.join(PATIENCE)
    assert places == [0, 1, 2, 3, 4]


def test_a_second_click_holds():
    found = player(1, period=PATIENCE)
    found.button.click()
    assert found.playing
    assert (found.button.description, found.button.icon) == ("Hold", "pause")
    found.button.click()
    found.thread.join(PATIENCE)
    assert not found.thread.is_alive()
    assert found.slider.value == 1
    assert found.button.description == "Play"
