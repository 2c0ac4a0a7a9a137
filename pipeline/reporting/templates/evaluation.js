"use strict";
document.documentElement.classList.add("js");
{
  const label = document.getElementById("by-label");
  const kind = document.getElementById("by-kind");
  const words = document.getElementById("by-words");
  const result = document.getElementById("error-count");
  const errors = [...document.querySelectorAll(".error")];
  const texts = new Map(errors.map((error) => [error, error.textContent.toLowerCase()]));
  const shows = (error) => {
    const names = error.dataset.names.split(" ");
    const wanted = label.value;
    return (!wanted || names.includes(wanted) || error.dataset.task === wanted)
      && (!kind.value || error.dataset.kinds.split(" ").includes(kind.value))
      && texts.get(error).includes(words.value.trim().toLowerCase());
  };
  const update = () => {
    let shown = 0;
    for (const error of errors) {
      error.hidden = !shows(error);
      shown += error.hidden ? 0 : 1;
    }
    result.textContent = `${shown} of ${errors.length} errors`;
  };
  for (const control of [label, kind, words]) {
    if (control) control.addEventListener("input", update);
  }
  if (errors.length) update();
}
