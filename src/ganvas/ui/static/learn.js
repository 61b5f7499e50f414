// The room Learn: asks the server for updates, draws what came, turns controls. It trains nothing itself.

import { el, number, post, say, trouble } from "./ui.js";
import { drawCurves, drawRamp, drawWorld, reachOf } from "./learn_draw.js";

const at = (id) => document.getElementById(id);
const facts = JSON.parse(at("facts").textContent);
const form = at("controls");
const inputs = [...form.elements].filter((input) => input.name);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
/** Updates a second, and updates of one request; the last is as many as the machine makes. */
const SPEEDS = [[1, 1], [5, 1], [30, 3], [120, 8], [Infinity, 40]];
const CURVES = {
  loss: [[{ name: "loss/d", colour: "d", key: "d" }, { name: "loss/g", colour: "g", key: "g", dashed: true }], {}],
  acc: [[{ name: "acc/real", colour: "real", key: "real" }, { name: "acc/fake", colour: "fake", key: "fake", dashed: true }], { limits: [0, 1] }],
};

let toy = null; // { id, settings, real, picture, rows, marks, ended }
let playing = false;
let waiting = Promise.resolve(); // one request at a time
let known = new Set(); // findings of now, for the log

// -- the page shows the toy --------------------------------------------------------------------------------------------

const draw = () => {
  if (!toy) return;
  if (toy.picture) drawWorld(at("world"), toy.real, toy.picture, facts);
  for (const [name, [lines, options]] of Object.entries(CURVES)) {
    const chart = at(`chart-${name}`);
    drawCurves(chart.querySelector("canvas"), toy.rows, lines, { ...options, marks: toy.marks });
    chart.querySelector(".legend").replaceChildren(...lines.map((line) => {
      const value = toy.rows.at(-1)?.[line.name];
      const text = value == null ? "–" : number(value, 2);
      return el("span", { class: line.dashed ? `${line.key} second` : line.key }, `${say(`ui.learn.line.${line.key}`)} ${text}`);
    }));
  }
  describe();
};

/** Two digits of a number, with a minus sign as print has it. */
const figure = (value) => value.toLocaleString(document.documentElement.lang, { maximumSignificantDigits: 2 }).replace("-", "−");

const describe = () => {
  const seen = toy.picture;
  if (!seen) return;
  const reach = reachOf(seen);
  drawRamp(at("ramp"));
  at("ramp-low").textContent = say("ui.learn.ramp.low", { value: figure(seen.threshold - reach) });
  at("ramp-high").textContent = say("ui.learn.ramp.high", { value: figure(seen.threshold + reach) });
  const longest = Math.max(...seen.arrows.map(([x, y]) => Math.hypot(x, y)));
  const places = toy.settings.data === "ring" || toy.settings.data === "grid" ? "modes" : "places";
  const parts = [
    say(`ui.learn.caption.${places}`, { updates: number(toy.updates), covered: seen.covered, places: seen.places, share: Math.round(100 * seen.share) }),
    seen.outside ? say("ui.learn.caption.outside", { count: seen.outside }) : "",
    say("ui.learn.caption.logits", { real: figure(seen.logits.real), fake: figure(seen.logits.fake), longest: figure(longest) }),
    toy.ended ? say(`ui.learn.ended.${toy.ended}`) : "",
  ];
  at("caption").textContent = parts.filter(Boolean).join(" ");
};

const showFindings = (doctor) => {
  const place = at("findings");
  const names = doctor.findings.map((found) => found.rule);
  for (const found of doctor.findings) if (!known.has(found.rule)) note(say("ui.learn.log.begins", { updates: number(toy.updates), title: found.title }));
  for (const rule of known) if (!names.includes(rule)) note(say("ui.learn.log.ends", { updates: number(toy.updates), title: titles.get(rule) }));
  for (const found of doctor.findings) titles.set(found.rule, found.title);
  known = new Set(names);
  const key = JSON.stringify([doctor.findings.map((found) => [found.rule, found.title]), doctor.enough]);
  if (place.dataset.shown === key && !doctor.findings.length) return;
  const focus = place.contains(document.activeElement) ? document.activeElement.dataset.cure : null;
  place.dataset.shown = key;
  place.replaceChildren(...(doctor.findings.length ? doctor.findings.map(card) : [
    el("p", { class: "healthy" }, say(doctor.enough ? "ui.learn.doctor.well" : "ui.learn.doctor.young", { updates: 3 * facts.measured })),
  ]));
  if (focus) place.querySelector(`[data-cure='${focus}']`)?.focus();
};
const titles = new Map();

