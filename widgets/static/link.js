// The page's address carries the state of the app: read once at the start, written while controls move.
// Only in Voila: in JupyterLab the address belongs to the Lab.
const WAIT = 300; // ms; browsers allow about a hundred changes of the address in half a minute

function initialize({ model }) {
  if (document.body.dataset.voila === undefined) return;
  let timer;
  const write = () => {
    const address = new URL(location.href);
    for (const key of [...address.searchParams.keys()]) {
      if (key === "tab" || key.includes(".")) address.searchParams.delete(key);
    }
    for (const [key, value] of new URLSearchParams(model.get("shown"))) address.searchParams.set(key, value);
    history.replaceState(null, "", address);
  };
  model.on("change:shown", () => {
    clearTimeout(timer);
    timer = setTimeout(write, WAIT);
  });
  model.set("opened", location.search);
  model.save_changes();
}
export default { initialize };
