"use strict";
(() => {
  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");
  const rules = [...document.querySelectorAll(".rule")].map((card) => (
    { card, text: card.textContent.toLowerCase() }
  ));

  function filter() {
    const asked = new FormData(form);
    const levels = asked.getAll("level");
    const words = asked.get("text").toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { card, text } of rules) {
      const matches =
        (!levels.length || levels.includes(card.dataset.level)) &&
        words.every((word) => text.includes(word));
      card.hidden = !matches;
      count += matches;
    }
    for (const area of document.querySelectorAll(".area")) {
      area.hidden = !area.querySelector(".rule:not([hidden])");
    }
    if (!count) shown.textContent = "No rule matches";
    else shown.textContent = count < rules.length ? `${count} of ${rules.length} rules` : `${count} rules`;
  }

  function follow() {
    const card = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!card || !card.matches(".rule")) return;
    if (card.hidden) {
      form.reset();
      filter();
    }
    card.querySelector("details").open = true;
    card.scrollIntoView({ block: "center" });
  }

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", follow);
  // A browser that goes back keeps what was typed.
  filter();
  follow();
})();
