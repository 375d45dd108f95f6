// The page's address carries the state of the app: read once at the start, written while controls move. Another tab is a
// step of the browser's history, so that Back goes to the tab before.
// Only in Voila: in JupyterLab the address belongs to the Lab.
const WAIT = 300; // ms; browsers allow about a hundred changes of the address in half a minute
const tabOf = (address) => new URL(address).searchParams.get("tab");

function initialize({ model }) {
  if (document.body.dataset.voila === undefined) return undefined;
  const speak = () => { document.documentElement.lang = model.get("lang"); };
  let timer;
  const write = () => {
    const address = new URL(location.href);
    for (const key of [...address.searchParams.keys()]) {
      if (key === "tab" || key.includes(".")) address.searchParams.delete(key);
    }
    for (const [key, value] of new URLSearchParams(model.get("shown"))) address.searchParams.set(key, value);
    if (address.href === location.href) return;
    if (tabOf(address) === tabOf(location.href)) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
  };
  model.on("change:shown", () => {
    clearTimeout(timer);
    const shown = new URLSearchParams(model.get("shown")).get("tab");
    timer = setTimeout(write, shown === tabOf(location.href) ? WAIT : 0);
  });
  speak();
  model.on("change:lang", speak);
  let steps = model.get("returned").step ?? 0;
  const back = () => {
    clearTimeout(timer);
    steps += 1;
    model.set("returned", { tab: tabOf(location.href) ?? "", step: steps });
    model.save_changes();
  };
  addEventListener("popstate", back);
  model.set("opened", location.search);
  model.save_changes();
  return () => removeEventListener("popstate", back);
}
export default { initialize };
