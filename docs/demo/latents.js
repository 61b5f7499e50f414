// Latents as ganvas draws them (src/ganvas/rng.py and training/latents.py): the same seed gives the same pictures here
// as `ganvas sample --seed`. Words of 64 bits are BigInts.

const MASK = (1n << 64n) - 1n;
const GAMMA = 0x9e3779b97f4a7c15n;

// SplitMix64's finaliser.
const mix = (z) => {
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return z ^ (z >> 31n);
};

const unit = (word) => Number(word >> 11n) * 2 ** -53;

// z ~ N(0, 1) of image number `index` of a seed: Float32Array of `dim` values, on the sphere if `sphere`.
export const drawZ = (seed, index, dim, sphere) => {
  const [first, second] = key(`${seed}/sample`);
  const row = mix(mix((BigInt(index) * GAMMA + first) & MASK) ^ second);
  const z = new Float32Array(dim);
  for (let pair = 1n; 2n * (pair - 1n) < dim; pair += 1n) {
    const radius = Math.sqrt(-2 * Math.log1p(-unit(mix((row + GAMMA * 2n * pair) & MASK))));
    const angle = 2 * Math.PI * unit(mix((row + GAMMA * (2n * pair + 1n)) & MASK));
    const at = 2 * Number(pair - 1n);
    z[at] = radius * Math.cos(angle);
    if (at + 1 < dim) z[at + 1] = radius * Math.sin(angle);
  }
  return sphere ? onSphere(z) : z;
};

export const onSphere = (z) => {
  const factor = Math.sqrt(z.length) / Math.max(Math.hypot(...z), 1e-6);
  return z.map((value) => value * factor);
};

// The latent at `share` of the way along the great circle from a to b (Shoemake 1985).
export const greatCircle = (a, b, share) => {
  const dot = a.reduce((sum, value, i) => sum + value * b[i], 0);
  const angle = Math.acos(Math.min(1, Math.max(-1, dot / Math.max(Math.hypot(...a) * Math.hypot(...b), 1e-12))));
  const straight = Math.sin(angle) < 1e-6;
  const from = straight ? 1 - share : Math.sin((1 - share) * angle) / Math.sin(angle);
  const to = straight ? share : Math.sin(share * angle) / Math.sin(angle);
  return a.map((value, i) => from * value + to * b[i]);
};

// z moved along unit vectors, by as many standard deviations as `steps` says.
export const move = (z, vectors, steps, sphere) => {
  const moved = z.map((value, i) => steps.reduce((sum, step, k) => sum + step * vectors[k][i], value));
  return sphere ? onSphere(moved) : moved;
};

// The first 16 bytes of BLAKE2b (RFC 7693) of a text of at most 128 bytes, as two little-endian words.
const key = (text) => {
  const bytes = new TextEncoder().encode(text);
  const block = new DataView(new ArrayBuffer(128));
  bytes.forEach((byte, i) => block.setUint8(i, byte));
  const m = Array.from({ length: 16 }, (_, i) => block.getBigUint64(8 * i, true));
  const h = IV.slice();
  h[0] ^= 0x01010010n; // digest of 16 bytes, no key
  const v = [...h, ...IV];
  v[12] ^= BigInt(bytes.length);
  v[14] ^= MASK; // the last block
  for (let round = 0; round < 12; round += 1) {
    const s = SIGMA[round % 10];
    QUARTERS.forEach(([a, b, c, d], i) => {
      v[a] = (v[a] + v[b] + m[s[2 * i]]) & MASK;
      v[d] = right(v[d] ^ v[a], 32n);
      v[c] = (v[c] + v[d]) & MASK;
      v[b] = right(v[b] ^ v[c], 24n);
      v[a] = (v[a] + v[b] + m[s[2 * i + 1]]) & MASK;
      v[d] = right(v[d] ^ v[a], 16n);
      v[c] = (v[c] + v[d]) & MASK;
      v[b] = right(v[b] ^ v[c], 63n);
    });
  }
  return [h[0] ^ v[0] ^ v[8], h[1] ^ v[1] ^ v[9]];
};

const right = (word, by) => ((word >> by) | (word << (64n - by))) & MASK;

const IV = [
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
];
const QUARTERS = [
  [0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15],
  [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14],
];
const SIGMA = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];
