// The page: samples of a seed, sliders along principal directions, interpolation, files to save.

import { gif, webp } from "./files.js";
import { drawZ, greatCircle, move } from "./latents.js";
import { only, start } from "./network.js";

const began = performance.now();
const $ = (id) => document.getElementById(id);
const model = JSON.parse($("model").textContent);
const words = JSON.parse($("words").textContent);
const asked = new URLSearchParams(location.search);

const COLUMNS = 8;
const MOST_ROWS = 10;
const TILES = 16; // of the interpolation, in four rows
const FRAMES = 24; // there; as many back
const DELAY = 60; // ms
const SHOWN = 96; // pixels of an image in a saved file, at least
const GAP = 1;

const [, height, width] = model.shape;
const k = model.classes.length;
let lang = asked.get("lang") ?? (navigator.language.startsWith("ko") ? "ko" : "en");
if (!(lang in words)) lang = "en";
let network = null;
let facts = null;

const say = (key, blanks = {}) => words[lang][key].replace(/\{(\w+)\}/g, (_, name) => blanks[name]);

// -- words ---------------------------------------------------------------------------------------------------------

const speak = () => {
  document.documentElement.lang = lang;
  for (const part of document.querySelectorAll("[data-say]")) part.textContent = say(part.dataset.say);
  $("lead").textContent = say("lead", { name: model.name, width, height, nimg: model.nimg.toLocaleString(lang) });
  document.title = `${model.name}: ${say("title")}`;
  $("grid").ariaLabel = say("samples");
  $("walk").ariaLabel = say("walk");
  for (const option of document.querySelectorAll("option[value='']")) option.textContent = say("each");
  [...$("sliders").querySelectorAll("span")].forEach((span, i) => {
    span.textContent = say("direction", { k: i + 1, share: (100 * model.shares_of_variance[i]).toFixed(1) });
  });
  tell();
};

// The line on backend and speed.
const tell = () => {
  if (facts) $("backend").textContent = say("backend", facts);
};

const fail = (error) => {
  $("state").hidden = false;
  delete $("state").dataset.say;
  $("state").textContent = say("failed", { why: error.message ?? error });
};

// -- pictures ------------------------------------------------------------------------------------------------------

// Images [n, h, w, c] as rows of a canvas, one pixel each, from tile `first` on.
const paint = (canvas, pixels, columns, first = 0) => {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const size = height * width;
  const channels = model.shape[0];
  for (let i = 0; i < pixels.length / (size * channels); i += 1) {
    const tile = new ImageData(width, height);
    for (let p = 0; p < size; p += 1) {
      const at = (i * size + p) * channels;
      for (let c = 0; c < 3; c += 1) tile.data[4 * p + c] = pixels[at + (channels === 1 ? 0 : c)];
      tile.data[4 * p + 3] = 255;
    }
    const place = first + i;
    context.putImageData(tile, (place % columns) * (width + GAP), Math.floor(place / columns) * (height + GAP));
  }
};

const fit = (canvas, columns, rows) => {
  const [w, h] = [columns * (width + GAP) - GAP, rows * (height + GAP) - GAP];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
};

// The same picture with larger pixels.
const enlarged = (canvas) => {
  const factor = Math.max(1, Math.ceil(SHOWN / height));
  const size = { width: canvas.width * factor, height: canvas.height * factor };
  const large = Object.assign(document.createElement("canvas"), size);
  const context = large.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, 0, 0, large.width, large.height);
  return large;
};

const save = (blob, name) => {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};

const number = (id) => ($(id).value !== "" && $(id).checkValidity() ? Number($(id).value) : null);

// -- samples -------------------------------------------------------------------------------------------------------

const directions = model.directions.map((vector) => Float32Array.from(vector));
let drawing = 0; // counts what was asked for: only the latest goes on
let again = Promise.resolve();

const samples = async (turn) => {
  const seed = number("seed");
  if (seed === null) return;
  const each = k > 0 && $("class").value === "";
  const rows = each ? Math.min(k, MOST_ROWS) : COLUMNS;
  const steps = [...$("sliders").querySelectorAll("input")].map((slider) => Number(slider.value));
  fit($("grid"), COLUMNS, rows);
  $("rows").hidden = !each;
  const before = performance.now();
  for (let row = 0; row < rows; row += 1) {
    const latents = Array.from({ length: COLUMNS }, (_, i) => {
      const z = drawZ(seed, row * COLUMNS + i, model.dim, model.sphere);
      return steps.some(Boolean) ? move(z, directions, steps, model.sphere) : z;
    });
    const label = each ? row : Number($("class").value);
    const pixels = await network.draw(latents, latents.map(() => only(label, k)));
    if (turn !== drawing) return;
    paint($("grid"), pixels, COLUMNS, row * COLUMNS);
    await new Promise((done) => setTimeout(done)); // the page answers between rows
  }
  facts.each = ((performance.now() - before) / (rows * COLUMNS)).toFixed(1);
  tell();
  document.body.dataset.drawn = String(turn);
};

const redraw = () => {
  drawing += 1;
  const turn = drawing;
  again = again.then(() => turn === drawing && samples(turn)).catch(fail);
  return again;
};

