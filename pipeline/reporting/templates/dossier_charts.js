/* Who says what, and when: a table of holders and labels, columns over time */
const mostRows = () => (innerWidth < 640 ? 6 : 15); // on a phone each row is a list of its own
const shownColumns = all("#form input[name=label]").map((box) => columnOf.get(box.value));
const usedColumns = (found) => shownColumns.filter((column) => found.some((finding) => finding.column === column));

function tally(found, keysOf) {
  const rows = new Map();
  for (const finding of found) {
    for (const key of keysOf(finding)) {
      if (!rows.has(key)) rows.set(key, { key, total: 0, counts: new Map() });
      const row = rows.get(key);
      row.total += 1;
      row.counts.set(finding.column, (row.counts.get(finding.column) ?? 0) + 1);
    }
  }
  return [...rows.values()];
}
function button(number, peak, change, told, css = "") {
  const heat = Math.ceil((10 * number) / peak);
  const node = make("button", { type: "button", className: `count heat${heat} ${css}` }, number.toLocaleString("en"));
  node.setAttribute("aria-label", `${plural(number, "finding")}: ${told}. Show the evidence.`);
  const pressed = Object.entries(change).every(([key, value]) => String(filter[key]) === String(value));
  node.setAttribute("aria-pressed", String(pressed));
  node.addEventListener("click", () => choose(change));
  return node;
}
function withRole(tag, role, properties, ...children) {
  const node = make(tag, properties, ...children);
  node.setAttribute("role", role); // the phone layout makes blocks of tables, which loses what they are
  return node;
}
function table(caption, head, columnsShown, rows) {
  const header = withRole("tr", "row", {}, withRole("th", "columnheader", { scope: "col" }, head),
    ...columnsShown.map((column) => withRole("th", "columnheader", { scope: "col", className: `num ${column.css}` }, make("span", { className: "swatch" }), column.title)),
    withRole("th", "columnheader", { scope: "col", className: "num" }, "All"));
  const body = withRole("tbody", "rowgroup", {}, ...rows);
  const node = withRole("table", "table", { className: "counts" }, make("caption", { className: "sr" }, caption), withRole("thead", "rowgroup", {}, header), body);
  const region = withRole("div", "region", { className: "scroll", tabIndex: 0 }, node);
  region.setAttribute("aria-label", caption);
  return region;
}
function tableRow(names, row, columnsShown, peak, changeOf, changeOfAll = changeOf) {
  const name = names.join(" → ");
  const cells = columnsShown.map((column) => {
    const number = row.counts.get(column) ?? 0;
    const content = number ? button(number, peak, { ...changeOf, labels: [column.key] }, `${column.title}, ${name}`) : make("span", { className: "zero" }, "0");
    return withRole("td", "cell", { className: `num ${column.css}` }, content);
  });
  cells.push(withRole("td", "cell", { className: "num" }, button(row.total, Infinity, changeOfAll, name)));
  [...columnsShown.map((column) => column.title), "All"].forEach((title, n) => { cells[n].dataset.head = title; });
  return withRole("tr", "row", {}, withRole("th", "rowheader", { scope: "row" }, ...isolated(names, " → ")), ...cells);
}
/* Names side by side, none of which turns the direction of its neighbours */
const isolated = (names, between) => names.flatMap((name, n) => (n ? [between, make("bdi", {}, name)] : [make("bdi", {}, name)]));
const peakOf = (rows) => Math.max(1, ...rows.flatMap((row) => [...row.counts.values()]));
const unfolded = new Set(); // tables whose reader asked for all rows
function foldable(id, rows, build) {
  const open = unfolded.has(id);
  const place = byId(id);
  place.replaceChildren(build(open ? rows : rows.slice(0, mostRows())));
  if (rows.length <= mostRows()) return;
  const more = make("button", { type: "button", className: "quiet" }, open ? "Show fewer rows" : `Show all ${rows.length.toLocaleString("en")} rows`);
  more.setAttribute("aria-expanded", String(open));
  const left = rows.length - mostRows();
  if (!open) place.append(make("p", { className: "small printed" }, `${plural(left, "more row")} not printed.`));
  more.addEventListener("click", () => {
    if (open) unfolded.delete(id); else unfolded.add(id);
    foldable(id, rows, build);
    place.querySelector(":scope > button").focus();
  });
  place.append(more);
}
const byCount = (a, b) => b.total - a.total || String(a.key).localeCompare(String(b.key));

function drawHeat() {
  const found = selected(["labels", "holder"]);
  const used = usedColumns(found);
  const rows = tally(found, (finding) => finding.holder.names).sort(byCount);
  const peak = peakOf(rows);
  if (!rows.length) return byId("heat").replaceChildren(nothingHere());
  return foldable("heat", rows, (some) => table("Findings by holder", "Holder", used, some.map((row) => tableRow([row.key], row, used, peak, { holder: row.key }, { holder: row.key, labels: [] }))));
}
const nothingHere = () => make("p", { className: "small" }, "The selection holds nothing to show here.");

/* Time: days, months or years, as the span asks for and the dates allow */
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const UNITS = { 10: "day", 7: "month", 4: "year" }; // by the length of such a date
function suitedTo(days) {
  return days <= 45 ? 10 : days <= 1500 ? 7 : 4;
}
/* The finest unit that suits the span and that at least three in four of the findings have; a coarser one
   would show a few more of them, and the course of all others no longer */
