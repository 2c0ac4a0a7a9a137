/* The form, the address and the charts follow one filter */
function options(id, names, more = []) {
  const counted = new Map();
  for (const name of names) counted.set(name, (counted.get(name) ?? 0) + 1);
  const sorted = [...counted].sort((a, b) => a[0].localeCompare(b[0]));
  const nodes = sorted.map(([name, n]) => make("option", { value: name }, `${name} (${n.toLocaleString("en")})`));
  byId(id).append(...more.map(([value, text]) => make("option", { value }, text)), ...nodes);
  byId(id).closest("p").hidden = nodes.length < 2 && !more.length;
}
function readForm() {
  const value = (id) => byId(id)?.value ?? "";
  return {
    labels: all("#form input[name=label]:checked").map((box) => box.value), holder: value("holder"), target: value("target"), speaker: value("speaker"),
    genre: value("genre"), from: value("from"), to: value("to"), q: value("q").trim(), p: Number(value("p")),
  };
}
function fillForm(f) {
  for (const box of all("#form input[name=label]")) box.checked = f.labels.includes(box.value);
  for (const key of FIELDS) if (byId(key)) byId(key).value = f[key];
}
function writeAddress({ remember = false } = {}) {
  const target = address(filter, reading);
  // Writing what stands there already would break off a step back that is under way, or be a step of its own.
  if ((location.hash || "#") === target) return;
  history[remember ? "pushState" : "replaceState"](null, "", target === "#" ? location.pathname + location.search : target);
}
function change(next, { remember = false } = {}) {
  forget();
  filter = next;
  writeAddress({ remember });
  if (address(readForm()) !== address(filter)) fillForm(filter);
  apply();
}
/* Where the keyboard goes on when what it pressed is gone; folded filters take no focus */
function focusOn(node) {
  (node ?? (byId("filters").open ? byId("q") : byId("evidence"))).focus({ preventScroll: true });
}
function clear() {
  change(NOTHING);
  fillForm(filter);
  focusOn();
}
function bring(node) {
  node.scrollIntoView({ block: "start" });
  node.focus({ preventScroll: true });
}
/* A mark narrows the selection to its evidence */
function choose(more) {
  if (waiting) change(readForm()); // what was typed just before counts
  change({ ...filter, ...more }, { remember: true });
  bring(byId("evidence"));
}
function drawCharts() {
  drawHeat();
  drawTime();
  drawFlows();
}

let waiting = 0;
function forget() {
  clearTimeout(waiting);
  waiting = 0;
}
byId("form").addEventListener("input", () => {
  forget();
  waiting = setTimeout(() => change(readForm()), 150);
});
byId("form").addEventListener("submit", (event) => event.preventDefault());
for (const id of ["reset", "reset-2", "clear"]) byId(id).addEventListener("click", clear);
for (const node of all(".labels button.count")) node.addEventListener("click", () => choose({ ...NOTHING, labels: [node.dataset.label] })); // counts of the whole file
for (const link of all('a[href^="#"]')) {
  link.addEventListener("click", (event) => { // the address holds the filter, so anchors leave it alone
    const target = byId(link.hash.slice(1));
    event.preventDefault();
    target.tabIndex = -1;
    bring(target);
  });
}
const wide = matchMedia("(min-width: 62rem)");
const fit = () => { byId("filters").open = wide.matches; };
wide.addEventListener("change", fit);
fit();
let drawnAt = innerWidth;
addEventListener("resize", () => {
  if (innerWidth === drawnAt) return;
  drawnAt = innerWidth;
  drawCharts();
});

/* Printing shows the selection, up to what paper bears */
const MOST_PRINTED = 500;
addEventListener("beforeprint", () => { if (!reader.open) list(Math.max(listed, MOST_PRINTED)); });

function restore() {
  forget();
  filter = readAddress();
  const asked = new URLSearchParams(location.hash.slice(1)).get("finding");
  fillForm(filter);
  apply();
  const finding = asked && findingAt(asked);
  if (finding) open(finding);
  else if (reader.open) reader.close();
}
options("holder", findings.flatMap((finding) => finding.holder.names));
options("target", findings.flatMap((finding) => finding.target?.names ?? []), [[NO_TARGET, "No target named"]]);
options("speaker", findings.map((finding) => finding.statement.speaker));
options("genre", findings.map((finding) => finding.statement.genre).filter(Boolean));
drawLegends();
addEventListener("popstate", restore);
restore();
performance.mark("ready");
