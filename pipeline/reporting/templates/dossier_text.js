/* A sentence with its holder and target marked, and the statement it stands in */
const reader = byId("reader");
let reading = null;

/* Spans of a sentence that name a party of the finding, in order, cut where they overlap */
function spansIn(finding, number) {
  const spans = ["holder", "target"].flatMap((role) => (finding[role]?.places ?? [])
    .filter(([sentence]) => sentence === number).map(([, start, end]) => ({ role, start, end })));
  spans.sort((a, b) => a.start - b.start || b.end - a.end);
  let free = 0;
  return spans.flatMap(({ role, start, end }) => {
    const begin = Math.max(start, free);
    free = Math.max(free, end);
    return begin < end ? [{ role, start: begin, end }] : [];
  });
}
function marked(text, spans) {
  const parts = [];
  let from = 0;
  for (const { role, start, end } of spans) {
    parts.push(text.slice(from, start), make("span", { className: `party ${role}` }, text.slice(start, end), make("span", { className: "role" }, ` ${role}`)));
    from = end;
  }
  return [...parts, text.slice(from)];
}
const quoted = (finding) => marked(sentenceOf(finding).text, spansIn(finding, finding.sentence));
function headline(finding) {
  const { holder, target, column } = finding;
  const line = make("p", { className: "who" }, make("bdi", { className: "name" }, join(holder.names)), " ", make("span", { className: `tag ${column.css}` }, column.title));
  if (target) line.append(" ", make("span", { className: "toward" }, "toward"), " ", make("bdi", { className: "name", title: join(target.names) }, shortened(join(target.names), 90)));
  return line;
}
const aboutStatement = (statement) => [statement.speaker, statement.date, statement.genre].filter(Boolean).join(" · ");

function facts(finding) {
  const { statement, holder, target, column } = finding;
  const sentence = sentenceOf(finding);
  const list = make("dl");
  const add = (term, ...texts) => {
    const told = texts.filter(Boolean);
    if (told.length) list.append(make("div", {}, make("dt", {}, term), ...told.map((text) => make("dd", {}, text))));
  };
  const described = (one) => [join(one.names), one.words !== one.names[0] && `in the words “${one.words}”`, one.p !== null && `probability ${percent(one.p)}`];
  add(column.title, `probability ${percent(finding.p)}`);
  add("Holder", ...described(holder));
  add("Target", ...(target ? described(target) : ["none named"]));
  add("Also given", sentence.given.filter(([n]) => n !== column.n)
    .map(([n, p]) => `${data.tasks[columns[n].task]}: ${columns[n].title}${p === null ? "" : ` (${percent(p)})`}`).join("; "));
  add("Speaker", statement.speaker);
  add("Source", [statement.source, statement.location].filter(Boolean).join(", "));
  add("Place", sentence.id, sentence.end > sentence.start && `characters ${sentence.start}–${sentence.end} of the cleaned text`);
  add("Models", data.model, data.attribution);
  return list;
}
function bodyOf(finding) {
  const { statement } = finding;
  const others = new Map();
  for (const one of findings) {
    if (one.statement === statement) others.set(one.sentence, [...(others.get(one.sentence) ?? []), one]);
  }
  let number = statement.first;
  return textOf(statement).map(([kind, indent, marker, sentences]) => {
    const block = make("div", { className: `block ${kind} in${indent}`, dir: "auto" });
    if (marker) block.append(make("span", { className: "marker" }, marker));
    for (const [text] of sentences) {
      const here = others.get(number) ?? [];
      const spans = spansIn(finding, number);
      const parts = spans.length ? marked(text, spans) : [text];
      const sentence = make("span", { className: "t" });
      if (number === finding.sentence) sentence.append(make("mark", { className: finding.column.css, id: "shown" }, ...parts));
      else if (here.length) sentence.append(make("span", { className: `also ${here[0].column.css}` }, ...parts));
      else sentence.append(...parts);
      block.append(sentence, " ");
      for (const one of here) block.append(switchTo(one, one === finding), " ");
      number += 1;
    }
    return block;
  });
}
function switchTo(finding, current) {
  const node = make("button", { type: "button", className: `tag ${finding.column.css}` }, finding.column.title,
    make("span", { className: "sr" }, `, ${join(finding.holder.names)}`));
  if (current) node.setAttribute("aria-current", "true");
  node.addEventListener("click", () => open(finding));
  return node;
}
function open(finding) {
  reading = finding;
  byId("reader-h").replaceChildren(make("bdi", {}, finding.statement.heading));
  byId("reader-meta").replaceChildren(make("bdi", {}, aboutStatement(finding.statement)));
  byId("reader-text").replaceChildren(...bodyOf(finding));
  const cite = make("button", { type: "button", className: "quiet" }, "Copy citation");
  cite.addEventListener("click", () => copy(citation(finding), cite, byId("reader-facts")));
  const link = make("button", { type: "button", className: "quiet" }, "Copy link");
  link.addEventListener("click", () => copy(location.href.split("#")[0] + address(filter, finding), link, byId("reader-facts")));
  byId("reader-facts").replaceChildren(headline(finding), facts(finding), make("p", { className: "row" }, cite, link));
  const place = matching.indexOf(finding);
  byId("before").disabled = place <= 0;
  byId("after").disabled = place < 0 || place === matching.length - 1;
  if (!reader.open) reader.showModal();
  writeAddress();
  byId("shown").scrollIntoView({ block: "center" });
  byId("reader-h").focus({ preventScroll: true });
}
function step(by) {
  const next = matching[matching.indexOf(reading) + by];
  if (next) open(next);
}
byId("before").addEventListener("click", () => step(-1));
byId("after").addEventListener("click", () => step(1));
byId("close").addEventListener("click", () => reader.close());
reader.addEventListener("click", (event) => { if (event.target === reader) reader.close(); });
reader.addEventListener("close", () => {
  if (reader.open) return; // another was opened meanwhile, by steps through the history
  const finding = reading;
  reading = null;
  writeAddress();
  focusOn(byId(`finding${finding.n}`)?.querySelector(".open") ?? byId("evidence"));
});
