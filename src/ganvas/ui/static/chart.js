// A chart of the report, drawn from its JSON and drawn again as it grows. Its look is report.css.
import { el, number, say, svg } from "./ui.js";

const NEAR = 24; // per cent between two marks whose labels would meet

/** A figure with `draw(chart, n, right)`, `pick(nimg)`: the line of a moment, and the element itself. */
export class Chart {
  constructor(key) {
    this.title = el("h3");
    this.legend = el("p", { class: "legend" });
    this.picture = svg("svg", { viewBox: "0 0 1000 1000", preserveAspectRatio: "none", "aria-hidden": "true" });
    this.moment = svg("path", { class: "pick" });
    this.cursor = el("i", { class: "cursor", hidden: true });
    this.plot = el("div", { class: "plot", tabindex: "0", role: "img" });
    this.readout = el("p", { class: "readout" });
    this.text = el("p", { class: "note" });
    this.element = el("figure", { class: "chart", id: `chart-${key}` },
      el("figcaption", {}, this.title, this.legend), this.plot, this.readout, this.text);
    this.at = null;
    this.plot.addEventListener("pointermove", (event) => {
      const box = this.plot.getBoundingClientRect();
      this.read(nearest(this.longest, (this.right * (event.clientX - box.left)) / box.width));
    });
    this.plot.addEventListener("pointerleave", () => this.rest());
    this.plot.addEventListener("blur", () => { this.rest(); this.readout.removeAttribute("aria-live"); });
    this.plot.addEventListener("keydown", (event) => {
      const last = this.longest.length - 1;
      const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: -20, PageUp: 20, Home: -last, End: last }[event.key];
      if (!step) return;
      event.preventDefault();
      this.readout.setAttribute("aria-live", "polite");
      this.read(Math.min(Math.max((this.at ?? last + 1) + step, 0), last));
    });
  }

  draw(chart, n, right) {
    Object.assign(this, { chart, n, right });
    this.longest = chart.hover.reduce((a, b) => (b.x.length > a.x.length ? b : a)).x;
    this.title.textContent = chart.title;
    this.text.textContent = chart.text;
    this.plot.setAttribute("aria-label", `${chart.title}. ${chart.described}`);
    this.legend.replaceChildren(...chart.series.map((one) => el("span", { class: one.style }, one.name)),
      ...(chart.trend ? [el("span", { class: "t" }, chart.trend_name)] : []));
    this.picture.replaceChildren(
      svg("path", { class: "rules", d: chart.y.map(([at]) => `M0 ${10 * at}h1000`).join("") }),
      ...(chart.guide ? [svg("path", { class: "guide", d: `M0 ${10 * chart.guide[0]}h1000` })] : []),
      ...chart.marks.map(([at]) => svg("path", { class: "mark", d: `M${10 * at} 0v1000` })),
      ...chart.series.flatMap((one) => [
        svg("path", { class: `dots ${one.style}`, d: one.dots }), svg("path", { class: `line ${one.style}`, d: one.line })]),
      ...(chart.trend ? [svg("path", { class: "wedge", d: chart.trend[1] }), svg("path", { class: "trend", d: chart.trend[0] })] : []),
      this.moment);
    this.plot.replaceChildren(this.picture,
      ...chart.y.map(([at, label]) => placed({ top: at }, el("span", { class: "y" }, label))),
      ...chart.x.map(([at, label, second]) => placed({ left: at }, el("span", { class: "x" }, label, el("small", {}, second)))),
      ...labels(chart.marks), this.cursor);
    if (this.at === null) this.rest();
  }

  pick(nimg) {
    this.moment.setAttribute("d", nimg === null ? "" : `M${(1000 * nimg) / this.right} 0v1000`);
  }

  read(i) {
    this.at = i;
    const at = this.longest[i];
    this.cursor.hidden = false;
    this.cursor.style.left = `${(100 * at) / this.right}%`;
    const place = say("ui.run.readout", { epoch: (at / this.n).toFixed(1), images: number(at) });
    const values = this.chart.hover.map((one) => `${one.name} ${one.y[nearest(one.x, at)]}`);
    this.readout.textContent = [place, ...values].join(" · ");
  }

  rest() {
    this.at = null;
    this.cursor.hidden = true;
    this.readout.textContent = say("ui.run.axis");
  }
}

const placed = (where, element) => {
  for (const [side, at] of Object.entries(where)) element.style[side] = `${at}%`;
  return element;
};

/** The labels of marks; those that would meet stand below each other. */
const labels = (marks) => {
  const rows = [];
  return [...marks].sort((a, b) => a[0] - b[0]).map(([at, label]) => {
    let row = rows.findIndex((last) => at - last >= NEAR);
    if (row < 0) row = rows.length;
    rows[row] = at;
    const side = at > 75 ? " end" : at < 12 ? " begin" : "";
    const element = placed({ left: at }, el("span", { class: `m${side}`, title: label }, label));
    element.style.top = `${0.2 + 1.3 * row}rem`;
    return element;
  });
};

const nearest = (x, at) => {
  let low = 0, high = x.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle] < at) low = middle; else high = middle;
  }
  return at - x[low] <= x[high] - at ? low : high;
};
