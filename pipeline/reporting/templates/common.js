"use strict";
function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}
const SVG = "http" + "://www.w3.org/2000/svg"; // name of a vocabulary, not an address that is asked for
function draw(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}
const percent = (p) => (p > 0.995 ? "> 99 %" : p < 0.005 ? "< 1 %" : `${Math.round(p * 100)} %`);
const plural = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").replace(/[‘’ʼʿʾ`]/g, "'")
  .replace(/[“”]/g, '"').replace(/\s+/g, " ").toLowerCase();

function cell(value) {
  const text = String(value ?? "");
  // A spreadsheet runs a cell that begins like this; an apostrophe makes it text.
  const safe = /^[\s]*[=+\-@＝＋－＠]|^[\t\r\n]/.test(text) ? `'${text}` : text;
  return `"${safe.replace(/"/g, '""')}"`;
}
const asCsv = (lines) => "\ufeff" + lines.map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
async function copy(text, button, panel) {
  try {
    await navigator.clipboard.writeText(text);
  } catch { // no clipboard for this page: leave the text selected for the reader's own copy command
    const area = panel.querySelector("textarea") ?? panel.appendChild(make("textarea", { rows: 4, readOnly: true, ariaLabel: "Text to copy" }));
    area.value = text;
    area.focus();
    area.select();
    return;
  }
  const label = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = label; }, 1500);
}
