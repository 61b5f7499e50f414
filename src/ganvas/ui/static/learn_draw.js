// Pictures of the toy, drawn from what the server trained: the plane with its points, the curves. Nothing is computed
// here but places on the screen.

const styles = () => getComputedStyle(document.documentElement);

/** The page's colours, as they are in the theme of now. */
export const colours = () => {
  const found = styles();
  const of = (name) => found.getPropertyValue(name).trim();
  return { real: of("--grey"), fake: of("--accent"), d: of("--grey"), g: of("--accent"), ink: of("--ink"), soft: of("--soft"), faint: of("--faint"), hair: of("--hair"), sheet: of("--sheet") };
};

const rgb = (colour) => {
  const hex = colour.slice(1);
  const whole = hex.length === 3 ? [...hex].map((c) => c + c).join("") : hex;
  return [0, 2, 4].map((at) => parseInt(whole.slice(at, at + 2), 16));
};

/** Logit above the threshold -> how strongly "real" (to 1) or "fake" (to -1) it is shown; `reach` is the scale's end. */
const strength = (logit, reach) => Math.tanh((1.5 * logit) / reach);
const STRONGEST = 0.45;

/** The end of the field's scale, so that a flat D looks flat: 0.5, 1, 2, 5, ... above nine tenths of its logits. */
export const reachOf = (seen) => {
  const away = seen.field.map((logit) => Math.abs(logit - seen.threshold)).sort((a, b) => a - b);
  const wanted = Math.max(away[Math.floor(0.9 * away.length)], 0.5);
  const power = 10 ** Math.floor(Math.log10(wanted));
  return [1, 2, 5, 10].map((k) => k * power).find((reach) => reach >= wanted * 0.999);
};

const mixed = (value, c) => {
  const [to, from] = [rgb(value > 0 ? c.real : c.fake), rgb(c.sheet)];
  const share = Math.abs(value) * STRONGEST;
  return from.map((part, i) => Math.round(part + (to[i] - part) * share));
};

/** A canvas made as sharp as the screen is; its context, in CSS pixels, and its width and height in them. */
const sharp = (canvas) => {
  const { width, height } = canvas.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return [context, width, height];
};

/** The scale of the field: from "fake" over the threshold to "real". */
export const drawRamp = (canvas) => {
  const c = colours();
  const context = canvas.getContext("2d");
  for (let x = 0; x < canvas.width; x++) {
    const value = strength(((x + 0.5) / canvas.width) * 2 - 1, 1);
    context.fillStyle = `rgb(${mixed(value, c).join()})`;
    context.fillRect(x, 0, 1, canvas.height);
  }
};

const fieldOf = (seen, facts, c) => {
  const image = new ImageData(facts.field, facts.field);
  const reach = reachOf(seen);
  seen.field.forEach((logit, i) => image.data.set([...mixed(strength(logit - seen.threshold, reach), c), 255], 4 * i));
  const small = document.createElement("canvas");
  small.width = small.height = facts.field;
  small.getContext("2d").putImageData(image, 0, 0);
  return small;
};

/** The plane: D's field, real points (discs), fakes (diamonds) and the way that G's loss falls at some of them. Fakes
 * outside are drawn at the edge. */
export const drawWorld = (canvas, real, seen, facts) => {
  const c = colours();
  const [context, size] = sharp(canvas);
  const place = ([x, y]) => [((x / facts.side + 1) / 2) * size, ((1 - y / facts.side) / 2) * size];
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = "high";
  context.drawImage(fieldOf(seen, facts, c), 0, 0, size, size);

  const unit = size / 600;
  context.fillStyle = c.real;
  context.globalAlpha = 0.55;
  for (const point of real) {
    context.beginPath();
    context.arc(...place(point), Math.max(2.2 * unit, 1.4), 0, 2 * Math.PI);
    context.fill();
  }

  context.globalAlpha = 1;
  context.strokeStyle = c.ink;
  context.fillStyle = c.ink;
  seen.arrows.forEach((arrow, i) => drawArrow(context, place(seen.fakes[i]), arrow, unit));

  const half = Math.max(4.6 * unit, 3);
  const inside = (at) => Math.min(Math.max(at, half + 1), size - half - 1);
  context.fillStyle = c.fake;
  context.strokeStyle = c.sheet;
  context.lineWidth = 1;
  for (const point of seen.fakes) {
    const [x, y] = place(point).map(inside);
    context.beginPath();
    context.moveTo(x, y - half);
    context.lineTo(x + half, y);
    context.lineTo(x, y + half);
    context.lineTo(x - half, y);
    context.closePath();
    context.fill();
    context.stroke();
  }
};

