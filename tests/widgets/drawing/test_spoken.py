"""Figures, rasters and equations speak the language of the page, whatever their texts stand under."""

import pytest

from widgets.drawing.figure import Fig
from widgets.drawing.formula import Formula
from widgets.drawing.prediction import Prediction
from widgets.drawing.raster import Raster
from widgets.drawing.rows import curve, stacked_rows
from widgets.drawing.spoken import spoken
from widgets.frame.recorded import record, show_recorded
from workbench.language import speak

pytestmark = pytest.mark.usefixtures("english")
TRACE = {"name": "membrane u", "text": [["loss", "0.5"]], "hovertemplate": "spike z = 1<extra>loss</extra>", "y": [1]}
LAYOUT = {
    "xaxis": {"title": {"text": "time t (steps)"}, "ticktext": ("threshold", "u"), "type": "linear"},
    "annotations": [{"text": "→ backwards", "xref": "paper"}],
}


def test_texts_are_said_and_nothing_else():
    assert spoken([TRACE]) == [TRACE]
    speak("es")
    told = {"name": "membrana u", "text": [["pérdida", "0.5"]], "hovertemplate": "impulso z = 1<extra>loss</extra>"}
    assert spoken([TRACE]) == [{**told, "y": [1]}]
    assert spoken(LAYOUT) == {
        "xaxis": {"title": {"text": "tiempo t (pasos)"}, "ticktext": ["umbral", "u"], "type": "linear"},
        "annotations": [{"text": "→ hacia atrás", "xref": "paper"}],
    }


def test_a_figure_keeps_what_it_is_of_in_english():
    speak("es")
    figure = Fig([curve("membrane u", {}, "spike z = 1")], stacked_rows(["I"], [1], "time t (steps)"), alt="loss")
    assert (figure.data[0].name, figure.data[0].hovertemplate) == ("membrana u", "impulso z = 1<extra></extra>")
    assert figure.layout.xaxis.title.text == "tiempo t (pasos)"
    assert figure.layout.xaxis.unifiedhovertitle.text == "tiempo t (pasos): %{x}"
    assert (figure.alt, figure.subject) == ("pérdida", "loss")
    figure.data[0].y = [0.0, 1.0]
    figure.pin()
    assert figure.data[1].name == "membrana u, fijada"


def test_rasters_and_equations():
    speak("es")
    raster = Raster(1, 1, alt="The event film: 20 frames of a recording", x_label="answer", y_label="loss")
    assert (raster.alt, raster.x_label, raster.y_label) == (
        "La película de eventos: 20 fotogramas de una grabación",
        "respuesta",
        "pérdida",
    )
    assert Formula(alt="answer").alt == "respuesta"


def test_a_prediction_is_asked_for_in_the_language_of_the_page():
    figure = Fig([{"x": [0, 1], "y": [0, 1]}], alt="answer")
    figure.prediction = Prediction((0,), [0, 1], "the membrane u")
    assert (figure.words, figure._asked["label"]) == ({}, "the membrane u")
    speak("es")
    figure.prediction = Prediction((0,), [0, 1], "the membrane u")
    assert (figure.words["Predict first"], figure._asked["label"]) == ("Primero predice", "la membrana u")


def test_a_recorded_run_is_shown_in_another_language():
    bar = {"type": "heatmap", "z": [[1]], "name": "block 1", "colorbar": {"title": {"text": "cosine"}}}
    run = record({"it": Fig([bar], alt="answer")}, "words")
    speak("es")
    figure = Fig([{**bar, "z": []}], alt="answer")
    show_recorded({figure.subject: figure, "it": figure}, run)
    assert (figure.data[1].name, figure.data[1].colorbar.title.text) == ("bloque 1", "coseno")
