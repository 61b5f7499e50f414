// One run. The server is asked what changed; what did not is not drawn again.
import { Chart } from "./chart.js";
import { el, get, number, post, say, trouble } from "./ui.js";

const $ = (id) => document.getElementById(id);
const { api, here } = $("run").dataset;
const charts = new Map();
let seen = "", view = null, answer = null, following = true, timer = null, failures = 0;

// -- what is known ---------------------------------------------------------------------------------------------

const refresh = async () => {
  answer = await get(`${api}?seen=${seen}`);
  seen = answer.stamp;
  if (answer.view) {
    view = answer.view;
    draw();
    drawNotes(answer.notes);
  }
  drawProcess();
};

const keep = async () => {
  let wait = 8000;
  if (!document.hidden) {
    try {
      const begin = performance.now();
      await refresh();
      failures = 0;
      trouble();
      const busy = answer.live || answer.process?.state === "running";
      wait = busy ? Math.max(1500, 10 * (performance.now() - begin)) : 5000;
    } catch (error) {
      failures += 1;
      trouble(error.status === 404 ? say("ui.run.gone") : error.message);
      if (error.status === 400 && !view) unreadable();
      wait = Math.min(1500 * 2 ** failures, 30000);
    }
  }
  setTimeout(keep, wait);
};

/** Nothing will come: the run is there, but cannot be read. The line at the top says why. */
const unreadable = () => {
  $("state").textContent = say("ui.state.unreadable");
  $("state").className = "is failed";
  for (const id of ["samples", "curves"]) $(id).hidden = true;
};

const running = () => answer.live || answer.process?.state === "running";

const drawProcess = () => {
  const process = answer.process;
  const mine = process?.state === "running";
  const busy = running();
  const state = busy ? (view && view.nimg ? "live" : "starting") : view ? view.state : "failed";
  $("state").textContent = say(`ui.state.${state}`);
  $("state").className = `is ${state.replace(" ", "-")}`;
  $("stop").hidden = !mine;
  $("stop").disabled = Boolean(process?.stopping);
  $("stop").textContent = say(process?.stopping ? "ui.run.stopping" : "ui.run.stop");
  const whole = Boolean(view) && !busy && view.state !== "nan" && !here.includes("%3A%3A");
  $("resume").hidden = !whole || view.state === "finished";
  $("extend").hidden = !whole || view.state !== "finished";
  $("play").hidden = !view || !view.grids.length;
  $("report").hidden = !view || !view.nimg;
  const lines = [];
  if (process?.state === "failed") lines.push(`${say("ui.run.failed")} ${process.line}`);
  else if (mine && !view) lines.push(say("ui.run.starting"), process.line);
  else if (answer.live && !mine) lines.push(say("ui.run.elsewhere"));
  $("process").textContent = lines.filter(Boolean).join(" ");
  $("process").hidden = !lines.length;
  $("process").classList.toggle("open", process?.state === "failed");
  $("progress").hidden = !busy || !view;
  if (busy && view) {
    const share = view.total ? Math.min(100, (100 * view.nimg) / view.total) : 0;
    $("progress").querySelector("i").style.width = `${share}%`;
    $("progress").querySelector("p").textContent = view.total
      ? [say("ui.run.progress", { share: number(share), total: number(view.total) }), view.left && say("ui.run.left", { left: view.left })]
        .filter(Boolean).join(" · ")
      : say("ui.run.measuring", { n: number(view.nimg) });
  }
};

const draw = () => {
  $("title").textContent = view.title;
  $("folder").hidden = false;
  $("figures").replaceChildren(...view.figures.map(([name, value, remark]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, el("strong", {}, value), el("span", {}, remark)))));
  drawCharts();
  drawSamples();
  drawDoctor();
  drawConfig();
  $("events").hidden = !view.events.length;
  $("events").querySelector("tbody").replaceChildren(...view.events.map((event) =>
    el("tr", { class: event.bad ? "bad" : null },
      ...["time", "images", "what", "details"].map((key) => el("td", {}, event[key])))));
};

// -- curves ----------------------------------------------------------------------------------------------------

const drawCharts = () => {
  $("no-curves").hidden = view.charts.length > 0;
  $("hint").hidden = !view.charts.length;
  const keys = new Set(view.charts.map((chart) => chart.key));
  for (const [key, chart] of charts) {
    if (!keys.has(key)) {
      chart.element.remove();
      charts.delete(key);
    }
  }
  for (const values of view.charts) {
    if (!charts.has(values.key)) {
      charts.set(values.key, new Chart(values.key));
      $("charts").append(charts.get(values.key).element);
    }
    charts.get(values.key).draw(values, view.n, view.right);
  }
};

// -- samples ---------------------------------------------------------------------------------------------------

const slider = $("slider");

const drawSamples = () => {
  const { grids } = view;
  $("no-samples").hidden = grids.length > 0;
  $("player").hidden = !grids.length;
  if (!grids.length) return;
  const before = slider.value;
  slider.max = grids.length - 1;
  slider.parentElement.hidden = grids.length < 2;
  if (!$("real").getAttribute("src")) $("real").src = `${api}/samples/real`;
  for (const rows of $("player").querySelectorAll(".rows")) {
    rows.hidden = !view.classes.length;
    rows.replaceChildren(...view.classes.map((name) => el("li", { title: name }, name)));
  }
  if (view.size) {
    const stage = $("grid").parentElement.style;
    [["--w", view.size[0]], ["--h", view.size[1]]].forEach(([name, value]) => stage.setProperty(name, value));
  }
  show(following && timer === null ? grids.length - 1 : Math.min(before, grids.length - 1));
};

