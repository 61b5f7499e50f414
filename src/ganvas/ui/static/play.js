// The Playground: images of a generator by seed, class, truncation and direction; walks; neighbours; D's logits.

import { el, get, number, post, say, svg, trouble } from "./ui.js";

const $ = (id) => document.getElementById(id);
const SHOWN = 8; // directions that have a slider
const state = { model: "", about: null, chosen: 0, columns: 4, labels: null, moves: new Map(), tiles: null, d: {} };
const figure = (value) => (value == null ? "–" : value.toFixed(2).replace("-", "−"));
const by = () => document.querySelector("input[name=by]:checked").value;

/** What the images of the page are made of, as a query. */
const query = (more = {}) => {
  const moves = [...state.moves].filter(([, amount]) => amount).map(([key, amount]) => `${key}.${amount}`);
  const values = { model: state.model, at: state.about.token, seed: $("seed").value, class: $("class").value };
  Object.assign(values, { psi: $("psi").value, weights: $("weights").value || "ema", moves: moves.join(",") }, more);
  return new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value != null)).toString();
};

/** The query of the chosen image alone, of its own class. */
const one = (more = {}) => {
  const label = state.labels ? state.labels[state.chosen] : "";
  return query({ start: state.chosen, n: 1, columns: 1, class: label, ...more });
};

/** Of many calls while one runs, only the last one follows. */
const latest = (work) => {
  let running = false;
  let waiting = false;
  return async function run() {
    waiting = running;
    if (running) return;
    running = true;
    try {
      await work();
      trouble();
    } catch (error) {
      if (error.status === 409) await open(state.model);
      else trouble(error.message);
    }
    running = false;
    if (waiting) run();
  };
};

const loaded = (address) =>
  new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error("PNG"));
    image.src = address;
  });

/** Canvases with the pictures of a sheet, given or new ones. */
const cut = async (sheet, canvases = []) => {
  const image = await loaded(sheet.png);
  const [, height, width] = state.about.shape;
  return Array.from({ length: sheet.n }, (_, i) => {
    const canvas = canvases[i] ?? el("canvas");
    canvas.width = width;
    canvas.height = height;
    const left = (i % sheet.columns) * width;
    const top = Math.floor(i / sheet.columns) * height;
    canvas.getContext("2d").drawImage(image, left, top, width, height, 0, 0, width, height);
    return canvas;
  });
};

const copy = (from, to) => {
  to.width = from.width;
  to.height = from.height;
  to.getContext("2d").drawImage(from, 0, 0);
};

// -- models --------------------------------------------------------------------------------------------------------

const list = async () => {
  const found = await get("/api/play/models");
  const option = (name) => el("option", { value: name }, name);
  const first = $("playground").dataset.model;
  if (first && ![...found.runs, ...found.shipped].includes(first)) found.runs.unshift(first);
  for (const [key, names] of [["ui.play.runs", found.runs], ["ui.play.shipped", found.shipped]]) {
    if (names.length) $("model").append(el("optgroup", { label: say(key) }, ...names.map(option)));
  }
  $("model").value = first || found.runs[0] || found.shipped[0] || "";
  if ($("model").value) await open($("model").value, new URLSearchParams(location.search));
};

const open = async (name, from = new URLSearchParams()) => {
  state.model = name;
  $("room").hidden = true;
  $("facts").textContent = name ? say("ui.play.loading") : "";
  $("live").hidden = true;
  trouble();
  if (!name) return;
  try {
    state.about = await get(`/api/play/about?${new URLSearchParams({ model: name })}`);
  } catch (error) {
    $("facts").textContent = "";
    trouble(error.message);
    return;
  }
  const about = state.about;
  const [, height, width] = about.shape;
  $("facts").textContent = say("ui.play.facts", {
    size: `${width} × ${height}`, data: about.data, nimg: number(about.nimg), latent: about.latent,
  });
  $("live").hidden = !about.live;
  for (const id of ["class", "to-class"]) {
    const kept = $(id).value;
    $(id).replaceChildren($(id).options[0], ...about.classes.map((word, i) => el("option", { value: i }, word)));
    $(id).value = kept < about.classes.length ? kept : "";
  }
  $("classes").hidden = $("to-classes").hidden = !about.classes.length;
  const weights = [["ema", about.nimg], ...(about.raw == null ? [] : [["raw", about.raw]])];
  $("weights").replaceChildren(
    ...weights.map(([key, nimg]) => el("option", { value: key }, say(`ui.play.weights.${key}`, { nimg: number(nimg) }))),
  );
  $("weighing").hidden = about.raw == null;
  if (from.get("seed")) $("seed").value = from.get("seed");
  if (from.get("class")) $("class").value = from.get("class");
  state.moves.clear();
  state.tiles = null;
  state.chosen = 0;
  settle();
  $("room").hidden = false;
  $("neighbours").replaceChildren();
  stop();
  court();
  await Promise.all([draw(), found()]);
};

