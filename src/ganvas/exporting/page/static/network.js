// The generator in this browser: onnxruntime on WebGPU where there is one, in WebAssembly else.

import { drawZ } from "./latents.js";

const LARGEST_DIFFERENCE = 2; // grey levels of 255

// The running generator: draw(z, shares) -> Uint8Array [n, h, w, c], the name of its backend, the largest difference
// from the pictures that torch drew when the page was made. `wanted` names a backend, for tests.
export const start = async (model, wanted) => {
  const tries = [];
  if (model.webgpu && wanted !== "wasm" && (await hasWebgpu())) tries.push("webgpu");
  if (wanted !== "webgpu") tries.push("wasm");
  let why = new Error("no WebGPU here");
  for (const backend of tries) {
    try {
      const network = await open(model, backend);
      network.difference = await differs(network, model);
      if (network.difference <= LARGEST_DIFFERENCE) return network;
      why = new Error(`${backend}: ${network.difference} of 255 grey levels from torch`);
    } catch (error) {
      why = error;
    }
  }
  throw why;
};

// WebGPU with an adapter, and wasm that can wait for it.
const hasWebgpu = async () => {
  if (!navigator.gpu || typeof WebAssembly.Suspending !== "function") return false;
  return (await navigator.gpu.requestAdapter().catch(() => null)) !== null;
};

const open = async (model, backend) => {
  const [script, binary] = model.runtime[backend];
  const ort = await import(`./runtime/${script}`);
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1; // more need headers that a plain file server does not send
  ort.env.wasm.wasmBinary = await fetched(`runtime/${binary}`);
  const session = await ort.InferenceSession.create(new Uint8Array(await fetched("model.onnx")), {
    executionProviders: [backend],
    logSeverityLevel: 3, // on a GPU some nodes stay on the CPU: no news
  });
  let last = Promise.resolve();
  const run = async (latents, shares) => {
    const n = latents.length;
    const feeds = { z: new ort.Tensor("float32", flat(latents, model.dim), [n, model.dim]) };
    const k = model.classes.length;
    if (k && model.shares) feeds.classes = new ort.Tensor("float32", flat(shares, k), [n, k]);
    else if (k) feeds.label = new ort.Tensor("int64", BigInt64Array.from(shares, largest), [n]);
    const { image } = await session.run(feeds);
    const pixels = new Uint8Array(await image.getData());
    image.dispose();
    return pixels;
  };
  const draw = (latents, shares) => {
    last = last.then(() => run(latents, shares), () => run(latents, shares)); // one at a time
    return last;
  };
  return { draw, backend };
};

// The largest difference from torch, over the images that the page brings along.
const differs = async (network, model) => {
  const { seed, images } = model.check;
  const expected = Uint8Array.from(atob(images), (char) => char.charCodeAt(0));
  const n = expected.length / model.shape.reduce((a, b) => a * b);
  const index = Array.from({ length: n }, (_, i) => i);
  const latents = index.map((i) => drawZ(seed, i, model.dim, model.sphere));
  const drawn = await network.draw(latents, index.map((i) => only(i % (model.classes.length || 1), model.classes.length)));
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - drawn[i])), 0);
};

// The shares of classes that are one class alone.
export const only = (label, classes) => Float32Array.from({ length: classes }, (_, i) => (i === label ? 1 : 0));

const flat = (rows, width) => {
  const all = new Float32Array(rows.length * width);
  rows.forEach((row, i) => all.set(row, i * width));
  return all;
};

const largest = (shares) => BigInt(shares.indexOf(Math.max(...shares)));

// A file beside the page, unpacked if it is packed; some servers unpack it themselves.
const fetched = async (name) => {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.buffer;
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
};
