// Asks the server again and again whether the computation behind this page lives, and says so on the page when it does
// not. "Reload" opens the page anew: its link keeps the state, and the pictures that were there are shown below the app.
// A page that is reloaded while its computation lives has it back.
const PERIOD = 5000; // ms between two questions
const PATIENCE = 20000; // ms without any answer until the page says that the server is out of reach
const KEPT = "workbench-pictures";
const LEFT = "workbench-left-"; // and COMPARED: as in pages.py
const COMPARED = 1000; // characters of a link
const DIALOG = 60; // s that a browser may ask whether the page shall be left
const LARGEST = 4e6; // characters of pictures that are kept; browsers keep about five million

const facts = () => JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "{}");
const kernel = () => facts().kernelId;
// The language of the link, or that of the server's environment, as in the app.
const language = () => (new URLSearchParams(location.search).get("lang") || facts().workbenchLanguage || "en").slice(0, 2).toLowerCase();
const say = (text, values = {}) =>
  (facts().workbenchWords?.[language()]?.[text] ?? text).replace(/\{(\w+)\}/g, (_, name) => values[name]);
const base = () => document.body.dataset.baseUrl.replace(/voila\/$/, "");
const token = () => document.cookie.match(/(?:^|; )_xsrf=([^;]*)/)?.[1] ?? ""; // a hub asks for it

function banner(text, reload) {
  let box = document.getElementById("workbench-banner");
  if (!box) {
    box = document.createElement("div");
    box.id = "workbench-banner";
    box.setAttribute("role", "alert");
    document.body.prepend(box);
  }
  if (box.dataset.text === text) return;
  box.dataset.text = text;
  const line = document.createElement("span");
  line.textContent = text;
  box.replaceChildren(line);
  if (!reload) return;
  const button = document.createElement("button");
  button.textContent = say("Reload");
  button.addEventListener("click", () => {
    keepPictures();
    location.reload();
  });
  box.append(button);
}

const clear = () => document.getElementById("workbench-banner")?.remove();

// A figure is drawn in layers; together they are the picture.
function picture(figure) {
  const layers = [...figure.querySelectorAll(".main-svg")];
  if (!layers.length || !figure.offsetParent) return null;
  const { width, height } = layers[0].getBoundingClientRect();
  const inside = layers.map((layer) => new XMLSerializer().serializeToString(layer)).join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${inside}</svg>`;
}

function keepPictures() {
  const figures = [...document.querySelectorAll(".workbench-figure")];
  const kept = figures.map((figure) => [figure.getAttribute("aria-label") || "", picture(figure)]);
  const text = JSON.stringify({ kernel: kernel(), pictures: kept.filter(([, svg]) => svg) });
  if (text.length <= LARGEST) sessionStorage.setItem(KEPT, text);
}

function showKept() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) || "{}");
  sessionStorage.removeItem(KEPT);
  if (!kept.pictures?.length || kept.kernel === kernel()) return;
  const box = document.createElement("details");
  box.id = "workbench-kept";
  const summary = document.createElement("summary");
  summary.textContent = say("The pictures as they were before the page was reloaded");
  box.append(summary);
  for (const [label, svg] of kept.pictures) {
    const image = document.createElement("img");
    image.alt = label;
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
    box.append(image);
  }
  document.body.append(box);
}

// The socket to the kernel, as the page opened it last. After some minutes without a network the page gives it up.
let channels;
globalThis.WebSocket = class extends WebSocket {
  constructor(url, ...more) {
    super(url, ...more);
    if (String(url).includes("/channels")) channels = this;
  }
};
const isCutOff = () => channels && channels.readyState > WebSocket.OPEN;

let answered = performance.now();
let timer;

async function ask() {
  clearTimeout(timer);
  try {
    const wait = AbortSignal.timeout(PATIENCE / 2);
    const asked = { signal: wait, cache: "no-store", headers: { "X-XSRFToken": token() } };
    const answer = await (await fetch(`${base()}workbench/alive/${kernel()}`, asked)).json();
    answered = performance.now();
    if (!answer.alive) {
      const reason = say(answer.reason);
      banner(say("The computation behind this page has ended. {reason} Reload to go on; the link keeps the state.", { reason }), true);
      return; // it does not come back
    }
    if (isCutOff()) {
      banner(say("This page has lost its connection to the computation. It tries again by itself; Reload is quicker, and the link keeps the state."), true);
    } else clear();
  } catch {
    if (performance.now() - answered > PATIENCE) {
      banner(say("The server cannot be reached. This page tries again by itself; what it shows is as it was."), false);
    }
  }
  timer = setTimeout(ask, PERIOD);
}

// Before the page is left, a cookie says which computation a reload of this address may have back; whoever stays on the
// page takes it away. Voila would end the computation here, while the browser still asks whether to leave a run.
function mark(seconds) {
  const link = encodeURIComponent(location.search.slice(0, COMPARED));
  document.cookie = `${LEFT}${kernel()}=${link}; path=${base()}; max-age=${seconds}; SameSite=Lax`;
}
addEventListener("beforeunload", (event) => {
  event.stopImmediatePropagation();
  if (document.querySelector(".workbench-running")) event.preventDefault();
  if (!kernel()) return; // the page is not whole yet
  mark(DIALOG);
  setTimeout(mark, 1000, 0);
});

// The page is left. What a run has drawn outlives it, should its computation have ended.
addEventListener("pagehide", () => {
  if (!kernel()) return;
  if (document.querySelector(".workbench-ran")) keepPictures();
  const form = new FormData();
  form.append("_xsrf", token());
  navigator.sendBeacon(`${base()}voila/api/shutdown/${kernel()}`, form);
});

addEventListener("DOMContentLoaded", () => {
  showKept();
  timer = setTimeout(ask, PERIOD);
  document.addEventListener("visibilitychange", () => document.hidden || ask());
  addEventListener("online", ask);
});
