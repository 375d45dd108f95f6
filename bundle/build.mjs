// Builds the small bundle of plotly.js, which has the traces that the workbench draws and nothing else, from plotly.js's
// source and from the widget classes of the installed plotly.py. `make bundle` calls it:
//
//     node build.mjs PLOTLY OUT      PLOTLY: the folder of the installed Python package; OUT: where the two files go
//
// plotly.py ships no source of its widget classes. They stand at the end of its own bundle, minified, and are cut out there
// by what they are known by. If another version looks different, the build fails and says what it did not find.
import { build } from "esbuild";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const TRACES = ["scatter", "bar", "heatmap"]; // as in workbench/serving/bundles.py
const HERE = dirname(fileURLToPath(import.meta.url));
const NAME = "[\\w$]+";

function fail(message) {
  console.error(`build.mjs: ${message}`);
  process.exit(1);
}

const only = (found, what) => (found.length === 1 ? found[0] : fail(`${what}: found ${found.length} instead of 1`));

// The installed plotly: its bundle, its version, the version of plotly.js in it, and its licence.
function plotlyPy(folder) {
  const info = only(readdirSync(dirname(folder)).filter((name) => /^plotly-.*\.dist-info$/.test(name)), `plotly beside ${folder}`);
  const script = readFileSync(join(folder, "package_data", "plotly.min.js"), "utf8").slice(0, 300);
  return {
    bundle: readFileSync(join(folder, "package_data", "widgetbundle.js"), "utf8"),
    version: info.match(/^plotly-(.*)\.dist-info$/)[1],
    script: script.match(/plotly\.js v([\w.-]+)/)?.[1] ?? fail("plotly.min.js does not begin with its version"),
    folder: join(dirname(folder), info),
  };
}

// The widget classes, and the names under which they know lodash and plotly.js.
function widgetClasses(bundle) {
  const shape = new RegExp(`var (${NAME})=${NAME};var (${NAME})=${NAME}\\(${NAME}\\(\\)\\);` +
    `(window\\.PlotlyConfig=\\{MathJaxConfig:"local"\\};.*?` +
    `export\\{${NAME} as FigureModel,${NAME} as FigureView,${NAME} as default\\};)`, "s");
  const [, lodash, plotly, classes] = bundle.slice(-60000).match(shape)
    ?? fail("the widget classes do not stand at the end of widgetbundle.js as they did in plotly 7.1; "
      + "look at its last 20 kB and mend the pattern in widgetClasses()");
  return { lodash, plotly, classes };
}

const count = (text, pattern) => [...text.matchAll(new RegExp(pattern, "g"))].length;
const quoted = (name) => name.replaceAll("$", "\\$");

// A lodash of the functions that the classes use, chains among them: `_(a).zip(b).value()`.
function lodashModule({ lodash, classes }) {
  const own = `(?<![\\w$.])${quoted(lodash)}`;
  const called = [...classes.matchAll(new RegExp(`${own}\\.(\\w+)\\(`, "g"))].map(([, name]) => name);
  const chains = [...classes.matchAll(new RegExp(`${own}\\([^()]*\\)((?:\\.\\w+\\([^()]*\\))+)`, "g"))].map(([, calls]) =>
    [...calls.matchAll(/\.(\w+)\(/g)].map(([, name]) => name));
  if (called.length + chains.length !== count(classes, `${own}(?![\\w$])`) || !chains.every((chain) => chain.at(-1) === "value"))
    fail("the widget classes use lodash in a way that is neither `_.name(…)` nor `_(…).name(…).value()`");
  const links = [...new Set(chains.flat())].filter((name) => name !== "value").sort();
  const names = [...new Set([...called, ...links])].sort();
  return `${names.map((name) => `import ${name} from "lodash-es/${name}.js";`).join("\n")}
    const chain = (value) => ({
      value: () => value,
      ${links.map((name) => `${name}: (...more) => chain(${name}(value, ...more)),`).join("\n")}
    });
    export default Object.assign(chain, { ${names.join(", ")} });`;
}

function plotlyModule({ plotly, classes }) {
  const own = `(?<![\\w$.])${quoted(plotly)}`;
  if (count(classes, `${own}(?![\\w$])`) !== count(classes, `${own}\\.default\\.`))
    fail("the widget classes use plotly.js in another way than `plotly.default.name`");
  const more = TRACES.filter((name) => name !== "scatter"); // which is part of the core
  return `import Plotly from "plotly.js/lib/core";
    ${more.map((name) => `import ${name} from "plotly.js/lib/${name}";`).join("\n")}
    Plotly.register([${more.join(", ")}]);
    export default { default: Plotly };`;
}

// Steps of a drawing by themselves, for widgets/static/quick_redraw.js.
const DRAWING = `import { supplyDefaults, doCalcdata, style } from "plotly.js/src/plots/plots";
  import { doColorBars } from "plotly.js/src/plot_api/subroutines";
  export default { supplyDefaults, doCalcdata, style, doColorBars };`;

// Modules that are given as text, by the name they are imported under.
const texts = (modules) => ({
  name: "texts",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^text:/ }, ({ path }) => ({ path: path.slice(5), namespace: "text" }));
    onLoad({ filter: /.*/, namespace: "text" }, ({ path }) => ({ contents: modules[path], resolveDir: HERE }));
  },
});

