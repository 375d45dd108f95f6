// Nodes of a page, for the modules that draw some: this text stands before theirs.

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return node;
}

// What is said in the language of the page: say("Undo"), say("{number} of {of}. ", facts). `words` holds what stands for a text.
const speaker = (model) => (text, values = {}) =>
  (model.get("words")[text] ?? text).replace(/\{(\w+)\}/g, (_, name) => values[name]);

const button = (label, onclick, attributes = {}) => element("button", { type: "button", onclick, ...attributes }, label);
