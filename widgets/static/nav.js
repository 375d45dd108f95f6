// The top line of the app: tabs in groups, light and dark, lecture mode, the tour.
const params = () => new URLSearchParams(location.search);

function addressWith(name, value) {
  const address = new URL(location.href);
  if (value === null) address.searchParams.delete(name);
  else address.searchParams.set(name, value);
  return address;
}

const put = (name, value) => history.replaceState(history.state, "", addressWith(name, value));

// ---- light and dark: the page carries the other theme's colours too, switched off.
const isDark = () => document.body.dataset.jpThemeLight === "false";
const canSwitch = () => document.getElementById("workbench-other-theme") !== null;

function switchTheme() {
  const dark = !isDark();
  const woken = document.getElementById("workbench-woken-theme");
  if (woken) woken.remove();
  else {
    const style = document.getElementById("workbench-other-theme").content.querySelector("style, link").cloneNode(true);
    style.id = "workbench-woken-theme";
    document.head.append(style);
  }
  document.body.dataset.jpThemeLight = String(!dark);
  document.body.classList.toggle("theme-dark", dark);
  document.body.classList.toggle("theme-light", !dark);
  put("theme", dark ? "dark" : "light");
}

// ---- lecture mode: `?present`, and `hide=controls,tools,sentence,challenge`.
function present(on) {
  document.body.classList.toggle("workbench-present", on);
  put("present", on ? "" : null);
  dispatchEvent(new Event("resize"));
}

function follow() {
  if (canSwitch() && params().get("theme") === (isDark() ? "light" : "dark")) switchTheme(); // a page that came back
  document.body.classList.toggle("workbench-present", params().has("present"));
  for (const part of (params().get("hide") ?? "").split(",").filter((word) => /^[a-z]+$/.test(word))) {
    document.body.classList.add(`workbench-hide-${part}`);
  }
}

function top(model) {
  const tools = element("div"), say = speaker(model);
  if (model.get("tour")) {
    const title = say("a guided walk of about 12 minutes");
    tools.append(button(say("Tour"), () => model.send({ action: "tour" }), { title }));
  }
  if (document.body.dataset.voila !== undefined) {
    const dark = button("", () => { switchTheme(); label(); });
    const lecture = button("", () => { present(!document.body.classList.contains("workbench-present")); label(); });
    const label = () => {
      const on = document.body.classList.contains("workbench-present");
      dark.textContent = isDark() ? say("Light") : say("Dark");
      lecture.textContent = on ? say("End lecture mode") : say("Lecture mode");
    };
    label();
    if (canSwitch()) tools.append(dark);
    tools.append(lecture);
  }
  return element("header", { class: "workbench-top" }, element("h1", {}, model.get("heading")), tools);
}

// On a phone the tabs wait behind one button that names the open one.
function opener(el, model) {
  const title = model.get("groups").flatMap((group) => group.tabs).find((tab) => tab.name === model.get("selected"))?.title ?? "";
  const open = el.classList.contains("workbench-open");
  const node = button(`${title} ▾`, () => {
    node.setAttribute("aria-expanded", String(el.classList.toggle("workbench-open")));
  }, { class: "workbench-opener", "aria-expanded": String(open), "aria-label": speaker(model)("Panel: {title}. All panels", { title }) });
  return node;
}

function tabs(model) {
  const groups = model.get("groups").map(({ title, accent, tabs: entries }) => {
    const group = element("div", { class: "workbench-group", role: "none" },
      title && element("span", { "aria-hidden": "true" }, title.toUpperCase()),
      ...entries.map((tab) => button(tab.title, () => choose(model, tab.name), { role: "tab", "data-name": tab.name })));
    if (accent) group.style.setProperty("--accent", `var(--${accent})`);
    return group;
  });
  return element("div", { class: "workbench-groups", role: "tablist", "aria-label": speaker(model)("Panels") }, ...groups);
}

function choose(model, name) {
  model.set("selected", name);
  model.save_changes();
}

function mark(model, el) {
  for (const tab of el.querySelectorAll("[role=tab]")) {
    const selected = tab.dataset.name === model.get("selected");
    tab.setAttribute("aria-selected", String(selected));
    tab.tabIndex = selected ? 0 : -1;
  }
}

// Arrow keys go from tab to tab, Enter opens (WAI-ARIA: tabs with manual activation).
function keys(event) {
  const all = [...event.currentTarget.querySelectorAll("[role=tab]")];
  const here = all.indexOf(event.target);
  const to = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: all.length - 1 }[event.key];
  if (here < 0 || to === undefined) return;
  event.preventDefault();
  all[(to + all.length) % all.length].focus();
}

function initialize({ model }) {
  if (document.body.dataset.voila === undefined) return undefined;
  follow();
  const click = (event) => {
    const language = event.target.closest?.("a[hreflang]")?.hreflang;
    if (language) { // a new kernel, which says everything in that language; a reload would give this one back
      event.preventDefault();
      location.replace(addressWith("lang", language));
      return;
    }
    const link = event.target.closest?.("a[data-tab]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(model, link.dataset.tab);
    document.querySelector(".workbench-nav")?.scrollIntoView();
  };
  const start = (event) => event.target.closest?.("[data-tour]") && model.send({ action: "tour" });
  document.addEventListener("click", click);
  document.addEventListener("click", start);
  return () => { document.removeEventListener("click", click); document.removeEventListener("click", start); };
}

function render({ model, el }) {
  el.classList.add("workbench-nav");
  const draw = () => {
    const list = tabs(model);
    list.addEventListener("keydown", keys);
    const line = top(model);
    line.querySelector("div").prepend(opener(el, model));
    el.replaceChildren(line, list);
    mark(model, el);
  };
  draw();
  const again = () => {
    el.classList.remove("workbench-open");
    el.querySelector(".workbench-opener").replaceWith(opener(el, model));
    mark(model, el);
  };
  model.on("change:groups change:words", draw);
  model.on("change:selected", again);
  return () => { model.off("change:groups change:words", draw); model.off("change:selected", again); };
}
export default { initialize, render };