const settle = () => {
  $("psi-said").textContent = say("ui.play.psi", { psi: Number($("psi").value).toFixed(2) });
  const kept = new URLSearchParams({ model: state.model, seed: $("seed").value });
  if ($("class").value) kept.set("class", $("class").value);
  history.replaceState(history.state, "", `?${kept}`);
};

// -- images --------------------------------------------------------------------------------------------------------

const draw = latest(async () => {
  const all = state.about.classes.length > 1 && !$("class").value;
  const rows = all ? Math.min(state.about.classes.length, 12) : 4;
  const columns = all ? 4 : 6;
  $("grid").classList.add("busy");
  try {
    const sheet = await get(`/api/play/grid?${query({ n: rows * columns, columns })}`);
    if (!state.tiles || state.columns !== columns || state.tiles.length !== sheet.n || state.all !== all) {
      state.tiles = await cut(sheet);
      Object.assign(state, { columns, all, chosen: Math.min(state.chosen, sheet.n - 1) });
      lay();
    } else {
      await cut(sheet, state.tiles);
    }
    state.labels = sheet.labels;
    name();
    await choose(state.chosen);
  } finally {
    $("grid").classList.remove("busy");
  }
});

const lay = () => {
  const grid = $("grid");
  grid.style.setProperty("--columns", state.columns);
  grid.classList.toggle("named", state.all);
  const buttons = state.tiles.map((canvas, i) =>
    el("button", { type: "button", onclick: () => choose(i), onkeydown: (event) => step(event, i) }, canvas),
  );
  grid.replaceChildren(
    ...buttons.flatMap((button, i) => {
      const row = Math.floor(i / state.columns);
      return state.all && i % state.columns === 0
        ? [el("span", { class: "name", "aria-hidden": "true" }, state.about.classes[row]), button]
        : [button];
    }),
  );
};

const name = () => {
  $("grid").querySelectorAll("button").forEach((button, i) => {
    const word = state.labels ? state.about.classes[state.labels[i]] : "";
    button.setAttribute("aria-label", say(word ? "ui.play.tile.of" : "ui.play.tile", { n: i, name: word }));
  });
};

const step = (event, i) => {
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -state.columns, ArrowDown: state.columns }[event.key];
  if (by === undefined || i + by < 0 || i + by >= state.tiles.length) return;
  event.preventDefault();
  choose(i + by);
  $("grid").querySelectorAll("button")[i + by].focus();
};

const choose = async (i) => {
  if (i !== state.chosen) $("neighbours").replaceChildren();
  state.chosen = i;
  $("grid").querySelectorAll("button").forEach((button, k) => {
    button.setAttribute("aria-pressed", k === i);
    button.tabIndex = k === i ? 0 : -1;
  });
  copy(state.tiles[i], $("chosen"));
  described();
  if (state.about.d) await rate();
};

const described = (logit = undefined) => {
  const word = state.labels ? state.about.classes[state.labels[state.chosen]] : "";
  const facts = [say("ui.play.chosen.facts", { seed: $("seed").value, n: state.chosen }), word];
  if (logit !== undefined) facts.push(say("ui.play.logit", { value: figure(logit) }));
  const text = facts.filter(Boolean).join(" · ");
  $("chosen-facts").textContent = text;
  $("chosen").setAttribute("aria-label", text);
};

const rate = latest(async () => {
  const { logit } = await get(`/api/play/logit?${one()}`);
  state.d.chosen = logit;
  described(logit);
  scale();
});

// -- directions ----------------------------------------------------------------------------------------------------

const found = latest(async () => {
  const method = by();
  const shown = await get(`/api/play/directions?${query({ by: method, moves: "" })}`);
  $("method").textContent = say(`ui.play.directions.${method}`, {
    values: number(shown.values), latents: number(shown.latents),
  });
  $("sliders").replaceChildren(
    ...shown.shares.slice(0, SHOWN).map((share, i) => {
      const key = `${method}.${i}`;
      const output = el("output", {}, figure(state.moves.get(key) ?? 0));
      const input = el("input", { type: "range", min: -4, max: 4, step: 0.1, value: state.moves.get(key) ?? 0 });
      input.id = `move-${method}-${i}`;
      input.addEventListener("input", () => {
        state.moves.set(key, Number(input.value));
        output.textContent = figure(Number(input.value));
        moved();
      });
      const text = el("label", { for: input.id }, say("ui.play.direction", { n: i + 1 }));
      text.append(el("small", {}, `${(100 * share).toFixed(1)} %`));
      return el("div", { class: "slider" }, text, input, output);
    }),
  );
});