/** Longer where the gradient is larger, and never longer than 60 px: length g / (g + 1). */
const drawArrow = (context, [x, y], [dx, dy], unit) => {
  const size = Math.hypot(dx, dy);
  const length = (60 * unit * size) / (size + 1);
  if (length < 1.5) return;
  const [ux, uy] = [dx / size, -dy / size];
  const [tx, ty] = [x + ux * length, y + uy * length];
  const head = Math.min(5 * unit + 1, length);
  context.globalAlpha = 0.75;
  context.lineWidth = 1.2;
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(tx, ty);
  context.moveTo(tx - head * (ux + 0.6 * uy), ty - head * (uy - 0.6 * ux));
  context.lineTo(tx, ty);
  context.lineTo(tx - head * (ux - 0.6 * uy), ty - head * (uy + 0.6 * ux));
  context.stroke();
  context.globalAlpha = 1;
};

const steps = (low, high, count) => {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= rough);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-6; at += step) found.push(Math.abs(at) < step / 1e6 ? 0 : at);
  return found;
};

const short = (value, lang) => value.toLocaleString(lang, { maximumSignificantDigits: 3, notation: Math.abs(value) >= 1e5 ? "compact" : "standard" });

/** Two curves over the updates. lines: [{ name, colour, dashed }]; marks: updates at which something was changed. */
export const drawCurves = (canvas, rows, lines, { limits, marks = [] } = {}) => {
  const c = colours();
  const [context, width, height] = sharp(canvas);
  const lang = document.documentElement.lang;
  const [left, right, top, bottom] = [44, width - 10, 8, height - 22];
  const last = Math.max(rows.at(-1)?.updates ?? 0, 100);
  const values = rows.flatMap((row) => lines.map((line) => row[line.name])).filter((v) => v != null).sort((a, b) => a - b);
  let [low, high] = limits ?? [values[Math.floor(values.length * 0.005)] ?? 0, values[Math.ceil(values.length * 0.995) - 1] ?? 1];
  if (!limits) {
    const room = (high - low) * 0.08 || 0.5;
    [low, high] = [low >= 0 ? Math.max(low - room, 0) : low - room, high + room];
  }
  const px = (updates) => left + (updates / last) * (right - left);
  const py = (value) => bottom - ((value - low) / (high - low)) * (bottom - top);
  context.font = `12px ${styles().getPropertyValue("--sans")}`;
  context.fillStyle = c.soft;
  context.strokeStyle = c.hair;
  context.lineWidth = 1;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const value of steps(low, high, 5)) {
    context.beginPath();
    context.moveTo(left, py(value));
    context.lineTo(right, py(value));
    context.stroke();
    context.fillText(short(value, lang), left - 6, py(value));
  }
  context.textBaseline = "alphabetic";
  context.textAlign = "center";
  for (const value of steps(0, last, width < 400 ? 3 : 5).filter(Number.isInteger)) {
    context.fillText(short(value, lang), Math.min(px(value), right - 10), height - 5);
  }
  context.strokeStyle = c.faint;
  context.setLineDash([2, 3]);
  for (const at of marks) {
    context.beginPath();
    context.moveTo(px(at), top);
    context.lineTo(px(at), bottom);
    context.stroke();
  }
  context.save();
  context.beginPath();
  context.rect(left, top - 4, right - left + 4, bottom - top + 8);
  context.clip();
  context.lineWidth = 1.8;
  context.lineJoin = "round";
  const every = Math.max(Math.floor(rows.length / (right - left)), 1);
  for (const line of lines) {
    context.strokeStyle = c[line.colour];
    context.setLineDash(line.dashed ? [6, 3] : []);
    context.beginPath();
    let drawn = false;
    for (let i = (rows.length - 1) % every; i < rows.length; i += every) {
      const value = rows[i][line.name];
      if (value == null) continue;
      context[drawn ? "lineTo" : "moveTo"](px(rows[i].updates), py(value));
      drawn = true;
    }
    context.stroke();
  }
  context.restore();
  context.setLineDash([]);
};
