/* Who toward whom: flows from holders to targets, and the same as a table */
const MOST_ACTORS = 12;

function pairsOf(found) {
  const rows = new Map();
  for (const finding of found) {
    for (const holder of finding.holder.names) {
      for (const target of finding.target.names) {
        const key = JSON.stringify([holder, target]);
        if (!rows.has(key)) rows.set(key, { key, holder, target, total: 0, counts: new Map() });
        const row = rows.get(key);
        row.total += 1;
        row.counts.set(finding.column, (row.counts.get(finding.column) ?? 0) + 1);
      }
    }
  }
  return [...rows.values()].sort(byCount);
}
function mostFrequent(pairs, side) {
  const totals = new Map();
  for (const pair of pairs) totals.set(pair[side], (totals.get(pair[side]) ?? 0) + pair.total);
  return new Set([...totals].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).slice(0, MOST_ACTORS).map(([name]) => name));
}
function drawFlows() {
  const directed = matching.filter((finding) => finding.target);
  const pairs = pairsOf(directed);
  const silent = matching.length - directed.length;
  const holders = mostFrequent(pairs, "holder");
  const targets = mostFrequent(pairs.filter((pair) => holders.has(pair.holder)), "target");
  const drawn = pairs.filter((pair) => holders.has(pair.holder) && targets.has(pair.target));
  byId("toward-note").textContent = [
    "From the holder, on the left, to the target.",
    drawn.length < pairs.length ? `Drawn are the most frequent, ${plural(holders.size, "holder")} and ${plural(targets.size, "target")}; the table has all ${plural(pairs.length, "pair")}.` : "",
    silent ? `${plural(silent, "finding")} without a target ${silent === 1 ? "is" : "are"} not shown.` : "",
  ].filter(Boolean).join(" ");
  const used = usedColumns(directed);
  if (!pairs.length) {
    byId("flows").replaceChildren();
    byId("flow-table").replaceChildren(nothingHere());
    return;
  }
  const peak = peakOf(pairs);
  foldable("flow-table", pairs, (some) => table("Findings by holder and target", "Holder → target", used,
    some.map((pair) => tableRow([pair.holder, pair.target], pair, used, peak, { holder: pair.holder, target: pair.target }))));
  byId("flows").replaceChildren(flows(drawn, used));
}
function shortened(text, most) {
  const signs = Array.from(text);
  return signs.length > most ? `${signs.slice(0, most - 1).join("").trimEnd()}…` : text;
}
/* Tooltips isolate names, so that none turns the direction of what follows it; a node counts what it opens */
function flows(pairs, used) {
  const width = Math.max(280, byId("flows").clientWidth);
  const side = Math.min(260, width * 0.34);
  const nodes = new Map();
  const node = (kind, name) => {
    const id = JSON.stringify([kind, name]);
    if (!nodes.has(id)) nodes.set(id, { id, kind, name });
    return id;
  };
  const links = pairs.flatMap((pair) => used.filter((column) => pair.counts.has(column)).map((column) => (
    { source: node("holder", pair.holder), target: node("target", pair.target), value: pair.counts.get(column), column, pair })));
  const each = (kind) => [...nodes.values()].filter((one) => one.kind === kind).length;
  const height = 24 + 34 * Math.max(each("holder"), each("target"));
  const graph = d3.sankey().nodeId((one) => one.id).nodeWidth(6).nodePadding(16)
    .extent([[side, 12], [width - side, height - 12]])({ nodes: [...nodes.values()], links });
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
  const path = ({ source, target, y0, y1 }) => {
    const middle = (source.x1 + target.x0) / 2;
    return `M${source.x1},${y0}C${middle},${y0} ${middle},${y1} ${target.x0},${y1}`;
  };
  for (const link of graph.links) {
    const { holder, target } = link.pair;
    const shape = draw("path", { class: `flow ${link.column.css}`, d: path(link), "stroke-width": Math.max(1.5, link.width) },
      draw("title", {}, `\u2068${holder}\u2069 → \u2068${target}\u2069, ${link.column.title}: ${plural(link.value, "finding")}`));
    shape.addEventListener("click", () => choose({ holder, target, labels: [link.column.key] }));
    svg.append(shape);
  }
  for (const one of graph.nodes) {
    const left = one.kind === "holder";
    const label = draw("text", { class: "actor", x: left ? one.x0 - 8 : one.x1 + 8, y: (one.y0 + one.y1) / 2 + 4, "text-anchor": left ? "end" : "start" },
      shortened(one.name, Math.floor((side - 12) / 7.4)));
    const group = draw("g", { class: "node" }, draw("rect", { x: one.x0, y: one.y0, width: one.x1 - one.x0, height: Math.max(2, one.y1 - one.y0) }), label,
      draw("title", {}, `\u2068${one.name}\u2069: ${plural(matching.filter((finding) => finding[one.kind]?.names.includes(one.name)).length, "finding")}`));
    group.addEventListener("click", () => choose({ [one.kind]: one.name }));
    svg.append(group);
  }
  return svg;
}
