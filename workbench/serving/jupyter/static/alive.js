// Asks the server again and again whether the computation behind this page lives, and says so on the page when it does
// not. "Reload" opens the page anew: its link keeps the state, and the pictures that were there are shown below the app.
const PERIOD = 5000; // ms between two questions
const PATIENCE = 20000; // ms without any answer until the page says that the server is out of reach
const KEPT = "workbench-pictures";
const LARGEST = 4e6; // characters of pictures that are kept; browsers keep about five million

const kernel = () => JSON.parse(document.getElementById("jupyter-config-data").textContent).kernelId;
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
  button.textContent = "Reload";
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
  const text = JSON.stringify(kept.filter(([, svg]) => svg));
  if (text.length <= LARGEST) sessionStorage.setItem(KEPT, text);
}

function showKept() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) || "[]");
  sessionStorage.removeItem(KEPT);
  if (!kept.length) return;
  const box = document.createElement("details");
  box.id = "workbench-kept";
  box.innerHTML = "<summary>The pictures as they were before the page was reloaded</summary>";
  for (const [label, svg] of kept) {
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
      banner(`The computation behind this page has ended. ${answer.reason} Reload to go on; the link keeps the state.`, true);
      return; // it does not come back
    }
    if (isCutOff()) {
      banner("This page has lost its connection to the computation. It tries again by itself; Reload is quicker, and the link keeps the state.", true);
    } else clear();
  } catch {
    if (performance.now() - answered > PATIENCE) {
      banner("The server cannot be reached. This page tries again by itself; what it shows is as it was.", false);
    }
  }
  timer = setTimeout(ask, PERIOD);
}

// What a run has drawn outlives a reload of the page, whoever asked for it.
addEventListener("pagehide", () => document.querySelector(".workbench-ran") && keepPictures());

addEventListener("DOMContentLoaded", () => {
  showKept();
  timer = setTimeout(ask, PERIOD);
  document.addEventListener("visibilitychange", () => document.hidden || ask());
  addEventListener("online", ask);
});
