// The list of runs: filtered here, asked for again every few seconds. Rows that did not change keep their elements.
import { el, get, number, post, say, since, trouble } from "./ui.js";

const [list, count, more, none, compare, filters] = ["runs", "count", "more", "none", "compare", "filters"].map((id) =>
  document.getElementById(id));
const PAGE = 200; // rows drawn at once
const LIVE = ["live", "starting"];
const chosen = new Set();
const drawn = new Map(); // name -> { row, item }
let rows = JSON.parse(document.getElementById("rows").textContent);
let shown = PAGE;

const matches = (row, words, state) => {
  if (state && row.state !== state) return false;
  const text = [row.title, row.recipe, row.data, ...(row.tricks ?? [])].join(" ").toLowerCase();
  return words.every((word) => text.includes(word));
};

const progress = (row) => {
  if (row.state === "unreadable" || row.state === "failed" || row.state === "starting") return row.error ?? "";
  const share = row.total ? Math.floor((100 * row.nimg) / row.total) : null;
  const images = share !== null && share < 100 ? say("ui.runs.of", { share, total: number(row.total) })
    : say("ui.runs.images", { n: number(row.nimg) });
  const speed = row.state === "live" && row.img_s ? say("ui.runs.speed", { n: number(row.img_s) }) : "";
  return [images, speed].filter(Boolean).join(" · ");
};

const item = (row) => {
  const readable = row.recipe !== undefined;
  const box = el("input", {
    type: "checkbox", "aria-label": say("ui.runs.select", { name: row.title }), disabled: !readable,
    onchange: (event) => { event.target.checked ? chosen.add(row.name) : chosen.delete(row.name); counted(); },
  });
  box.checked = chosen.has(row.name);
  const thumb = readable && row.nimg
    ? el("img", { src: `/api${row.at}/thumb?at=${row.nimg}`, alt: "", loading: "lazy", onerror: (event) => event.target.remove() })
    : null;
  const bar = el("i");
  if (row.state === "live" && row.total) bar.style.width = `${(100 * row.nimg) / row.total}%`;
  const about = readable ? [row.recipe, row.data, say("ui.runs.seed", { n: row.seed }), ...row.tricks].join(" · ") : "";
  return el("li", { class: row.state.replace(" ", "-") },
    box,
    el("a", { href: row.at, class: "row" },
      el("span", { class: "thumb" }, thumb),
      el("span", { class: "name" }, el("b", {}, row.title), el("small", {}, about)),
      el("span", { class: "how" }, el("span", { class: "state" }, say(`ui.state.${row.state}`)),
        el("small", {}, progress(row)), row.state === "live" ? el("span", { class: "bar" }, bar) : null),
      el("time", { title: new Date(1000 * row.changed).toLocaleString(document.documentElement.lang) }, since(row.changed))),
    row.state === "failed"
      ? el("button", { class: "plain", type: "button", onclick: () => dismiss(row) }, say("ui.runs.dismiss")) : null);
};

const draw = () => {
  const words = filters.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = rows.filter((row) => matches(row, words, filters.elements.state.value));
  const items = found.slice(0, shown).map((row) => {
    const key = JSON.stringify(row) + since(row.changed);
    const kept = drawn.get(row.name);
    if (kept?.key === key) return kept.item;
    const made = item(row);
    drawn.set(row.name, { key, item: made });
    return made;
  });
  if (items.length !== list.children.length || items.some((one, i) => list.children[i] !== one)) {
    const focused = document.activeElement;
    list.replaceChildren(...items);
    if (list.contains(focused)) focused.focus({ preventScroll: true });
  }
  more.hidden = found.length <= shown;
  none.hidden = rows.length > 0;
  filters.hidden = rows.length === 0;
  count.textContent = rows.length && !found.length ? say("ui.runs.none.found")
    : rows.length ? say("ui.runs.count", { n: number(found.length), total: number(rows.length) }) : "";
  counted();
};

const counted = () => {
  const there = new Set(rows.map((row) => row.name));
  chosen.forEach((name) => there.has(name) || chosen.delete(name));
  compare.disabled = chosen.size < 2;
  compare.textContent = say("ui.runs.compare", { n: chosen.size });
};

const states = () => {
  const select = filters.elements.state;
  const known = [...select.options].map((option) => option.value);
  const found = [...new Set(rows.map((row) => row.state))].filter((state) => !known.includes(state));
  select.append(...found.map((state) => el("option", { value: state }, say(`ui.state.${state}`))));
};

const dismiss = async (row) => {
  try {
    await post(`/api${row.at}/dismiss`);
    await refresh();
  } catch (error) {
    trouble(error.message);
  }
};

const refresh = async () => {
  rows = (await get("/api/runs")).rows;
  states();
  draw();
};

const keep = async () => {
  if (!document.hidden) {
    try {
      await refresh();
      trouble();
    } catch (error) {
      trouble(error.message);
    }
  }
  setTimeout(keep, rows.some((row) => LIVE.includes(row.state)) ? 2500 : 6000);
};

filters.addEventListener("input", () => { shown = PAGE; draw(); });
filters.addEventListener("submit", (event) => event.preventDefault());
more.addEventListener("click", () => { shown += PAGE; draw(); });
compare.addEventListener("click", () => {
  const oldest = rows.filter((row) => chosen.has(row.name)).reverse(); // what was there before a change is the reference
  location.assign(`/compare?${new URLSearchParams(oldest.map((row) => ["run", row.name]))}`);
});
states();
draw();
setTimeout(keep, 2500);
