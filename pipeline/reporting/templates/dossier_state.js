/* What was found, and which of it is selected */
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
document.documentElement.classList.add("js");
const NO_TARGET = "-none"; // stands for no target in filters

const columns = data.columns.map(([task, key, title], n) => ({ n, task, key, title, css: `l${n}` }));
const columnOf = new Map(columns.map((column) => [column.key, column]));
/* The day, month or year that a date names; nothing for a date of another form */
function countedAs(firstDay, lastDay) {
  return firstDay.slice(0, [10, 7, 4].find((width) => firstDay.slice(0, width) === lastDay.slice(0, width)));
}
let first = 0;
const statements = data.statements.map(([count, heading, speaker, date, firstDay, lastDay, genre, source, location, id], n) => {
  const statement = { n, first, count, heading, speaker, date, firstDay, lastDay, genre, source, location, id, counted: countedAs(firstDay, lastDay) };
  first += count;
  return statement;
});
function party(row) {
  if (!row) return null;
  const [actors, words, p, places] = row;
  const names = actors.map((actor) => data.actors[actor]);
  return { names, words: words ?? names[0], p, places };
}
let at = 0;
const findings = data.findings.map(([sentence, column, p, holder, target], n) => {
  while (sentence >= statements[at].first + statements[at].count) at += 1;
  return { n, sentence, statement: statements[at], column: columns[column], p, holder: party(holder), target: party(target) };
});

/* Texts are read when they are first needed: they are most of the file */
let texts = null;
function textOf(statement) {
  texts ??= JSON.parse(byId("texts").textContent);
  return texts[statement.n];
}
const sentencesOf = new Map();
function sentenceOf(finding) {
  const statement = finding.statement;
  if (!sentencesOf.has(statement)) {
    sentencesOf.set(statement, textOf(statement).flatMap(([, , , rows]) => rows)
      .map(([text, id, start, end, given]) => ({ text, id, start, end, given })));
  }
  return sentencesOf.get(statement)[finding.sentence - statement.first];
}
const quote = (text) => text.replace(/\s+/g, " ").trim();
const join = (names) => names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
const folded = new Map();
function searchable(finding) {
  if (!folded.has(finding)) {
    const names = [finding.holder, finding.target].flatMap((one) => (one ? [...one.names, one.words] : []));
    folded.set(finding, fold([sentenceOf(finding).text, ...names].join("\n")));
  }
  return folded.get(finding);
}

/* The filter: one plain object, kept in the address, shown in the form */
const NOTHING = Object.freeze({ labels: [], holder: "", target: "", speaker: "", genre: "", from: "", to: "", q: "", p: 0 });
const FIELDS = ["holder", "target", "speaker", "genre", "from", "to", "q", "p"];
let filter = NOTHING;

function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const text = (key) => asked.get(key) ?? "";
  const day = (key) => (/^\d{4}-\d\d-\d\d$/.test(text(key)) && !Number.isNaN(Date.parse(text(key))) ? text(key) : "");
  const p = Number(text("p"));
  return {
    labels: asked.getAll("label").filter((key) => columnOf.has(key)), holder: text("holder"), target: text("target"),
    speaker: text("speaker"), genre: text("genre"), from: day("from"), to: day("to"), q: text("q"), p: p > 0 && p < 1 ? p : 0,
  };
}
function address(f, finding = null) {
  const parts = new URLSearchParams();
  for (const label of f.labels) parts.append("label", label);
  for (const key of FIELDS) if (f[key]) parts.set(key, f[key]);
  if (finding) parts.set("finding", linkTo(finding));
  return `#${parts}`;
}
const nameOf = (finding) => [sentenceOf(finding).id, finding.column.key, finding.holder.words].join(" ");
/* Sentences that were given may share an id; the second of a name is told apart by its number */
const named = (name) => findings.filter((one) => nameOf(one) === name);
function linkTo(finding) {
  const name = nameOf(finding);
  const turn = named(name).indexOf(finding) + 1;
  return turn > 1 ? `${name} (${turn})` : name;
}
function findingAt(link) {
  const [, name, turn] = /^(.*?)(?: \((\d+)\))?$/s.exec(link);
  return named(link)[0] ?? named(name)[Number(turn) - 1];
}
const isActive = (f) => address(f) !== "#";

/* All days that a date may mean lie in the span, so that a count over time selects what it counted */
const isWithin = ({ firstDay, lastDay }, { from, to }) => (!from && !to) || (firstDay !== "" && firstDay >= from && (!to || lastDay <= to));
const mayBeWithin = ({ firstDay, lastDay }, { from, to }) => firstDay !== "" && lastDay >= from && (!to || firstDay <= to);
/* Return a test of findings; `except` names fields that it leaves out */
function asTest(f, except = []) {
  const g = { ...f };
  for (const key of except) g[key] = NOTHING[key];
  const labels = new Set(g.labels);
  const words = fold(g.q).trim();
  return (finding) => {
    const { statement, holder, target, column } = finding;
    return (!labels.size || labels.has(column.key))
      && (!g.holder || holder.names.includes(g.holder))
      && (!g.target || (target ? target.names.includes(g.target) : g.target === NO_TARGET))
      && (!g.speaker || statement.speaker === g.speaker)
      && (!g.genre || statement.genre === g.genre)
      && isWithin(statement, g)
      && finding.p >= g.p
      && (!words || searchable(finding).includes(words));
  };
}
const selected = (except = []) => findings.filter(asTest(filter, except));
const nameOfTarget = (name) => (name === NO_TARGET ? "no target named" : name);
