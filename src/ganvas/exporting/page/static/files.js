// Animations as files: GIF89a with one palette for all frames, and WebP out of the browser's own stills.

const COLOURS = 256;
const COMMENT = "made by ganvas";

// A looping GIF of frames, each ImageData of one size, `delay` hundredths of a second each.
export const gif = (frames, delay) => {
  const { width, height } = frames[0];
  const palette = choosePalette(frames);
  const nearest = nearestIn(palette);
  const out = [];
  const text = (value) => out.push(Uint8Array.from(value, (char) => char.charCodeAt(0)));
  const bytes = (...values) => out.push(Uint8Array.from(values));
  const short = (value) => [value & 255, value >> 8];
  text("GIF89a");
  bytes(...short(width), ...short(height), 0xf7, 0, 0);
  bytes(...palette.flat(), ...new Array(3 * (COLOURS - palette.length)).fill(0));
  bytes(0x21, 0xff, 11);
  text("NETSCAPE2.0");
  bytes(3, 1, 0, 0, 0, 0x21, 0xfe, COMMENT.length);
  text(COMMENT);
  bytes(0);
  for (const { data } of frames) {
    const indices = new Uint8Array(width * height);
    for (let i = 0; i < indices.length; i += 1) indices[i] = nearest(data[4 * i], data[4 * i + 1], data[4 * i + 2]);
    bytes(0x21, 0xf9, 4, 4, ...short(delay), 0, 0, 0x2c, 0, 0, 0, 0, ...short(width), ...short(height), 0, 8);
    out.push(...compress(indices));
    bytes(0);
  }
  bytes(0x3b);
  return new Blob(out, { type: "image/gif" });
};

const CODES = 4096;
const CLEAR = 256;
const END = 257;

// LZW with codes of 9 to 12 bits, as blocks of at most 255 bytes.
const compress = (indices) => {
  const bytes = [];
  let [held, bits, size] = [0, 0, 9];
  const put = (code) => {
    held |= code << bits;
    for (bits += size; bits >= 8; bits -= 8) {
      bytes.push(held & 255);
      held >>>= 8;
    }
  };
  const table = new Uint16Array(CODES * 256);
  let next = END + 1;
  put(CLEAR);
  let prefix = indices[0];
  for (let i = 1; i < indices.length; i += 1) {
    const at = (prefix << 8) | indices[i];
    if (table[at]) {
      prefix = table[at];
      continue;
    }
    put(prefix);
    if (next === CODES) {
      put(CLEAR);
      table.fill(0);
      [next, size] = [END + 1, 9];
    } else {
      if (next === 1 << size) size += 1;
      table[at] = next;
      next += 1;
    }
    prefix = indices[i];
  }
  put(prefix);
  if (next === 1 << size && size < 12) size += 1;
  put(END);
  if (bits) bytes.push(held & 255);
  const blocks = [];
  for (let i = 0; i < bytes.length; i += 255) {
    const part = bytes.slice(i, i + 255);
    blocks.push(Uint8Array.from([part.length, ...part]));
  }
  return blocks;
};

// At most 256 colours: the greys if all pixels are grey, else median cut (Heckbert 1982) of colours of 6 bits each.
const choosePalette = (frames) => {
  const counts = new Map();
  let grey = true;
  for (const { data } of frames) {
    for (let i = 0; i < data.length; i += 4) {
      grey &&= data[i] === data[i + 1] && data[i] === data[i + 2];
      const colour = coarse(data[i], data[i + 1], data[i + 2]);
      counts.set(colour, (counts.get(colour) ?? 0) + 1);
    }
  }
  if (grey) return Array.from({ length: COLOURS }, (_, value) => [value, value, value]);
  const boxes = [box([...counts])];
  while (boxes.length < COLOURS) {
    boxes.sort((a, b) => a.spread * a.weight - b.spread * b.weight);
    const widest = boxes.pop();
    if (widest.colours.length < 2) return [...boxes, widest].map(mean);
    widest.colours.sort((a, b) => channel(a[0], widest.axis) - channel(b[0], widest.axis));
    let [cut, sum] = [0, 0];
    while (cut < widest.colours.length - 1 && sum < widest.weight / 2) {
      sum += widest.colours[cut][1];
      cut += 1;
    }
    boxes.push(box(widest.colours.slice(0, cut)), box(widest.colours.slice(cut)));
  }
  return boxes.map(mean);
};