const show = (i) => {
  const at = view.grids[i];
  slider.value = i;
  const label = at ? say("ui.run.samples.at", { epoch: (at / view.n).toFixed(1), images: number(at) }) : say("ui.run.samples.new");
  const source = `${api}/samples/${at}`;
  if ($("grid").getAttribute("src") !== source) $("grid").src = source;
  $("grid").alt = `${say("ui.run.generated")}, ${label}`;
  $("moment").value = label;
  slider.setAttribute("aria-valuetext", label);
  for (const chart of charts.values()) chart.pick(at);
  [i - 1, i + 1, i + 2].filter((near) => near in view.grids).forEach((near) => preload(`${api}/samples/${view.grids[near]}`));
};

const loaded = new Set();
const preload = (source) => {
  if (loaded.has(source)) return;
  loaded.add(source);
  new Image().src = source;
};

const halt = () => {
  clearInterval(timer);
  timer = null;
  $("player").classList.remove("playing");
  $("go").setAttribute("aria-label", $("go").dataset.go);
};

const go = () => {
  if (Number(slider.value) === view.grids.length - 1) show(0);
  view.grids.forEach((at) => preload(`${api}/samples/${at}`));
  $("player").classList.add("playing");
  $("go").setAttribute("aria-label", $("go").dataset.halt);
  timer = setInterval(() => {
    const next = Math.min(Number(slider.value) + 1, view.grids.length - 1);
    show(next);
    if (next === view.grids.length - 1) {
      following = true;
      halt();
    }
  }, 140);
};

$("go").addEventListener("click", () => (timer === null ? go() : halt()));
slider.addEventListener("input", () => {
  halt();
  following = Number(slider.value) === view.grids.length - 1;
  show(Number(slider.value));
});

// -- doctor, config --------------------------------------------------------------------------------------------

const drawDoctor = () => {
  const open = new Set([...document.querySelectorAll("#findings details[open]")].map((one) => one.dataset.rule));
  const { summary, findings } = view.doctor;
  $("doctor").hidden = !summary || !view.nimg;
  $("summary").textContent = summary;
  $("findings").replaceChildren(...findings.map((item) =>
    el("div", { class: "finding" },
      el("h3", {}, item.title),
      el("p", { class: "note" }, `${item.since} · ${item.confidence} · `,
        el("button", { class: "link", type: "button", onclick: () => { jump(item.at); } }, say("ui.run.doctor.show"))),
      el("p", {}, item.cause),
      item.evidence.length ? el("details", { "data-rule": item.title, open: open.has(item.title) }, el("summary", {}, say("ui.run.evidence")),
        el("ul", {}, ...item.evidence.map((line) => el("li", {}, line)))) : null,
      item.commands.length ? el("div", {}, el("p", { class: "note" }, say("ui.run.try")), el("pre", {}, el("code", {}, item.commands.join("\n")))) : null)));
};

const jump = (nimg) => {
  if (view.grids.length) {
    halt();
    const i = view.grids.reduce((best, at, k) => (Math.abs(at - nimg) < Math.abs(view.grids[best] - nimg) ? k : best), 0);
    following = false;
    show(i);
  }
  $("curves").scrollIntoView({ block: "start" });
};

const drawConfig = () => {
  $("config").hidden = false;
  $("as-it-is").hidden = view.changes.length > 0;
  $("as-it-is").textContent = say("ui.run.config.none", { recipe: view.recipe });
  $("settled").textContent = view.settled ? say("ui.run.config.settled", { settings: view.settled }) : "";
  $("diff").replaceChildren(...(view.changes.length
    ? [el("table", { class: "diff" },
      el("thead", {}, el("tr", {}, ...["setting", "recipe", "now"].map((key) => el("th", { scope: "col" }, say(`ui.run.config.${key}`))))),
      el("tbody", {}, ...view.changes.map(([name, before, now]) =>
        el("tr", {}, el("th", { scope: "row" }, el("code", {}, name)), el("td", {}, el("del", {}, before)), el("td", {}, el("ins", {}, now))))))]
    : []));
};

// -- what a reader does ----------------------------------------------------------------------------------------

const act = async (what, values) => {
  try {
    await post(`${api}/${what}`, values);
    await refresh();
    trouble();
  } catch (error) {
    trouble(error.message);
  }
};
$("stop").addEventListener("click", () => act("stop"));
$("resume").addEventListener("click", () => act("resume"));
$("extend").addEventListener("submit", (event) => {
  event.preventDefault();
  act("resume", { minutes: Number(event.target.elements.minutes.value) });
});

const write = $("write");
const [text, save, saved] = [write.elements.text, write.querySelector("button"), write.querySelector("[role=status]")];
text.addEventListener("input", () => { save.disabled = false; saved.textContent = ""; });
write.addEventListener("submit", async (event) => {
  event.preventDefault();
  save.disabled = true;
  try {
    write.dataset.seen = (await post(`${api}/notes`, { text: text.value, seen: write.dataset.seen })).seen;
    saved.textContent = say("ui.run.notes.saved");
  } catch (error) {
    save.disabled = false;
    saved.textContent = error.message;
  }
});
const drawNotes = ({ text: now, seen: stamp }) => { // what is being written here stays; saving it will say that they differ
  if (!save.disabled || stamp === write.dataset.seen) return;
  text.value = now;
  write.dataset.seen = stamp;
};
addEventListener("beforeunload", (event) => { if (!save.disabled) event.preventDefault(); });

keep();
