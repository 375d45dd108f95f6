// A figure is as large as its box, whose height is a matter of style sheets (figure.css): plotly gets no size from Python.
const SIZES = ["width", "height"];
const withoutSize = (layout) => Object.fromEntries(Object.entries(layout ?? {}).filter(([key]) => !SIZES.includes(key)));

// plotly's model of a figure as the view in the box `el` shall see it.
function boxed(model, el) {
  const get = (name) => {
    const value = model.get(name);
    if (name === "_widget_layout") return { ...withoutSize(value), autosize: true, height: el.clientHeight || undefined };
    if (name === "_py2js_relayout") return value && { ...value, relayout_data: withoutSize(value.relayout_data) };
    if (name === "_py2js_update") return value && { ...value, layout_data: withoutSize(value.layout_data) };
    return value;
  };
  return Object.create(model, { get: { value: get } });
}

function fitToBox(FigureView) {
  const { perform_render: render, do_update: drawAll } = FigureView.prototype;
  FigureView.prototype.perform_render = function () {
    this.model = boxed(this.model, this.el);
    render.call(this);
    delete this.el.layout.height; // given for the first drawing only; a height that stays is never fitted
  };
  // Twice: plotly places the legend by the margins of the drawing before, so that in a wider box it covers the curves.
  FigureView.prototype.autosizeFigure = function () {
    const { el } = this;
    if (!el._fullLayout) return;
    perform(drawAll, el, { style_data: {}, style_traces: [], layout_data: { autosize: true } });
    if (!el.data.length) return;
    perform(drawAll, el, { style_data: { visible: [el.data[0].visible ?? true] }, style_traces: [0], layout_data: {} });
  };
}