const card = (found) => el("article", { class: "finding" },
  el("h3", {}, found.title),
  el("p", {}, found.cause),
  found.condition ? el("p", {}, say("ui.learn.condition", { condition: found.condition })) : null,
  found.evidence.length ? el("ul", {}, found.evidence.map((line) => el("li", {}, line))) : null,
  found.cures.length ? el("div", { class: "try" }, found.cures.map((cure) =>
    el("button", { type: "button", class: "plain", "data-cure": JSON.stringify(cure), onclick: () => turn(cure) }, say("ui.learn.cure", { changes: inWords(cure) })))) : null,
);

/** { g_lr: 0.002 } -> "learning rate of G 0.002" */
const inWords = (values) => Object.entries(values).map(([name, value]) => {
  if (typeof value === "boolean") return say(value ? "ui.learn.on" : "ui.learn.off", { name: say(`ui.learn.control.${name}`) });
  return `${say(`ui.learn.control.${name}`)} ${typeof value === "number" ? plain(value) : chosen(name, value)}`;
}).join(", ");

/** A choice as the page names it. */
const chosen = (name, value) => form.elements[name].querySelector(`option[value="${value}"]`)?.textContent ?? value;

const plain = (value) => (value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(0) : String(+value.toPrecision(3)));

const note = (line) => {
  at("log").hidden = false;
  at("log").querySelector("ol").prepend(el("li", {}, line));
};

// -- the controls ------------------------------------------------------------------------------------------------------

const valuesOf = (input) => JSON.parse(input.dataset.values);

const read = (input) => {
  if (input.type === "checkbox") return input.checked;
  if (input.type === "range") return valuesOf(input)[+input.value];
  return input.type === "number" ? (input.value === "" ? null : +input.value) : input.value;
};

const showControls = (settings) => {
  for (const input of inputs) {
    const value = settings[input.name];
    if (input.type === "checkbox") input.checked = value;
    else if (input.type === "range") {
      const known = valuesOf(input);
      const apart = known.map((v) => Math.abs(Math.log((v || 1e-9) / (value || 1e-9))));
      input.value = apart.indexOf(Math.min(...apart));
      label(input, value);
    } else input.value = value;
  }
};

const label = (input, value) => {
  const text = value === 0 && "r1 gp".includes(input.name) ? say("ui.learn.zero") : plain(value);
  input.closest("label").querySelector("output").textContent = text;
  input.setAttribute("aria-valuetext", text);
};

for (const input of inputs) {
  if (input.type === "range") input.addEventListener("input", () => label(input, read(input)));
  input.addEventListener("change", () => {
    const values = { [input.name]: read(input) };
    // several updates of D for one of G exist only where D goes first
    if (input.name === "d_steps" && values.d_steps > 1 && toy.settings.update !== "alternating") values.update = "alternating";
    if (input.name === "update" && values.update !== "alternating" && toy.settings.d_steps > 1) values.d_steps = 1;
    turn(values);
  });
}
form.addEventListener("submit", (event) => event.preventDefault());

// -- requests ----------------------------------------------------------------------------------------------------------

/** One request after the other; trouble is shown, and play stops. */
const inTurn = (work) => {
  waiting = waiting.then(work).then(() => trouble()).catch((error) => {
    play(false);
    if (toy) showControls(toy.settings);
    trouble(error.message);
    if (error.status === 404) toy = toy && { ...toy, id: null };
  });
  return waiting;
};

