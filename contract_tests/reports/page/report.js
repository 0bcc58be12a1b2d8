"use strict";
const form = document.querySelector("form");
const rules = [...document.querySelectorAll(".rule")];
const shown = document.getElementById("shown");

function matches(rule) {
  const asked = new FormData(form);
  return ["verdict", "level", "area"].every((name) => !asked.get(name) || rule.dataset[name] === asked.get(name))
    && rule.textContent.toLowerCase().includes(asked.get("text").toLowerCase());
}

function filter() {
  for (const rule of rules) rule.hidden = !matches(rule);
  for (const area of document.querySelectorAll("section.area")) {
    area.hidden = ![...area.querySelectorAll(".rule")].some((rule) => !rule.hidden);
  }
  shown.textContent = `${rules.filter((rule) => !rule.hidden).length} of ${rules.length} rules`;
}

function reveal() {
  const rule = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!rule) return;
  form.reset();
  filter();
  rule.querySelector("details")?.setAttribute("open", "");
  rule.scrollIntoView();
}

form.hidden = false;
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(filter));
addEventListener("hashchange", reveal);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
filter();
reveal();