const moved = () => {
  $("neighbours").replaceChildren();
  stop();
  draw();
};

// -- neighbours ----------------------------------------------------------------------------------------------------

const near = latest(async () => {
  $("neighbours").replaceChildren(el("p", { class: "note" }, say("ui.play.near.reading")));
  let shown;
  try {
    shown = await get(`/api/play/near?${one()}`);
  } catch (error) {
    $("neighbours").replaceChildren(el("p", { class: "state" }, error.message));
    if (error.status === 409) throw error;
    return;
  }
  const parts = [];
  for (const key of ["pixels", "features"]) {
    const sheet = shown[key];
    if (!sheet) {
      if (shown.classified) parts.push(el("p", { class: "note" }, say("ui.play.near.no_features")));
      continue;
    }
    const pictures = await cut(sheet);
    const figures = pictures.map((canvas, i) =>
      el("figure", {}, canvas, el("figcaption", {}, figure(sheet.distance[i]), el("br"), sheet.classes[i] ?? "")),
    );
    const blanks = { n: number(shown.n), data: shown.data };
    parts.push(el("div", { class: "near" }, ...figures), el("p", { class: "note" }, say(`ui.play.near.${key}`, blanks)));
  }
  $("neighbours").replaceChildren(...parts);
});

// -- walk ----------------------------------------------------------------------------------------------------------

let film = null;

const stop = () => {
  clearInterval(film);
  film = null;
  $("go").textContent = say("ui.play.walk.go");
};

const walk = latest(async () => {
  const asked = one({ to_seed: $("to-seed").value, to_class: $("to-class").value });
  const sheet = await get(`/api/play/walk?${asked}`);
  const frames = await cut(sheet);
  const whole = [...frames, ...frames.slice(1, -1).reverse()];
  $("film-facts").textContent = say("ui.play.walk.frames", { n: whole.length, ms: sheet.ms });
  for (const kind of ["webp", "gif"]) $(kind).href = `/api/play/walk.${kind}?${asked}`;
  $("walking").hidden = false;
  let at = 0;
  stop();
  $("go").textContent = say("ui.play.walk.stop");
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  film = setInterval(() => copy(whole[at++ % whole.length], $("film")), still ? 8 * sheet.ms : sheet.ms);
});

// -- the discriminator ---------------------------------------------------------------------------------------------

const court = () => {
  const { d, why, context, shape } = state.about;
  $("court").hidden = !d;
  $("why").hidden = !!d;
  $("why").textContent = why;
  state.d = {};
  $("seen").hidden = true;
  $("logits").replaceChildren();
  $("scale").replaceChildren();
  if (!d) return;
  $("pen").parentElement.hidden = shape[0] === 1;
  const lines = [say("ui.play.d.nimg", { nimg: number(d.nimg) })];
  lines.push(
    context.threshold == null ? say("ui.play.d.compares") : say("ui.play.d.above", { threshold: context.threshold }),
  );
  if (context.real != null && context.fake != null) {
    const blanks = { n: context.n ?? "–", real: figure(context.real), fake: figure(context.fake) };
    lines.push(say("ui.play.d.context", blanks));
  }
  if (d.company) lines.push(say("ui.play.d.company", { n: d.company }));
  $("reading").textContent = lines.join(" ");
  clear();
};

/** The logits on one line: of training images, of samples, of the chosen image and of the picture given. */
const scale = () => {
  const { context } = state.about;
  const marks = [
    ["real", context.real, "a"], ["fake", context.fake, "b"], ["chosen", state.d.chosen, "b"], ["this", state.d.given, "c"],
  ].filter(([, value]) => value != null);
  const values = [...marks.map(([, value]) => value), ...(context.threshold == null ? [] : [context.threshold])];
  if (!marks.length) return;
  const low = Math.min(...values);
  const span = Math.max(Math.max(...values) - low, 1e-6);
  const x = (value) => 50 + (380 * (value - low)) / span;
  const drawn = svg("svg", { viewBox: `0 0 480 ${26 * marks.length + 22}`, role: "img" });
  drawn.setAttribute("aria-label", marks.map(([key, value]) => `${say(`ui.play.scale.${key}`)} ${figure(value)}`).join(", "));
  if (context.threshold != null) {
    const at = x(context.threshold);
    drawn.append(svg("line", { class: "limit", x1: at, x2: at, y1: 0, y2: 26 * marks.length }));
    drawn.append(svg("text", { x: at, y: 26 * marks.length + 14 }, figure(context.threshold)));
  }
  const called = (key) => [say(`ui.play.scale.${key}`), key === "this" && state.d.as ? `(${state.d.as})` : ""].join(" ").trim();
  marks.forEach(([key, value, colour], i) => {
    const y = 26 * i + 20;
    drawn.append(svg("line", { class: "axis", x1: 50, x2: 430, y1: y, y2: y }));
    drawn.append(svg("circle", { class: colour, cx: x(value), cy: y, r: 5 }));
    drawn.append(svg("text", { x: Math.min(Math.max(x(value), 60), 420), y: y - 8 }, `${called(key)} ${figure(value)}`));
  });
  $("scale").replaceChildren(drawn);
};

