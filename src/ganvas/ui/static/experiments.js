// Experiments: a table of cells x seeds each, asked for again every few seconds.
import { el, get, say, trouble } from "./ui.js";

const place = document.getElementById("experiments");
const none = document.getElementById("none");

const cell = (trial) => {
  if (!trial) return el("td");
  const share = trial.share && trial.share < 1 ? ` ${Math.floor(100 * trial.share)} %` : "";
  const bar = el("i");
  bar.style.width = `${100 * (trial.state === "done" ? 1 : trial.share)}%`;
  const text = el("span", { class: "is" }, say(`ui.experiments.state.${trial.state}`) + share);
  return el("td", { class: trial.state, title: trial.line || null },
    trial.at ? el("a", { href: trial.at }, text) : text, el("span", { class: "bar" }, bar),
    trial.line ? el("small", {}, trial.line) : null);
};

const table = (one) => {
  const seeds = [...Array(one.seeds).keys()];
  const of = new Map(one.trials.map((trial) => [`${trial.seed} ${trial.cell}`, trial]));
  return el("div", { class: "scroll" }, el("table", {},
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, say("ui.experiments.cell")),
      ...seeds.map((n) => el("th", { scope: "col" }, say("ui.experiments.seed", { n }))))),
    el("tbody", {}, ...one.cells.map((name) =>
      el("tr", {}, el("th", { scope: "row" }, name), ...seeds.map((n) => cell(of.get(`${n} ${name}`))))))));
};

const section = (one) => {
  if (one.error) return el("section", {}, el("h2", {}, one.title), el("p", { class: "state open" }, one.error));
  const facts = [
    one.running && say("ui.experiments.running"), say("ui.experiments.count", one),
    one.minutes && say("ui.experiments.budget", { n: one.minutes }), one.left && say("ui.experiments.left", one),
  ].filter(Boolean);
  return el("section", {},
    el("div", { class: "head" }, el("div", {}, el("h2", {}, one.title), el("p", { class: one.running ? "note running" : "note" }, facts.join(" · "))),
      one.compare ? el("a", { class: "button", href: one.compare }, say("ui.experiments.compare")) : null),
    table(one));
};

let last = "";
const draw = (found) => {
  const now = JSON.stringify(found);
  if (now === last) return;
  last = now;
  none.hidden = found.length > 0;
  place.replaceChildren(...found.map(section));
};

const keep = async () => {
  try {
    if (!document.hidden) draw((await get("/api/experiments")).experiments);
    trouble();
  } catch (error) {
    trouble(error.message);
  }
  setTimeout(keep, 5000);
};

draw(JSON.parse(document.getElementById("found").textContent));
setTimeout(keep, 5000);