function unitOf(dates) {
  const days = (Date.parse(dates.at(-1)) - Date.parse(dates[0])) / 864e5;
  const has = (width) => dates.filter((date) => date.length >= width).length;
  return [10, 7, 4].find((width) => width <= suitedTo(days) && 4 * has(width) >= 3 * dates.length);
}
function periodName(key) {
  const [year, month, day] = key.split("-");
  return [day && Number(day), month && MONTHS[month - 1], year].filter(Boolean).join(" ");
}
const startOf = (key) => new Date(`${key}${"-01-01".slice(key.length - 4)}`);
function endOf(key) {
  const end = startOf(key);
  if (key.length === 10) end.setUTCDate(end.getUTCDate() + 1);
  else if (key.length === 7) end.setUTCMonth(end.getUTCMonth() + 1);
  else end.setUTCFullYear(end.getUTCFullYear() + 1);
  return end;
}
const dayBefore = (date) => new Date(date - 864e5).toISOString().slice(0, 10);
const spanOf = (key) => ({ from: startOf(key).toISOString().slice(0, 10), to: dayBefore(endOf(key)) });

function drawTime() {
  const found = selected(["from", "to"]);
  const dates = found.map((finding) => finding.statement.counted).filter(Boolean).sort();
  if (!dates.length) {
    byId("time-note").textContent = found.length ? "None of the selected statements carries a date of the form YYYY-MM-DD, YYYY-MM or YYYY." : "";
    byId("timeline").replaceChildren();
    byId("time-table").replaceChildren(nothingHere());
    return;
  }
  const width = unitOf(dates);
  const placed = found.filter((finding) => finding.statement.counted.length >= width);
  const rows = tally(placed, (finding) => [finding.statement.counted.slice(0, width)]).sort((a, b) => a.key.localeCompare(b.key));
  const missing = found.length - placed.length;
  const unit = UNITS[width];
  byId("time-note").textContent = `Findings by ${unit} of the statement.` + (missing ? ` ${plural(missing, "finding")} not shown: the statement has no ${unit}.` : "");
  const used = usedColumns(placed);
  const peak = peakOf(rows);
  foldable("time-table", rows, (some) => table(`Findings by ${unit}`, unit[0].toUpperCase() + unit.slice(1), used,
    some.map((row) => tableRow([periodName(row.key)], row, used, peak, spanOf(row.key)))));
  if (rows.length) byId("timeline").replaceChildren(timeline(rows, used)); else byId("timeline").replaceChildren();
}
function timeline(rows, used) {
  const width = Math.max(280, byId("timeline").clientWidth);
  const height = width < 600 ? 200 : 260;
  const edge = { left: 40, right: 8, top: 12, bottom: 28 };
  const x = d3.scaleUtc([startOf(rows[0].key), endOf(rows.at(-1).key)], [edge.left, width - edge.right]);
  const y = d3.scaleLinear([0, Math.max(...rows.map((row) => row.total))], [height - edge.bottom, edge.top]).nice(4);
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height });
  for (const tick of y.ticks(4).filter(Number.isInteger)) {
    svg.append(draw("line", { class: "grid", x1: edge.left, x2: width - edge.right, y1: y(tick), y2: y(tick) }),
      draw("text", { class: "tick", x: edge.left - 8, y: y(tick) + 4, "text-anchor": "end" }, tick.toLocaleString("en")));
  }
  const layers = d3.stack().keys(used).value((row, column) => row.counts.get(column) ?? 0)(rows);
  for (const layer of layers) {
    layer.forEach(([low, high], n) => {
      if (high === low) return;
      const row = rows[n];
      const [left, right] = [x(startOf(row.key)), x(endOf(row.key))];
      const wide = Math.min(56, Math.max(1.5, (right - left) * 0.78));
      const bar = draw("rect", { class: `mark ${layer.key.css}`, x: (left + right - wide) / 2, width: wide, y: y(high), height: Math.max(0.5, y(low) - y(high) - (y(low) - y(high) > 4 ? 1 : 0)) },
        draw("title", {}, `${periodName(row.key)}, ${layer.key.title}: ${plural(high - low, "finding")}`));
      bar.addEventListener("click", () => choose({ ...spanOf(row.key), labels: [layer.key.key] }));
      svg.append(bar);
    });
  }
  svg.append(draw("line", { class: "axis", x1: edge.left, x2: width - edge.right, y1: y(0), y2: y(0) }));
  const length = rows[0].key.length;
  const few = rows.length <= Math.max(3, width / 90);
  const keys = few ? rows.map((row) => row.key) : x.ticks(Math.floor(width / 90)).map((tick) => tick.toISOString().slice(0, length));
  const letter = 0.45 * parseFloat(getComputedStyle(document.documentElement).fontSize); // of .tick, at its widest
  let taken = -Infinity;
  for (const key of new Set(keys)) {
    const middle = (x(startOf(key)) + x(endOf(key))) / 2;
    const half = (letter * periodName(key).length) / 2;
    if (middle - half < taken) continue;
    taken = middle + half + letter;
    if (middle < width - edge.right) svg.append(draw("text", { class: "tick", x: middle, y: height - 8, "text-anchor": "middle" }, periodName(key)));
  }
  return svg;
}
function drawLegends() {
  for (const list of all(".legend")) {
    list.replaceChildren(...usedColumns(findings).map((column) => make("li", { className: column.css }, make("span", { className: "swatch" }), column.title)));
  }
}
