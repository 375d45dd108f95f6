// The line that leads through the tour: what to do, what it showed, and on.
function render({ model, el }) {
  el.setAttribute("role", "region");
  el.setAttribute("aria-label", "Tour");
  const step = (label, action, name = null) => button(label, () => model.send({ action }), { class: name });
  const draw = () => {
    const { number, of, do: task, told } = model.get("facts");
    el.classList.toggle("workbench-coach", number !== undefined);
    el.replaceChildren();
    if (number === undefined) return;
    el.append(
      element("p", { role: "status" }, element("b", {}, `${number} of ${of}. `),
        element("span", { class: "done" }, told ? `✓ ${told}` : task)),
      element("div", {}, told ? step(number === of ? "Finish" : "Go on", "on", "go") : step("Skip", "on"),
        step("End the tour", "end")),
    );
  };
  draw();
  model.on("change:facts", draw);
  return () => model.off("change:facts", draw);
}
export default { render };
