"""Figures, rasters, colours: knows no panel."""

from typing import TYPE_CHECKING

from workbench.faces import lazy

if TYPE_CHECKING:
    from widgets.drawing.figure import Fig
    from widgets.drawing.formula import Formula
    from widgets.drawing.handles import Handle, Pull, train
    from widgets.drawing.labels import spread
    from widgets.drawing.prediction import Prediction, compare, in_words
    from widgets.drawing.raster import Raster
    from widgets.drawing.rows import (
        bars,
        curve,
        dots,
        in_row,
        labelled_bar,
        number_table,
        stacked_rows,
        stems,
        table_layout,
    )
    from widgets.drawing.rule_look import rule_colour, rule_label
    from widgets.drawing.sketch import Arrow, reveal, sketch_boxes, sketch_cube, sketch_network, use_palette
    from widgets.drawing.still import still_picture
    from widgets.drawing.theme import (
        BLUE,
        COLOURS,
        DASHES,
        FAINT,
        GREEN,
        GREY,
        MARKERS,
        VERMILLION,
        Line,
        Marker,
        line,
        marker,
        more_and_less,
        signs,
        template,
    )
    from widgets.drawing.twin import Twin, twin_script

__all__ = [
    "BLUE",
    "COLOURS",
    "DASHES",
    "FAINT",
    "GREEN",
    "GREY",
    "MARKERS",
    "VERMILLION",
    "Arrow",
    "Fig",
    "Formula",
    "Handle",
    "Line",
    "Marker",
    "Prediction",
    "Pull",
    "Raster",
    "Twin",
    "bars",
    "compare",
    "curve",
    "dots",
    "in_row",
    "in_words",
    "labelled_bar",
    "line",
    "marker",
    "more_and_less",
    "number_table",
    "reveal",
    "rule_colour",
    "rule_label",
    "signs",
    "sketch_boxes",
    "sketch_cube",
    "sketch_network",
    "spread",
    "stacked_rows",
    "stems",
    "still_picture",
    "table_layout",
    "template",
    "train",
    "twin_script",
    "use_palette",
]

lazy(__name__)
