// The line that leads through the tour: what to do, what it showed, and on.
function render({ model, el }) {
  el.setAttribute("role", "region");
  el.setAttribute("aria-label", "Tour");
  const say = (action) => model.send({ action });
  const button = (label, action, name = "") => {
    const node = document.createElement("button");
    node.type = "button";
    node.className = name;
    node.textContent = label;
    node.addEventListener("click", () => say(action));
    return node;
  };
  const draw = () => {
    const { number, of, do: task, told } = model.get("facts");
    el.classList.toggle("workbench-coach", number !== undefined);
    el.replaceChildren();
    if (number === undefined) return;
    const line = document.createElement("p");
    line.setAttribute("role", "status");
    const place = document.createElement("b");
    place.textContent = `${number} of ${of}. `;
    const done = document.createElement("span");
    done.className = "done";
    done.textContent = told ? `✓ ${told}` : task;
    line.append(place, done);
    const buttons = document.createElement("div");
    const last = number === of;
    if (told) buttons.append(button(last ? "Finish" : "Go on", "on", "go"));
    else buttons.append(button("Skip", "on"));
    buttons.append(button("End the tour", "end"));
    el.append(line, buttons);
  };
  draw();
  model.on("change:facts", draw);
  return () => model.off("change:facts", draw);
}
export default { render };
