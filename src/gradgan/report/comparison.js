// The comparison's one moving part: pointing at a method dims the others in every chart.
"use strict";
const marks = [...document.querySelectorAll('.plot [class^="method-"]')];
const rows = [...document.querySelectorAll("tr[data-method]")];

function pick(method) {
  for (const mark of marks) mark.classList.toggle("dim", method !== null && !mark.classList.contains("method-" + method));
  for (const row of rows) row.classList.toggle("picked", row.dataset.method === method);
}

for (const item of document.querySelectorAll("[data-method]")) {
  item.addEventListener("pointerenter", () => pick(item.dataset.method));
  item.addEventListener("pointerleave", () => pick(null));
  item.addEventListener("focus", () => pick(item.dataset.method));
  item.addEventListener("blur", () => pick(null));
}
