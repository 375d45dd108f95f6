// The line that leads through the tour: what to do, what it showed, and on.
function render({ model, el }) {
  const say = speaker(model);
  el.setAttribute("role", "region");
  const step = (label, action, name = null) => button(label, () => model.send({ action }), { class: name });
  const draw = () => {
    el.setAttribute("aria-label", say("Tour"));
    const { number, of, do: task, told } = model.get("facts");
    el.classList.toggle("workbench-coach", number !== undefined);
    el.replaceChildren();
    if (number === undefined) return;
    el.append(
      element("p", { role: "status" }, element("b", {}, say("{number} of {of}. ", { number, of })),
        element("span", { class: "done" }, told ? `✓ ${told}` : task)),
      element("div", {}, told ? step(number === of ? say("Finish") : say("Go on"), "on", "go") : step(say("Skip"), "on"),
        step(say("End the tour"), "end")),
    );
  };
  draw();
  model.on("change:facts", draw);
  return () => model.off("change:facts", draw);
}
export default { render };