let asking = null;

const judge = async (blob) => {
  asking?.abort();
  asking = new AbortController();
  try {
    const address = `/api/play/picture?${new URLSearchParams({ model: state.model, at: state.about.token })}`;
    const shown = await post(address, blob, { signal: asking.signal });
    await cut(shown, [$("sees")]);
    $("seen").hidden = false;
    $("done").textContent = say("ui.play.done", { what: shown.done.join("; ") || say("ui.play.done.nothing") });
    const most = Math.max(...shown.logits.filter((value) => value != null));
    state.d.given = Number.isFinite(most) ? most : null;
    state.d.as = state.about.classes[shown.logits.indexOf(most)] ?? "";
    scale();
    const rows = shown.logits.map((value, i) =>
      el("tr", { class: value === most ? "most" : "" }, el("th", { scope: "row" }, state.about.classes[i] ?? "D"), el("td", {}, figure(value))),
    );
    const table = el("table", { class: "numbers" }, el("tbody", {}, ...rows));
    if (state.about.classes.length) table.prepend(el("caption", {}, say("ui.play.d.logits")));
    $("logits").replaceChildren(table);
    trouble();
  } catch (error) {
    if (error.name === "AbortError") return;
    if (error.status === 409) await open(state.model);
    else trouble(error.message);
  }
};

const paper = $("paper");
const ink = paper.getContext("2d");
let last = null;

const clear = () => {
  ink.fillStyle = "#000";
  ink.fillRect(0, 0, paper.width, paper.height);
};

const stroke = (event) => {
  const box = paper.getBoundingClientRect();
  const at = [((event.clientX - box.left) * paper.width) / box.width, ((event.clientY - box.top) * paper.height) / box.height];
  ink.strokeStyle = state.about.shape[0] === 1 ? "#fff" : $("pen").value;
  ink.lineWidth = Number($("nib").value);
  ink.lineCap = ink.lineJoin = "round";
  ink.beginPath();
  ink.moveTo(...(last ?? at));
  ink.lineTo(...at);
  ink.stroke();
  last = at;
};

paper.addEventListener("pointerdown", (event) => {
  paper.setPointerCapture(event.pointerId);
  last = null;
  stroke(event);
});
paper.addEventListener("pointermove", (event) => {
  if (last) stroke(event);
});
const lift = () => {
  if (last) paper.toBlob((blob) => judge(blob), "image/png");
  last = null;
};
paper.addEventListener("pointerup", lift);
paper.addEventListener("pointercancel", lift);

$("file").addEventListener("change", () => {
  if ($("file").files.length) judge($("file").files[0]);
});
$("judge").addEventListener("dragover", (event) => {
  event.preventDefault();
  paper.classList.add("over");
});
$("judge").addEventListener("dragleave", () => paper.classList.remove("over"));
$("judge").addEventListener("drop", (event) => {
  event.preventDefault();
  paper.classList.remove("over");
  if (state.about?.d && event.dataTransfer.files.length) judge(event.dataTransfer.files[0]);
});

// -- controls ------------------------------------------------------------------------------------------------------

const seeded = (by) => {
  $("seed").value = Math.min(Math.max(Number($("seed").value) + by, 0), 4294967295);
  settle();
  moved();
};

$("model").addEventListener("change", () => open($("model").value));
$("newer").addEventListener("click", () => open(state.model));
$("before").addEventListener("click", () => seeded(-1));
$("next").addEventListener("click", () => seeded(1));
for (const id of ["seed", "class", "psi"]) {
  $(id).addEventListener("input", () => {
    settle();
    moved();
  });
}
$("weights").addEventListener("input", () => {
  moved();
  found();
});
/** All sliders to 0: a move whose slider is out of sight would change the images without a word. */
const reset = () => {
  state.moves.clear();
  found();
  moved();
};
for (const input of document.querySelectorAll("input[name=by]")) input.addEventListener("change", reset);
$("reset").addEventListener("click", reset);
$("near").addEventListener("click", near);
$("go").addEventListener("click", () => (film ? stop() : walk()));
$("clear").addEventListener("click", clear);

list().catch((error) => trouble(error.message));
