(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  document.documentElement.classList.add("js");

  // Rows of data.sentences, in the order the report embeds them.
  const [DOC, ID, START, END, KIND, PATH, HEADING, GIVEN, UNDECIDED, CHANCES, UNREAD] = Array(11).keys();
  const NONE = "-none";
  const OPEN = "-undecided";

  /* Rows of long tables */
  for (const button of all(".expand")) {
    const table = button.previousElementSibling;
    table.classList.add("scripted-rows");
    button.addEventListener("click", () => {
      const folded = table.classList.toggle("scripted-rows");
      button.setAttribute("aria-expanded", String(!folded));
      button.textContent = folded ? `Show all ${all("tbody tr", table).length} rows` : "Show fewer rows";
    });
  }
  /* Printing shows the model, and unfolds what the filter shows */
  let unfolded = [];
  addEventListener("beforeprint", () => {
    unfolded = all(".model:not([open]), .statement:not([hidden]) > details:not([open])");
    for (const folded of unfolded) folded.open = true;
  });
  addEventListener("afterprint", () => { for (const folded of unfolded) folded.open = false; });

  if (!byId("form")) return; // a report without statements has nothing to filter

  const sentences = all(".s").map((node, n) => ({ node, n, row: data.sentences[n], text: null }));
  const statements = all(".statement").map((node, n) => ({
    node, fold: node.firstElementChild, facts: data.statements[n],
    sentences: [], blocks: all(".block", node),
  }));
  for (const s of sentences) statements[s.row[DOC]].sentences.push(s);
  const startsOpen = statements.length > 0 && statements[0].fold.open;
  const textOf = (s) => (s.text ??= fold(s.node.firstElementChild.textContent));

  /* The filter: one plain object, kept in the address, shown in the form */
  const nothing = () => ({ labels: [], speaker: "", from: "", to: "", q: "", p: 0, context: false });
  let filter = nothing();
  let matching = sentences;

  function readAddress() {
    const asked = new URLSearchParams(location.hash.slice(1));
    const p = Number(asked.get("p"));
    const known = new Set(all("input[name=label]").map((box) => box.value));
    const day = (key) => (/^\d{4}-\d\d-\d\d$/.test(asked.get(key)) ? asked.get(key) : "");
    return {
      labels: asked.getAll("label").filter((key) => known.has(key)), speaker: asked.get("speaker") ?? "",
      from: day("from"), to: day("to"), q: asked.get("q") ?? "", p: p > 0 && p < 1 ? p : 0,
      context: asked.get("context") === "1",
    };
  }
  function address(f, sentence) {
    const parts = new URLSearchParams();
    for (const label of f.labels) parts.append("label", label);
    for (const key of ["speaker", "from", "to", "q", "p"]) if (f[key]) parts.set(key, f[key]);
    if (f.context) parts.set("context", "1");
    if (sentence) parts.set("sentence", sentence);
    return `#${parts}`;
  }
  function readForm() {
    return {
      labels: all("input[name=label]:checked").map((box) => box.value), speaker: byId("speaker")?.value ?? "",
      from: byId("from")?.value ?? "", to: byId("to")?.value ?? "", q: byId("q").value.trim(),
      p: Number(byId("p").value), context: byId("context").checked,
    };
  }
  function fillForm(f) {
    for (const box of all("input[name=label]")) box.checked = f.labels.includes(box.value);
    for (const key of ["speaker", "from", "to", "q", "p"]) if (byId(key)) byId(key).value = f[key];
    byId("context").checked = f.context;
  }

  /* Within a task any chosen answer will do; different tasks must all agree. */
  function asTest(f) {
    const chosen = data.tasks.map((task) => f.labels.filter((key) => key.startsWith(`${task.name}.`))
      .map((key) => key.slice(task.name.length + 1)));
    const words = fold(f.q);
    const counts = (row, c) => {
      const [task, label] = data.columns[c];
      const wanted = chosen.some((labels) => labels.length) ? chosen[task].includes(label) : data.tasks[task].main;
      return wanted && (row[CHANCES][c] ?? 0) >= f.p;
    };
    return (s) => {
      const row = s.row;
      const facts = data.statements[row[DOC]];
      if (f.speaker && facts.speaker !== f.speaker) return false;
      if (f.from && !(facts.first && facts.first >= f.from)) return false; // all days of its date lie in the span,
      if (f.to && !(facts.last && facts.last <= f.to)) return false; // so that a count by date selects what it counted
      for (let task = 0; task < chosen.length; task++) {
        if (!chosen[task].length) continue;
        const given = row[GIVEN].filter((c) => data.columns[c][0] === task).map((c) => data.columns[c][1]);
        const answer = row[UNDECIDED].includes(task) ? [OPEN] : given.length ? given : [NONE];
        if (!answer.some((label) => chosen[task].includes(label))) return false;
      }
      if (row[UNREAD] && chosen.some((labels) => labels.length)) return false;
      if (f.p && !row[GIVEN].some((c) => counts(row, c))) return false;
      return !words || textOf(s).includes(words);
    };
  }

  function apply() {
    const fits = asTest(filter);
    const active = filter.labels.length + ["speaker", "from", "to", "q", "p"].filter((k) => filter[k]).length;
    matching = active ? sentences.filter(fits) : sentences;
    const kept = new Set(matching);
    let shown = 0;
    for (const statement of statements) {
      const some = !active || statement.sentences.some((s) => kept.has(s));
      if (some && (active || statement.sentences.length)) shown += 1;
      statement.node.hidden = !some;
      if (!some) continue;
      if (active) statement.fold.open = true;
      for (const s of statement.sentences) {
        const out = active > 0 && !kept.has(s);
        s.node.hidden = out && !filter.context;
        s.node.classList.toggle("around", out && filter.context);
      }
      for (const block of statement.blocks) block.hidden = all(".s", block).every((node) => node.hidden);
    }
    const whole = `${plural(sentences.length, "sentence")} in ${plural(statements.length, "statement")}`;
    byId("result").textContent = active
      ? `${matching.length.toLocaleString("en")} of ${plural(sentences.length, "sentence")}, in ${plural(shown, "statement")}` : whole;
    byId("empty").hidden = !active || matching.length > 0;
    byId("active").hidden = !active;
    byId("active").textContent = String(active);
    byId("p-out").textContent = filter.p ? `at least ${Math.round(filter.p * 100)} %` : "any";
    byId("reset").disabled = !active && !filter.context;
    labelFold();
    highlight();
  }
  function highlight() {
    if (!window.CSS?.highlights) return;
    CSS.highlights.delete("found");
    const words = filter.q.toLowerCase();
    if (!words || matching.length > 2000) return;
    const ranges = [];
    for (const s of matching) {
      const walker = document.createTreeWalker(s.node.firstElementChild, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const text = node.data.toLowerCase();
        if (text.length !== node.data.length) continue;
        for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + words.length)) {
          const range = new Range();
          range.setStart(node, at);
          range.setEnd(node, at + words.length);
          ranges.push(range);
        }
      }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  }
  function change(next, { remember = false } = {}) {
    const was = filter;
    filter = next;
    const target = address(filter);
    const bare = location.pathname + location.search;
    history[remember ? "pushState" : "replaceState"](null, "", target === "#" ? bare : target);
    fillFormUnlessTyping();
    if (address(was) !== "#" && target === "#") for (const s of statements) s.fold.open = startsOpen;
    apply();
  }
  function fillFormUnlessTyping() {
    const shown = readForm();
    if (address(shown) !== address(filter)) fillForm(filter);
  }
  function clear() {
    change(nothing());
    fillForm(filter);
    byId("q").focus({ preventScroll: true });
  }

  let waiting = 0;
  byId("form").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => change(readForm()), 120);
  });
  byId("form").addEventListener("submit", (event) => event.preventDefault());
  for (const id of ["reset", "reset-2"]) byId(id).addEventListener("click", clear);

  /* Counts open their evidence */
  function bring(node) {
    node.scrollIntoView({ block: "start" });
    node.focus({ preventScroll: true });
  }
  for (const button of all("button.count")) {
    button.addEventListener("click", () => {
      const { label, speaker = "", from = "", to = "" } = button.dataset;
      change({ ...nothing(), labels: [label], speaker, from, to }, { remember: true });
      bring(byId("statements"));
    });
  }
  for (const link of all('a[href^="#"]')) {
    link.addEventListener("click", (event) => { // the address holds the filter, so anchors leave it alone
      const target = byId(link.hash.slice(1));
      if (!target) return;
      event.preventDefault();
      target.tabIndex = -1;
      bring(target);
    });
  }

  /* Folding */
  const visible = () => statements.filter((s) => !s.node.hidden);
  function labelFold() {
    byId("fold").textContent = visible().some((s) => s.fold.open) ? "Fold all" : "Unfold all";
  }
  byId("fold").addEventListener("click", () => {
    const open = !visible().some((s) => s.fold.open);
    for (const s of visible()) s.fold.open = open;
    labelFold();
  });
  for (const s of statements) s.fold.addEventListener("toggle", labelFold);
  const wide = matchMedia("(min-width: 62rem)");
  const fit = () => { byId("filters").open = wide.matches; };
  wide.addEventListener("change", fit);
  fit();

  /* Details of one sentence */
  const quoteOf = (s) => s.node.firstElementChild.textContent.replace(/\s+/g, " ").trim();
  function answers(s, short) {
    if (s.row[UNREAD]) return "not readable";
    return data.tasks.map((task, t) => {
      const given = s.row[GIVEN].filter((c) => data.columns[c][0] === t).map((c) => {
        const p = s.row[CHANCES][c];
        return p === null || short ? data.columns[c][2] : `${data.columns[c][2]} (${percent(p)})`;
      });
      return `${task.title}: ${s.row[UNDECIDED].includes(t) ? "undecided" : given.join(", ") || "no label"}`;
    }).join("; ");
  }
  function citation(s) {
    const facts = data.statements[s.row[DOC]];
    const place = [facts.heading, facts.date, facts.source !== facts.heading && facts.source, facts.location,
      s.row[END] > s.row[START] && `characters ${s.row[START]}–${s.row[END]}`].filter(Boolean).join(", ");
    return `“${quoteOf(s)}” ${facts.speaker}, ${place}. Predicted labels: ${answers(s)}. ` +
      `Model ${data.model}, codebook ${data.codebook}, sentence ${s.row[ID]}.`;
  }
  function bar(p) {
    const rail = draw("rect", { class: "rail", width: 100, height: 4 });
    const rect = draw("rect", { width: (100 * p).toFixed(2), height: 4 });
    return draw("svg", { class: "bar", viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" }, rail, rect);
  }
  function panelOf(s) {
    const row = s.row;
    const panel = make("div", { className: "panel", id: `panel${s.n}`, role: "group" });
    panel.setAttribute("aria-label", `Details of sentence ${s.n + 1}`);
    if (row[UNREAD]) panel.append(make("p", { className: "of" }, "Not readable"), make("p", { className: "small" }, "The row held no readable text: no label was sought."));
    else data.tasks.forEach((task, t) => {
      const undecided = row[UNDECIDED].includes(t);
      panel.append(make("p", { className: "of" }, undecided ? `${task.title}: undecided` : task.title));
      if (undecided) panel.append(make("p", { className: "small" }, "Too close to the threshold: no decision was made."));
      const list = make("ul");
      data.columns.forEach(([of, , title], c) => {
        if (of !== t) return;
        const p = row[CHANCES][c];
        const given = row[GIVEN].includes(c);
        list.append(make("li", { className: `l${c}${given ? " given" : ""}` },
          make("span", {}, make("span", { className: "swatch" }), given ? `${title} ✓` : title, make("span", { className: "sr" }, given ? " (given)" : "")),
          p === null ? "" : bar(p), make("span", { className: "percent" }, p === null ? "–" : percent(p))));
      });
      panel.append(list);
    });
    const facts = make("dl");
    for (const [term, text] of [["Speaker", data.statements[row[DOC]].speaker], ["Holder", data.attributed ? "not yet identified; counted under the speaker" : ""], ["Block", row[KIND] + (row[PATH] ? `, ${row[PATH]}` : "")],
      ["Under", row[HEADING]], ["Characters", row[END] > row[START] ? `${row[START]}–${row[END]} of the cleaned text` : ""], ["Sentence", row[ID]]]) {
      if (text) facts.append(make("dt", {}, term), make("dd", {}, text));
    }
    const cite = make("button", { type: "button", className: "quiet" }, "Copy citation");
    cite.addEventListener("click", () => copy(citation(s), cite, panel));
    const link = make("button", { type: "button", className: "quiet" }, "Copy link");
    link.addEventListener("click", () => copy(location.href.split("#")[0] + address(filter, row[ID]), link, panel));
    const close = make("button", { type: "button", className: "quiet" }, "Close");
    close.addEventListener("click", () => toggle(s, true));
    panel.append(facts, make("p", { className: "row" }, cite, link, close));
    panel.addEventListener("keydown", (event) => { if (event.key === "Escape") toggle(s, true); });
    return panel;
  }
  function toggle(s, focus = false) {
    const button = s.node.querySelector(".tags");
    const open = byId(`panel${s.n}`);
    if (open) open.remove();
    else s.node.append(panelOf(s));
    button.setAttribute("aria-expanded", String(!open));
    if (open) button.removeAttribute("aria-controls");
    else button.setAttribute("aria-controls", `panel${s.n}`);
    if (focus) button.focus();
  }
  document.querySelector(".list").addEventListener("click", (event) => {
    const node = event.target.closest(".s");
    if (!node || event.target.closest(".panel")) return;
    const selecting = !event.target.closest(".tags") && String(getSelection()).trim();
    if (!selecting) toggle(sentences[Number(node.dataset.n)]);
  });

  /* The current selection as a table */
  function table() {
    const head = ["speaker", "date", "statement", "source", "location", "sentence_id", "start", "end", "text",
      ...data.tasks.map((t) => t.name), ...data.columns.map(([t, label]) => `p.${data.tasks[t].name}.${label}`), "model"];
    const lines = matching.map((s) => {
      const facts = data.statements[s.row[DOC]];
      const given = data.tasks.map((_, t) => (s.row[UNREAD] ? "not readable" : s.row[UNDECIDED].includes(t) ? "undecided"
        : s.row[GIVEN].filter((c) => data.columns[c][0] === t).map((c) => data.columns[c][1]).join("|")));
      return [facts.speaker, facts.date, facts.heading, facts.source, facts.location, s.row[ID], s.row[START], s.row[END],
        quoteOf(s), ...given, ...s.row[CHANCES], data.model];
    });
    return asCsv([head, ...lines]);
  }
  byId("csv").addEventListener("click", () => {
    save("sentences.csv", "text/csv;charset=utf-8", table());
  });

  function restore() {
    filter = readAddress();
    fillForm(filter);
    apply();
    const asked = new URLSearchParams(location.hash.slice(1)).get("sentence");
    const s = asked && sentences.find((candidate) => candidate.row[ID] === asked);
    if (s) {
      statements[s.row[DOC]].fold.open = true;
      if (!byId(`panel${s.n}`)) toggle(s);
      s.node.scrollIntoView({ block: "center" });
    }
  }
  addEventListener("popstate", restore);
  restore();
})();
