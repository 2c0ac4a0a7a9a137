"use strict";
const form = document.getElementById("try");
const answer = document.getElementById("answer");
form.addEventListener("click", async () => {
  answer.hidden = false;
  answer.textContent = "…";
  try {
    const got = await fetch(form.dataset.path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: document.getElementById("body").value,
    });
    const text = JSON.stringify(await got.json(), null, 2);
    answer.textContent = `${got.status} ${got.statusText}\n\n${text}`;
  } catch (error) {
    answer.textContent = String(error);
  }
});
