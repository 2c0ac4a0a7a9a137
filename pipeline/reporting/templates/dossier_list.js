/* The list of evidence: what the filter selects, a page at a time */
const PAGE = 25;
let matching = findings;
let listed = 0;

function chances({ p, holder, target }) {
  const told = [["label", p], ["holder", holder.p], ["target", target?.p]].filter(([, one]) => one !== null && one !== undefined);
  return `Probability: ${told.map(([what, one]) => `${what} ${percent(one)}`).join(", ")}`;
}
function item(finding) {
  const { statement, holder, target } = finding;
  const inside = new Set(spansIn(finding, finding.sentence).map((span) => span.role));
  const apart = [["Holder", "holder", holder], ["Target", "target", target]]
    .filter(([, role, one]) => one && !inside.has(role) && (one.places.length || one.words !== one.names[0]))
    .map(([term, , one]) => make("p", { className: "small apart" }, `${term} named ${one.places.length ? "elsewhere in the statement" : "as"}: “`, make("bdi", {}, one.words), "”"));
  const opener = make("button", { type: "button", className: "quiet open" }, "Read in its statement");
  opener.append(make("span", { className: "sr" }, `: ${finding.column.title}, ${join(holder.names)}`));
  opener.addEventListener("click", () => open(finding));
  const node = make("li", { className: `finding ${finding.column.css}`, id: `finding${finding.n}` },
    headline(finding), make("blockquote", { dir: "auto" }, ...quoted(finding)), ...apart,
    make("p", { className: "meta" }, ...[statement.speaker, statement.date, statement.heading].filter(Boolean).map((text) => make("span", {}, make("bdi", {}, text)))),
    make("p", { className: "row" }, make("span", { className: "chance" }, chances(finding)), opener));
  node.tabIndex = -1;
  return node;
}
function list(upTo) {
  byId("findings").append(...matching.slice(listed, upTo).map(item));
  listed = Math.max(listed, Math.min(upTo, matching.length));
  const left = matching.length - listed;
  byId("more").hidden = left === 0;
  byId("unlisted").hidden = left === 0;
  byId("unlisted").textContent = `${plural(left, "more finding")} not printed.`;
  byId("more").textContent = `Show ${Math.min(left, PAGE).toLocaleString("en")} more of ${left.toLocaleString("en")}`;
}
byId("more").addEventListener("click", () => {
  const next = matching[listed];
  list(listed + PAGE);
  byId(`finding${next.n}`).focus({ preventScroll: true });
});

/* What is selected, in words; each can be taken away */
function chipsOf(f) {
  const chips = f.labels.map((key) => [columnOf.get(key).title, { labels: f.labels.filter((other) => other !== key) }]);
  const told = {
    holder: (v) => `Holder: ${v}`, target: (v) => `Target: ${nameOfTarget(v)}`, speaker: (v) => `Speaker: ${v}`,
    genre: (v) => `Genre: ${v}`, from: (v) => `From ${v}`, to: (v) => `To ${v}`, q: (v) => `“${v}”`, p: (v) => `Probability at least ${Math.round(v * 100)} %`,
  };
  for (const key of FIELDS) if (f[key]) chips.push([told[key](f[key]), { [key]: NOTHING[key] }]);
  return chips;
}
/* A month or a year that the span cuts may lie in it or not: it is left out, and that is told */
function datesLeftOut() {
  const out = selected(["from", "to"]).filter(({ statement }) => mayBeWithin(statement, filter) && !isWithin(statement, filter)).length;
  const told = "A date given as a month or year is in the span if all of its days are.";
  return out ? `${told} ${plural(out, "finding")} left out for that.` : told;
}
function showSelection() {
  const chips = chipsOf(filter);
  const whole = plural(findings.length, "finding");
  const places = plural(new Set(matching.map((finding) => finding.statement)).size, "statement");
  const told = chips.length ? `${matching.length.toLocaleString("en")} of ${whole}` : whole;
  byId("result").textContent = `${told}, in ${places}`;
  byId("chosen").textContent = told;
  byId("selection").hidden = !chips.length;
  byId("chips").replaceChildren(...chips.map(([text, without]) => {
    const node = make("button", { type: "button", className: "chip" }, make("bdi", {}, text), make("span", { className: "cross", ariaHidden: "true" }, "×"));
    node.setAttribute("aria-label", `Take away: ${text}`);
    node.addEventListener("click", () => { change({ ...(waiting ? readForm() : filter), ...without }); focusOn(all(".chip")[0]); });
    return make("li", {}, node);
  }));
  byId("active").hidden = !chips.length;
  byId("active").textContent = String(chips.length);
  byId("empty").hidden = matching.length > 0;
  byId("reset").disabled = !chips.length;
  for (const id of ["csv", "cite"]) byId(id).disabled = !matching.length;
  for (const link of all("a[data-part]")) link.hash = isActive(filter) ? address(filter) : "";
  if (byId("dates-note")) byId("dates-note").textContent = datesLeftOut();
  byId("p-out").textContent = filter.p ? `at least ${Math.round(filter.p * 100)} %` : "any";
}
function apply() {
  matching = selected();
  byId("findings").replaceChildren();
  listed = 0;
  list(PAGE);
  showSelection();
  drawCharts();
}
