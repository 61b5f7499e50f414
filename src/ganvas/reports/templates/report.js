"use strict";

// The player: every grid is in the page already; a frame is shown by its class.
for (const player of document.querySelectorAll(".player")) {
  const stages = [...player.querySelectorAll(".stage")].map((stage) => [...stage.querySelectorAll(".frame")]);
  const frames = stages[0];
  const [slider, output, button] = ["input", "output", ".play"].map((name) => player.querySelector(name));
  const keys = frames.map((frame, i) => i).filter((i) => frames[i].classList.contains("key"));
  const moments = [...player.querySelectorAll(".moments button")];
  let timer = null;

  const show = (i) => {
    stages.forEach((stage) => stage.forEach((frame, at) => frame.classList.toggle("on", at === i)));
    slider.value = i;
    output.value = frames[i].querySelector("figcaption").textContent;
    slider.setAttribute("aria-valuetext", output.value);
    moments.forEach((moment, at) => moment.toggleAttribute("aria-current", keys[at] === i));
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    player.classList.remove("playing");
    button.setAttribute("aria-label", player.dataset.play);
  };
  const play = () => {
    if (Number(slider.value) === frames.length - 1) show(0);
    player.classList.add("playing");
    button.setAttribute("aria-label", player.dataset.pause);
    timer = setInterval(() => {
      const next = Math.min(Number(slider.value) + 1, frames.length - 1);
      show(next);
      if (next === frames.length - 1) stop();
    }, 140);
  };

  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  button.addEventListener("click", () => (timer === null ? play() : stop()));
  moments.forEach((moment, at) => {
    const picture = frames[keys[at]].querySelector("img").cloneNode();
    picture.alt = "";
    moment.prepend(picture);
    moment.addEventListener("click", () => { stop(); show(keys[at]); });
  });
  player.querySelectorAll("[hidden]").forEach((part) => { part.hidden = frames.length < 2; });
  show(frames.length - 1);
}

// The charts: a pointer or the arrow keys choose an image count; the nearest dot of each curve is read out.
for (const chart of document.querySelectorAll(".chart")) {
  const [plot, cursor, readout] = [".plot", ".cursor", ".readout"].map((name) => chart.querySelector(name));
  const series = JSON.parse(chart.querySelector("script").textContent);
  const right = Number(readout.dataset.right);
  const n = Number(readout.dataset.n);
  const resting = readout.textContent;
  const longest = series.reduce((a, b) => (b.x.length > a.x.length ? b : a)).x;
  let chosen = longest.length;

  const nearest = (x, at) => {
    let low = 0, high = x.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (x[middle] < at) low = middle; else high = middle;
    }
    return at - x[low] <= x[high] - at ? low : high;
  };
  const read = (i) => {
    chosen = i;
    const at = longest[i];
    cursor.hidden = false;
    cursor.style.left = `${(100 * at) / right}%`;
    const place = readout.dataset.at.replace("{epoch}", (at / n).toFixed(1)).replace("{images}", at.toLocaleString("en"));
    readout.textContent = [place, ...series.map((s) => `${s.name} ${s.y[nearest(s.x, at)]}`)].join(" · ");
  };
  const rest = () => {
    cursor.hidden = true;
    readout.textContent = resting;
  };

  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    read(nearest(longest, (right * (event.clientX - box.left)) / box.width));
  });
  plot.addEventListener("pointerleave", rest);
  plot.addEventListener("blur", () => { rest(); readout.removeAttribute("aria-live"); });
  plot.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: -20, PageUp: 20, Home: -longest.length, End: longest.length }[event.key];
    if (!step) return;
    event.preventDefault();
    readout.setAttribute("aria-live", "polite");
    read(Math.min(Math.max(chosen + step, 0), longest.length - 1));
  });
}
