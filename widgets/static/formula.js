// Equations as the kernel wrote them, of which one term may be lit up.
function render({ model, el }) {
  el.classList.add("workbench-formula");
  el.setAttribute("role", "group");
  const show = () => {
    el.innerHTML = model.get("lines").map((line) => `<p>${line}</p>`).join("");
    el.setAttribute("aria-label", model.get("alt"));
  };
  show();
  model.on("change:lines", show);
  model.on("change:alt", show);
}
export default { render };
