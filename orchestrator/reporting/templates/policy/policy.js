"use strict";
// Filters what is on the page; without it everything is listed.
for (const box of document.querySelectorAll("[data-filter]")) {
  const section = box.closest("section");
  const rows = [...section.querySelectorAll(box.dataset.filter === "pairs" ? "table.pairs tbody tr" : "li.finding")];
  const status = box.querySelector("[role=status]");
  const ask = (name) => box.querySelector("[data-" + name + "]");
  const texts = new Map(), letters = new Map();
  const once = (kept, row, read) => {
    if (!kept.has(row)) kept.set(row, read(row));
    return kept.get(row);
  };
  const textOf = (row) => row.textContent.toLowerCase();
  const lettersOf = (row) => row.querySelector(".letters code").textContent.replace(/ /g, "");
  const words = ask("state") && Object.fromEntries([...ask("state").options].map((each) => [each.value, each.text]));

  const pair = (row) => {
    const rule = ask("rule").value, state = ask("state").value, all = once(letters, row, lettersOf);
    const letter = rule === "" ? "" : all[Number(rule)];
    let under = row.querySelector(".under");
    if (under) under.remove();
    if (state !== "" && (rule === "" ? !all.includes(state) : letter !== state)) return false;
    if (rule !== "") {
      under = document.createElement("span");
      under.className = "under";
      under.textContent = "Rule " + (Number(rule) + 1) + ": " + words[letter];
      row.cells[0].append(under);
    }
    return true;
  };
  const finding = (row) =>
    (ask("severity").value === "" || row.dataset.severity === ask("severity").value) &&
    (!ask("blocking").checked || row.dataset.blocking !== "0");

  const filter = () => {
    const wanted = ask("text").value.trim().toLowerCase().split(/\s+/);
    let shown = 0;
    for (const row of rows) {
      const text = once(texts, row, textOf);
      const here = wanted.every((word) => text.includes(word)) && (ask("state") ? pair(row) : finding(row));
      row.hidden = !here;
      shown += here ? 1 : 0;
    }
    status.textContent = shown + " of " + rows.length + (ask("state") ? " subjects" : " rules") + " shown";
  };
  box.addEventListener("input", filter);
  box.hidden = false;
  filter();
}