const taken = (found) => {
  if (found.real) {
    toy = { id: found.id, settings: found.settings, real: found.real, rows: [], marks: [] };
    known = new Set();
    at("log").hidden = true;
    at("log").querySelector("ol").replaceChildren();
    at("findings").dataset.shown = "";
  }
  toy.updates = found.updates;
  toy.ended = found.ended;
  toy.picture = found.picture ?? toy.picture;
  if (found.settings) toy.settings = found.settings;
  toy.rows.push(...(found.picture?.rows ?? []));
  if (found.doctor) showFindings(found.doctor);
  draw();
  if (toy.ended) play(false);
};

const begin = (settings) => inTurn(async () => {
  taken(await post("/api/learn/begin", { settings, id: toy?.id ?? "" }));
  showControls(toy.settings);
});

const turn = (settings) => {
  unbroken();
  return inTurn(async () => {
    if (!toy.id) return taken(await post("/api/learn/begin", { settings: { ...toy.settings, ...settings } }));
    const found = await post("/api/learn/change", { id: toy.id, settings, rows: toy.rows.length });
    taken(found);
    if (found.at_once && toy.updates) toy.marks.push(toy.updates);
    showControls(toy.settings);
    at("effect").textContent = say(found.at_once ? "ui.learn.at_once" : "ui.learn.from_start", { changes: inWords(settings), updates: number(toy.updates) });
    draw();
  });
};

const train = (steps) => inTurn(async () => {
  if (!toy?.id) taken(await post("/api/learn/begin", { settings: toy?.settings ?? {} }));
  taken(await post("/api/learn/step", { id: toy.id, steps, rows: toy.rows.length }));
});

// -- play --------------------------------------------------------------------------------------------------------------

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const play = async (on) => {
  if (on === playing) return;
  playing = on;
  at("play").setAttribute("aria-pressed", String(on));
  at("play").querySelector("span").textContent = say(on ? "ui.learn.pause" : "ui.learn.play");
  const mine = on ? (play.turn = (play.turn ?? 0) + 1) : 0;
  while (playing && mine === play.turn) {
    const began = performance.now();
    const [rate, most] = SPEEDS[+at("speed").value];
    await train(calm.matches && rate > 5 ? Math.min(4 * most, 100) : most);
    // who asked for less motion sees at most two pictures a second
    const least = calm.matches ? 500 : 16;
    await pause(Math.max(least, (1000 * most) / rate) - (performance.now() - began));
  }
};

const again = () => begin(toy?.settings ?? {});
const unbroken = () => {
  for (const button of document.querySelectorAll("[data-break]")) button.removeAttribute("aria-current");
};

const paceText = () => {
  const text = say(`ui.learn.speed.${at("speed").value}`);
  at("speed").parentElement.querySelector("output").textContent = text;
  at("speed").setAttribute("aria-valuetext", text);
};

at("play").addEventListener("click", () => play(!playing));
at("one").addEventListener("click", () => { play(false); train(1); });
at("again").addEventListener("click", again);
at("speed").addEventListener("input", paceText);
at("defaults").addEventListener("click", () => { unbroken(); begin({}); });
for (const button of document.querySelectorAll("[data-break]")) {
  button.addEventListener("click", async () => {
    unbroken();
    button.setAttribute("aria-current", "true");
    const values = facts.breaks[button.dataset.break];
    await begin({ seed: toy?.settings.seed ?? 0, ...values });
    at("effect").textContent = say("ui.learn.broken", { changes: inWords(values) });
    at("world").scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
    play(true);
  });
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, button, a, summary")) return;
  const act = { " ": () => play(!playing), s: () => at("one").click(), r: again }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
document.addEventListener("visibilitychange", () => { if (document.hidden) play(false); });
document.addEventListener("theme", () => requestAnimationFrame(draw));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => requestAnimationFrame(draw));
new ResizeObserver(() => requestAnimationFrame(draw)).observe(at("world"));

paceText();
showControls(facts.defaults);
begin({});
