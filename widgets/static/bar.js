// The line above a panel's picture (question and tools) and the one below it (challenge, why, next).

const tool = (label, title, onclick, more = {}) => button(label, onclick, { title, ...more });

function save(name, content) {
  const link = element("a", { href: typeof content === "string" ? content : URL.createObjectURL(content), download: name });
  link.click();
  if (typeof content !== "string") setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
const panelOf = (el) => el.closest(".workbench-panel");
const figuresOf = (el) => [...panelOf(el).querySelectorAll(".workbench-figure")].filter((figure) => figure.offsetParent && figure.data);

// The layers of a figure in one SVG, with the colours of the page written into it.
function picture(figure) {
  const layers = [...figure.querySelectorAll(".main-svg")];
  const { width, height } = layers[0].getBoundingClientRect();
  const styles = ["fill", "stroke", "font-family", "font-size"];
  const inside = layers.map((layer) => {
    const copy = layer.cloneNode(true);
    const [from, to] = [layer, copy].map((root) => [...root.querySelectorAll("text, path, rect, line")]);
    from.forEach((node, k) => styles.forEach((name) => { to[k].style[name] = getComputedStyle(node)[name]; }));
    copy.querySelectorAll(".hoverlayer, .modebar-container").forEach((node) => node.remove());
    return new XMLSerializer().serializeToString(copy);
  });
  const page = getComputedStyle(document.body).backgroundColor;
  return { width, height, svg: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">`
    + `<rect width="100%" height="100%" fill="${page}"/>${inside.join("")}</svg>` };
}

async function pixels({ width, height, svg }) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = element("canvas", { width: 2 * width, height: 2 * height });
  canvas.getContext("2d").drawImage(image, 0, 0, 2 * width, 2 * height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

const cell = (value) => (/[",\n]/.test(String(value ?? "")) ? `"${String(value).replaceAll('"', '""')}"` : String(value ?? ""));

// One line a point: the trace, its x, its y, and z where the trace is a map.
function table(figures) {
  const lines = ["figure,trace,x,y,z"];
  for (const figure of figures) {
    const name = figure.getAttribute("aria-label") ?? "";
    for (const trace of figure._fullData ?? []) {
      const add = (x, y, z) => lines.push([name, trace.name, x, y, z].map(cell).join(","));
      if (trace.z) Array.from(trace.z, (row, i) => Array.from(row, (z, j) => add(trace.x?.[j] ?? j, trace.y?.[i] ?? i, z)));
      else Array.from(trace.y ?? [], (y, k) => add(trace.x?.[k] ?? k, y, ""));
    }
  }
  return new Blob([`${lines.join("\n")}\n`], { type: "text/csv" });
}

async function exportAs(kind, el, name) {
  const figures = figuresOf(el);
  if (kind === "csv") { save(`${name}.csv`, table(figures)); return; }
  for (const [k, figure] of figures.entries()) {
    const file = `${name}${figures.length > 1 ? `-${k + 1}` : ""}.${kind}`;
    const drawn = picture(figure);
    save(file, kind === "svg" ? new Blob([drawn.svg], { type: "image/svg+xml" }) : await pixels(drawn));
  }
}

// A menu that closes when something is chosen, by Escape, and when the focus leaves it.
function menu(label, title, entries) {
  const box = element("details", { class: "workbench-menu" }, element("summary", { title }, label),
    element("div", { class: "workbench-menu-list" }, ...entries));
  box.addEventListener("click", (event) => { if (event.target.closest("button")) box.open = false; });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    box.open = false;
    box.querySelector("summary").focus();
  });
  box.addEventListener("focusout", (event) => { if (event.relatedTarget && !box.contains(event.relatedTarget)) box.open = false; });
  return box;
}

async function share(button, say) {
  const words = button.textContent;
  await new Promise((resolve) => setTimeout(resolve, 350)); // the address follows the controls a little later
  try {
    await navigator.clipboard.writeText(location.href);
    button.textContent = say("Link copied");
  } catch { // no permission, or a page without TLS
    prompt(say("The link to this picture:"), location.href);
  }
  setTimeout(() => { button.textContent = words; }, 2000);
}

const inVoila = () => document.body.dataset.voila !== undefined;

function head(model, el) {
  const { question, presets = [], undo, pin, pinned, title } = model.get("facts");
  const send = (action, which = "") => model.send({ action, which });
  const say = speaker(model);
  const name = slug(title ?? "panel");
  const tools = element("div", { class: "workbench-tools", role: "group", "aria-label": say("Tools of this panel") },
    presets.length > 0 && menu(say("Presets"), say("settings worth seeing"),
      presets.map((preset) => tool(say(preset), "", () => send("preset", preset)))),
    pin && tool(pinned ? say("Unpin") : say("Pin"),
      pinned ? say("take the pale copy away") : say("keep a pale copy of these curves to compare with"),
      () => send("pin"), { "aria-pressed": String(Boolean(pinned)) }),
    tool(say("Undo"), say("back to the settings before"), () => send("undo"), { disabled: !undo }),
    tool(say("Reset"), say("back to the first settings"), () => send("reset")),
    inVoila() && tool(say("Share"), say("copy the link to this picture"), (event) => share(event.target, say)),
    menu(say("Export"), say("save the picture or its numbers"),
      [["svg", say("Picture (SVG)")], ["png", say("Picture (PNG)")], ["csv", say("Numbers (CSV)")]]
        .map(([kind, label]) => tool(label, "", () => exportAs(kind, el, name)))));
  return [element("h2", { class: "workbench-question" }, question), tools];
}

function foot(model) {
  const { first, see, why, challenge, next } = model.get("facts");
  const send = (action) => model.send({ action, which: "" });
  const say = speaker(model);
  const told = challenge && element("div", { class: "workbench-challenge" },
    element("b", {}, challenge.of > 1 ? say("Try {number} of {of}: ", challenge) : say("Try: ")), challenge.task, " ",
    element("span", { class: "workbench-solved", role: "status" }, challenge.solved ? `✓ ${say("Solved.")} ${challenge.told}` : ""),
    " ", !challenge.solved && tool(say("Show me"), say("set an answer"), () => send("answer")),
    challenge.of > 1 && tool(say("Another"), say("the next thing to try"), () => send("challenge")));
  const ways = element("div", { class: "workbench-ways" },
    (why || see) && element("details", {}, element("summary", {}, say("Why it matters")),
      element("div", { class: "workbench-why" }, element("p", {}, element("b", {}, say("Do first: ")), first ?? ""),
        element("p", {}, element("b", {}, say("Look at: ")), see ?? ""), element("p", {}, why ?? ""))),
    next && element("a", { class: "workbench-next", href: `?tab=${next.name}`, "data-tab": next.name }, say("Next: {title} →", next)));
  return [told || element("span"), ways];
}

function render({ model, el }) {
  const part = model.get("part");
  el.classList.add("workbench-bar", `workbench-${part}`);
  const draw = () => {
    const focused = el.contains(document.activeElement) ? document.activeElement.textContent : null;
    const open = [...el.querySelectorAll("details")].map((box) => box.open);
    el.replaceChildren(...(part === "head" ? head(model, el) : foot(model)));
    el.querySelectorAll("details").forEach((box, k) => { box.open = Boolean(open[k]); });
    if (focused !== null) [...el.querySelectorAll("button, summary, a")].find((node) => node.textContent === focused)?.focus();
  };
  draw();
  model.on("change:facts", draw);
  return () => model.off("change:facts", draw);
}
export default { render };
