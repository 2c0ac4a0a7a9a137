/* The current selection as a table and as citations */
const HEAD = [
  "speaker", "date", "genre", "title", "source", "location", "doc_id", "sentence_id", "start", "end", "text", "task", "label", "probability",
  "holder", "holder_words", "p_holder", "target", "target_words", "p_target", "model", "attribution_model",
];
function lineOf(finding) {
  const { statement, holder, target, column } = finding;
  const sentence = sentenceOf(finding);
  const party = (one) => (one ? [one.names.join("|"), one.words, one.p] : ["", "", ""]);
  const [task, ...label] = column.key.split(".");
  return [statement.speaker, statement.date, statement.genre, statement.heading, statement.source, statement.location, statement.id, sentence.id,
    sentence.start, sentence.end, quote(sentence.text), task, label.join("."), finding.p, ...party(holder), ...party(target), data.model, data.attribution];
}
/* Marks that turn the direction of what follows would turn the rest of a citation too */
const plain = (text) => quote(text.replace(/[\u202a-\u202e\u2066-\u2069]/g, ""));
function citation(finding) {
  const { statement, holder, target, column } = finding;
  const { source, heading, location } = statement;
  const sentence = sentenceOf(finding);
  const place = [statement.speaker, statement.date, heading && `“${quote(heading)}”`, source !== heading && source, location].filter(Boolean).join(", ");
  const told = `${column.title} by ${join(holder.names)}${target ? ` toward ${join(target.names)}` : ""}`;
  return plain(`${place}: “${quote(sentence.text)}” [${told}; predicted, probability ${percent(finding.p)}; sentence ${sentence.id}]`);
}
function citations() {
  const chips = chipsOf(filter).map(([text]) => text).join("; ");
  return [
    plain(data.title),
    plain(`${byId("result").textContent}${chips ? `. Selection: ${chips}` : ""}.`),
    plain(`Labels by ${data.model}, holders and targets by ${data.attribution}, codebook ${data.codebook}. All are predictions; read each sentence before quoting it.`),
    "", ...matching.map((finding, n) => `${n + 1}. ${citation(finding)}`), "",
  ].join("\r\n");
}
byId("csv").addEventListener("click", () => save("findings.csv", "text/csv;charset=utf-8", asCsv([HEAD, ...matching.map(lineOf)])));
byId("cite").addEventListener("click", () => save("citations.txt", "text/plain;charset=utf-8", citations()));
byId("link").addEventListener("click", () => copy(location.href.split("#")[0] + address(filter), byId("link"), document.querySelector(".bar-top")));