// The packages that something of went into the output, by name.
function packagesOf(metafile) {
  const inputs = Object.entries(Object.values(metafile.outputs).find(({ entryPoint }) => entryPoint).inputs);
  const folders = inputs.filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && !path.endsWith(".css"))
    .map(([path]) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]);
  return [...new Set(folders)].filter(Boolean).sort().map((folder) => join(HERE, folder));
}

// The licence of a package in its own words, from a file or its README; else the terms of what its description names.
function licence(folder) {
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const files = readdirSync(folder).filter((name) => /^(licen[cs]e|copying)/i.test(name)).sort();
  const read = (name) => readFileSync(join(folder, name), "utf8").trim();
  const readmes = readdirSync(folder).filter((name) => /^readme/i.test(name)).map(read);
  const sections = readmes.map((text) => text.match(/^#+ *licen[cs]e\s+(.*Permission is hereby granted.*)/ims)?.[1]).filter(Boolean);
  const own = files.length ? files.map(read) : sections;
  return { title: `${about.name} ${about.version}`, text: own.length ? own.join("\n\n") : terms(about) };
}

function terms({ name, license, author }) {
  const by = (typeof author === "string" ? author : author?.name ?? "its authors").replace(/ *[<(].*/, "");
  return `${license} licence; by ${by}; ${TERMS[license] ?? fail(`${name} has no licence file; put the terms of ${license} here`)}`;
}

const TERMS = {
  MIT: `its terms:

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`,
};

function licences(installed, packages, comments) {
  const file = [join(installed.folder, "licenses", "LICENSE.txt"), join(installed.folder, "LICENSE.txt")].find(existsSync)
    ?? fail(`no licence in ${basename(installed.folder)}`);
  const parts = [{ title: `plotly.py ${installed.version} (the widget classes)`, text: readFileSync(file, "utf8").trim() },
    ...packages.map(licence), { title: "Notices that stand in the sources", text: comments.trim() }];
  const head = "plotly_core.js is built from parts of these works. Each stands under its own licence.";
  return `${head}\n${parts.map(({ title, text }) => `\n${"=".repeat(80)}\n${title}\n${"=".repeat(80)}\n\n${text}\n`).join("")}`
    .replaceAll("\r", "").replace(/[ \t]+$/gm, "");
}

const [folder, out] = process.argv.slice(2).map((path) => resolve(path));
if (!out) fail("say where the installed plotly lies and where the files go: node build.mjs PLOTLY OUT");
const installed = plotlyPy(folder);
const pinned = JSON.parse(readFileSync(join(HERE, "node_modules", "plotly.js", "package.json"), "utf8")).version;
if (pinned !== installed.script)
  fail(`plotly ${installed.version} ships plotly.js ${installed.script}, and here is ${pinned}: change it in package.json`);
const parts = widgetClasses(installed.bundle);
const entry = `import ${parts.lodash} from "text:lodash"; import ${parts.plotly} from "text:plotly"; ${parts.classes}
  export { default as drawing } from "text:drawing";`;
const { outputFiles, metafile } = await build({
  entryPoints: ["text:entry"],
  plugins: [texts({ entry, lodash: lodashModule(parts), plotly: plotlyModule(parts), drawing: DRAWING })],
  absWorkingDir: HERE,
  outfile: join(out, "plotly_core.js"),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2020",
  charset: "utf8",
  define: { global: "window", "define.amd": "false" },
  loader: { ".css": "empty" }, // of maps
  legalComments: "external",
  metafile: true,
  write: false,
});
const text = (ending) => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? "";
const head = `/*! plotly.js ${installed.script}, ${TRACES.join(" ")} only, with the widget classes of plotly.py `
  + `${installed.version}. Built by bundle/build.mjs; licences in plotly_core_licences.txt. */\n`;
writeFileSync(join(out, "plotly_core.js"), head + text(".js"));
writeFileSync(join(out, "plotly_core_licences.txt"), licences(installed, packagesOf(metafile), text(".LEGAL.txt")));
