"use strict";
(() => {
  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");
  const opener = document.getElementById("open");
  const breaches = [...document.querySelectorAll("details")];
  const rules = [...document.querySelectorAll("tr.rule")].map((row) => {
    const next = row.nextElementSibling;
    const evidence = next && next.matches(".evidence") ? next : null;
    const text = row.textContent + (evidence ? evidence.textContent : "");
    return { row, evidence, text: text.toLowerCase() };
  });

  function filter() {
    const asked = new FormData(form);
    const verdicts = asked.getAll("verdict");
    const levels = asked.getAll("level");
    const area = asked.get("area");
    const words = asked.get("text").toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { row, evidence, text } of rules) {
      const matches =
        (!verdicts.length || verdicts.includes(row.dataset.verdict)) &&
        (!levels.length || levels.includes(row.dataset.level)) &&
        (!area || area === row.dataset.area) &&
        words.every((word) => text.includes(word));
      row.hidden = !matches;
      if (evidence) evidence.hidden = !matches;
      count += matches;
    }
    for (const body of document.querySelectorAll("tbody")) {
      body.hidden = !body.querySelector("tr.rule:not([hidden])");
    }
    shown.textContent = count ? `${count} of ${rules.length} rules` : "No rule matches";
  }

  function showAll() {
    form.reset();
    filter();
  }

  function follow() {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const rule = rules.find((each) => each.row === row);
    if (!rule) return;
    if (row.hidden) showAll();
    const outer = rule.evidence && rule.evidence.querySelector("details");
    if (outer) outer.open = true;
    row.scrollIntoView({ block: "center" });
  }

  function copier(line) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(line.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(line);
      }
    });
    return button;
  }

  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("all").addEventListener("click", showAll);
  addEventListener("hashchange", follow);

  opener.hidden = !breaches.length;
  opener.addEventListener("click", () => {
    const open = breaches.some((each) => !each.open);
    for (const each of breaches) each.open = open;
    opener.textContent = open ? "Close all breaches" : "Open all breaches";
  });
  document.addEventListener("toggle", ({ target }) => {
    const line = target.matches(".breach") && target.querySelector(".repeat pre");
    if (line && !line.nextElementSibling) line.after(copier(line));
  }, true);

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = breaches.filter((each) => !each.open);
    for (const each of closed) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of closed) each.open = false;
  });

  filter();
  follow();
})();