const coarse = (r, g, b) => ((r >> 2) << 12) | ((g >> 2) << 6) | (b >> 2);
const channel = (colour, axis) => (colour >> (12 - 6 * axis)) & 63;

const box = (colours) => {
  const spreads = [0, 1, 2].map((axis) => {
    let [low, high] = [63, 0];
    for (const [colour] of colours) {
      low = Math.min(low, channel(colour, axis));
      high = Math.max(high, channel(colour, axis));
    }
    return high - low;
  });
  const spread = Math.max(...spreads);
  return { colours, spread, axis: spreads.indexOf(spread), weight: colours.reduce((sum, [, n]) => sum + n, 0) };
};

const mean = ({ colours, weight }) =>
  [0, 1, 2].map((axis) => {
    const level = colours.reduce((sum, [colour, n]) => sum + channel(colour, axis) * n, 0) / weight;
    return Math.round((level * 255) / 63);
  });

const nearestIn = (palette) => {
  const grey = palette.length === COLOURS && palette.every(([r, g, b], i) => r === i && g === i && b === i);
  if (grey) return (r) => r;
  const known = new Map();
  return (r, g, b) => {
    const colour = coarse(r, g, b);
    if (!known.has(colour)) {
      let [best, least] = [0, Infinity];
      palette.forEach((entry, i) => {
        const far = (entry[0] - r) ** 2 + (entry[1] - g) ** 2 + (entry[2] - b) ** 2;
        if (far < least) [best, least] = [i, far];
      });
      known.set(colour, best);
    }
    return known.get(colour);
  };
};

// A looping WebP of canvases, `delay` ms each; null where the browser writes no WebP.
export const webp = async (canvases, delay) => {
  const stills = await Promise.all(canvases.map((canvas) => new Promise((done) => canvas.toBlob(done, "image/webp", 1))));
  if (stills.some((still) => still?.type !== "image/webp")) return null;
  const [width, height] = [canvases[0].width, canvases[0].height];
  const chunks = [chunk("VP8X", [2, 0, 0, 0, ...three(width - 1), ...three(height - 1)]), chunk("ANIM", [0, 0, 0, 0, 0, 0])];
  for (const still of stills) {
    const content = pictureChunks(new Uint8Array(await still.arrayBuffer()));
    const head = [...three(0), ...three(0), ...three(width - 1), ...three(height - 1), ...three(delay), 2];
    chunks.push(chunk("ANMF", head, content));
  }
  const size = 4 + chunks.reduce((sum, part) => sum + part.length, 0);
  return new Blob([ascii("RIFF"), Uint8Array.from(four(size)), ascii("WEBP"), ...chunks], { type: "image/webp" });
};

const ascii = (text) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const three = (value) => [value & 255, (value >> 8) & 255, value >> 16];
const four = (value) => [...three(value & 0xffffff), value >>> 24];

const chunk = (name, head, content = new Uint8Array()) => {
  const size = head.length + content.length;
  const whole = new Uint8Array(8 + size + (size & 1));
  whole.set(ascii(name));
  whole.set([...four(size), ...head], 4);
  whole.set(content, 8 + head.length);
  return whole;
};

// The chunks of a still WebP that are pixels, as they stand in the file.
const pictureChunks = (bytes) => {
  const view = new DataView(bytes.buffer);
  const found = [];
  for (let at = 12; at < bytes.length; ) {
    const name = String.fromCharCode(...bytes.subarray(at, at + 4));
    const size = view.getUint32(at + 4, true);
    const end = at + 8 + size + (size & 1);
    if (["ALPH", "VP8 ", "VP8L"].includes(name)) found.push(bytes.subarray(at, end));
    at = end;
  }
  const whole = new Uint8Array(found.reduce((sum, part) => sum + part.length, 0));
  found.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return whole;
};
