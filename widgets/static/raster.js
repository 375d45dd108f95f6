// Bytes to coloured pixels on a canvas.
function draw(model, canvas) {
  const [rows, columns] = model.get("shape");
  const pixels = model.get("pixels");
  const table = model.get("table");
  const colours = new Uint32Array(table.buffer.slice(table.byteOffset, table.byteOffset + 1024));
  const image = new ImageData(columns, rows);
  const out = new Uint32Array(image.data.buffer);
  for (let k = 0; k < out.length; k++) out[k] = colours[pixels.getUint8(k)];
  canvas.width = columns;
  canvas.height = rows;
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function label(model, el, canvas) {
  canvas.setAttribute("aria-label", model.get("alt"));
  el.querySelector(".workbench-raster-x").textContent = model.get("x_label");
  el.querySelector(".workbench-raster-y").textContent = model.get("y_label");
  const height = model.get("height");
  canvas.style.height = `var(--workbench-fit, ${height ? `${height}px` : "auto"})`; // a box may say how high it is
  canvas.style.objectFit = height ? "fill" : "contain"; // without a height pixels stay square
}

function render({ model, el }) {
  el.classList.add("workbench-raster");
  el.innerHTML = `<span class="workbench-raster-y"></span><canvas role="img"></canvas>
    <span class="workbench-raster-x"></span>`;
  const canvas = el.querySelector("canvas");
  const redraw = () => draw(model, canvas);
  const relabel = () => label(model, el, canvas);
  redraw();
  relabel();
  ["pixels", "table", "shape"].forEach((name) => model.on(`change:${name}`, redraw));
  ["alt", "x_label", "y_label", "height"].forEach((name) => model.on(`change:${name}`, relabel));
}
export default { render };