// -- interpolation -------------------------------------------------------------------------------------------------

// The sixteen images at `share` of the way.
const between = (share) => {
  const [from, to] = [number("from"), number("to")];
  if (from === null || to === null) return null;
  const latents = Array.from({ length: TILES }, (_, i) => {
    const ends = [from, to].map((seed) => drawZ(seed, i, model.dim, model.sphere));
    return greatCircle(...ends, share);
  });
  const ends = ["from-class", "to-class"].map((id) => only(Number($(id).value || 0), k));
  const mixed = ends[0].map((value, i) => (1 - share) * value + share * ends[1][i]);
  return network.draw(latents, latents.map(() => mixed));
};

const show = async (share) => {
  const pixels = await between(share);
  fit($("walk"), Math.sqrt(TILES), Math.sqrt(TILES));
  if (pixels) paint($("walk"), pixels, Math.sqrt(TILES));
};

let stepping = false; // while one picture is drawn, others wait, and the latest place is drawn last
let stale = false;
const step = async () => {
  stale = true;
  if (stepping) return;
  stepping = true;
  while (stale) {
    stale = false;
    await show(Number($("place").value)).catch(fail);
  }
  stepping = false;
};

let playing = false;
const play = async () => {
  playing = !playing;
  $("play").dataset.say = playing ? "stop" : "play";
  $("play").textContent = say($("play").dataset.say);
  let at = Number($("place").value) * FRAMES;
  while (playing) {
    const next = performance.now() + DELAY;
    at = (at + 1) % (2 * FRAMES);
    $("place").value = String((at <= FRAMES ? at : 2 * FRAMES - at) / FRAMES);
    await step();
    await new Promise((done) => setTimeout(done, Math.max(0, next - performance.now())));
  }
};

const animation = async (kind) => {
  if (number("from") === null || number("to") === null) return;
  if (playing) await play();
  const buttons = [$("gif"), $("webp")];
  for (const button of buttons) button.disabled = true;
  try {
    const there = [];
    for (let i = 0; i <= FRAMES; i += 1) {
      await show(i / FRAMES);
      there.push(enlarged($("walk")));
      $("saving").textContent = say("busy", { done: i + 1, n: FRAMES + 1 });
      await new Promise((done) => setTimeout(done));
    }
    const loop = [...there, ...there.slice(1, -1).reverse()];
    const data = (canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const file = kind === "gif" ? gif(loop.map(data), DELAY / 10) : await webp(loop, DELAY);
    if (file) save(file, `${model.name}.${kind}`);
    else $("webp").hidden = true; // this browser writes no WebP
  } catch (error) {
    fail(error);
  } finally {
    $("saving").textContent = "";
    for (const button of buttons) button.disabled = false;
    step();
  }
};

// -- controls ------------------------------------------------------------------------------------------------------

const options = (select, chosen, all) => {
  const add = (value, text) => select.append(new Option(text, value, false, value === chosen));
  if (all) add("", "");
  model.classes.forEach((name, i) => add(String(i), name));
};

if (k) {
  for (const part of document.querySelectorAll(".classes")) part.hidden = false;
  options($("class"), "", true);
  options($("from-class"), "0");
  options($("to-class"), String(Math.min(1, k - 1)));
  for (const name of model.classes.slice(0, MOST_ROWS)) {
    $("rows").append(Object.assign(document.createElement("li"), { textContent: name, title: name }));
  }
}
directions.forEach(() => {
  const label = Object.assign(document.createElement("label"), { className: "slider" });
  const slider = Object.assign(document.createElement("input"), { type: "range", min: "-3", max: "3", step: "0.05" });
  slider.value = "0";
  label.append(document.createElement("span"), slider);
  $("sliders").append(label);
});
$("lang").addEventListener("click", () => {
  lang = lang === "en" ? "ko" : "en";
  speak();
});
for (const form of document.forms) form.addEventListener("submit", (event) => event.preventDefault());
$("sampling").addEventListener("input", redraw);
$("new").addEventListener("click", () => {
  $("seed").value = String(crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000);
  redraw();
});
$("reset").addEventListener("click", () => {
  for (const slider of $("sliders").querySelectorAll("input")) slider.value = "0";
  redraw();
});
$("png").addEventListener("click", () => enlarged($("grid")).toBlob((blob) => save(blob, `${model.name}.png`), "image/png"));
$("way").addEventListener("input", step);
$("play").addEventListener("click", play);
$("gif").addEventListener("click", () => animation("gif"));
$("webp").addEventListener("click", () => animation("webp"));

speak();
try {
  network = await start(model, asked.get("backend"));
  facts = { backend: network.backend === "webgpu" ? "WebGPU" : "WebAssembly", difference: network.difference };
  $("state").hidden = true;
  document.querySelector("main").hidden = false;
  fit($("grid"), COLUMNS, k ? Math.min(k, MOST_ROWS) : COLUMNS);
  facts.first = "–";
  await redraw();
  facts.first = ((performance.now() - began) / 1000).toFixed(1);
  tell();
  await step();
  document.body.dataset.ready = network.backend;
} catch (error) {
  fail(error);
}
