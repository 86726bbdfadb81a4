// SPDX-License-Identifier: GPL-3.0-or-later
// ONNX Runtime behind lines of JSON: one job a line on standard input, one answer a line on standard output.
// The program that asks starts it again where a model crashes it. Argument: the folder whose node_modules has
// onnxruntime-node.
//
// A job is {"id", "model", "runs": [{input: recipe, ...}, ...], "models"?, "profile"?, "save"?}. A recipe is
// {"type", "shape", "fill": number} (all values), with "from" and "axis" (and "to") only those from an index on
// along an axis, the rest 0; or {"type", "shape", "seed", "low"?, "high"?} (uniform); or {"type", "shape", "values"}.
// An input without a recipe gets uniform numbers in the file's own shape.
//
// The answer is {"id", "ok", "error"?, "shapes": {output: dims}, "types", "largest", "finite"} of the first run, and
// - with "models" (paths that get the same inputs): "ratios", for each the worst max|a-b|/max|a| of all outputs by
//   place, or a string that says what went wrong; with "optimised": false they and the model run as they stand;
// - with "plain": "own_ratio", the same of the model itself without optimisation, which is what rounding alone does;
// - with "profile" ({output: [axes]}): "profiles", for each run after the first {output: [for each axis a string of 0
//   and 1: whether a value at that index differs from the first run]};
// - with "save" (output names): "values" {name: list of numbers} of the first run.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';

const require = createRequire(resolve(process.argv[2], 'package.json'));
const ort = require('onnxruntime-node');
const threads = Number(process.argv[3] ?? 2);
const sessionOptions = { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 4 };

const arrays = {
  float32: Float32Array, float64: Float64Array, int32: Int32Array, int64: BigInt64Array, uint8: Uint8Array,
  int8: Int8Array, bool: Uint8Array, float16: Uint16Array, uint16: Uint16Array, int16: Int16Array,
  uint32: Uint32Array, uint64: BigUint64Array,
};

// Mulberry32, as in worker.mjs.
function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 8) / 0x1000000;
  };
}

const halfBuffer = new DataView(new ArrayBuffer(4));

function toHalf(value) {
  halfBuffer.setFloat32(0, value);
  const bits = halfBuffer.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  if (exponent <= 0) return sign;
  if (exponent >= 31) return sign | 0x7c00;
  return sign | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}

function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function encode(type, value) {
  if (type === 'int64' || type === 'uint64') return BigInt(Math.round(value));
  if (type === 'float16') return toHalf(value);
  if (type === 'float32' || type === 'float64') return value;
  return Math.round(value);
}

function makeTensor(recipe) {
  const { type, shape } = recipe;
  const count = shape.reduce((product, size) => product * size, 1);
  const data = new arrays[type](count);
  if (recipe.values) {
    recipe.values.forEach((value, index) => { data[index] = encode(type, value); });
  } else if (recipe.seed !== undefined) {
    const draw = uniform(recipe.seed);
    const low = recipe.low ?? 0;
    const span = (recipe.high ?? 1) - low;
    for (let index = 0; index < count; ++index) data[index] = encode(type, low + span * draw());
  } else if (recipe.axis === undefined) {
    if (recipe.fill) data.fill(encode(type, recipe.fill));
  } else {
    const inner = shape.slice(recipe.axis + 1).reduce((product, size) => product * size, 1);
    const length = shape[recipe.axis];
    const value = encode(type, recipe.fill);
    const to = recipe.to ?? length;
    for (let start = 0; start < count; start += inner * length) {
      data.fill(value, start + recipe.from * inner, start + to * inner);
    }
  }
  return new ort.Tensor(type, data, shape);
}

function feedsFor(session, recipes, seed) {
  const feeds = {};
  session.inputMetadata.forEach((metadata, index) => {
    const recipe = recipes[metadata.name] ?? {
      type: metadata.type, seed: seed + 7919 * index,
      shape: metadata.shape.map((size) => (typeof size === 'number' && size > 0 ? size : 1)),
    };
    feeds[metadata.name] = makeTensor({ ...recipe, type: recipe.type ?? metadata.type });
  });
  return feeds;
}

function numbersOf(tensor) {
  if (tensor.type === 'float16') return { data: Float32Array.from(tensor.data, fromHalf), dims: tensor.dims };
  if (tensor.type === 'int64' || tensor.type === 'uint64') return { data: Float64Array.from(tensor.data, Number), dims: tensor.dims };
  return { data: tensor.data, dims: tensor.dims };
}

function magnitude(data) {
  let largest = 0;
  let finite = true;
  for (const value of data) {
    if (!Number.isFinite(Number(value))) finite = false;
    else largest = Math.max(largest, Math.abs(Number(value)));
  }
  return { largest, finite };
}

// A string of 0 and 1 for one axis: where the two tensors differ.
function differing(before, after, axis) {
  const { dims } = before;
  const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  const length = dims[axis];
  const found = new Array(length).fill(0);
  for (let index = 0; index < before.data.length; ++index) {
    if (before.data[index] !== after.data[index]) found[Math.floor(index / inner) % length] = 1;
  }
  return found.join('');
}

// Not a number in both at the same place is the same.
function ratioOf(first, second) {
  if (first.length !== second.length) return `${second.length} outputs, expected ${first.length}`;
  let worst = 0;
  for (let place = 0; place < first.length; ++place) {
    const a = first[place];
    const b = second[place];
    if (String(a.dims) !== String(b.dims)) return `output ${place} is ${b.dims.join('x')}, expected ${a.dims.join('x')}`;
    const scale = magnitude(a.data).largest;
    let difference = 0;
    for (let index = 0; index < a.data.length; ++index) {
      const x = Number(a.data[index]);
      const y = Number(b.data[index]);
      if (x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
      const here = Math.abs(x - y);
      if (!Number.isFinite(here)) return `output ${place} holds ${y}, expected ${x}`;
      difference = Math.max(difference, here);
    }
    if (difference > 0) worst = Math.max(worst, scale > 0 ? difference / scale : 1);
  }
  return worst;
}

async function withSession(path, use, level = 'all') {
  const session = await ort.InferenceSession.create(path, { ...sessionOptions, graphOptimizationLevel: level });
  try {
    return await use(session);
  } finally {
    await session.release();
  }
}

function isTensor(value) {
  return value?.data !== undefined && value.type !== 'string';
}

async function answer(job) {
  const seed = job.seed ?? 1;
  if (!job.runs) {
    await withSession(job.model, async () => {});
    return { id: job.id, ok: true };
  }
  const result = { id: job.id, ok: true, shapes: {}, types: {}, largest: {}, finite: true };
  let outputs = [];
  let places = [];
  const usual = job.optimised === false ? 'disabled' : 'all';
  await withSession(job.model, async (session) => {
    places = session.inputNames;
    let base = null;
    for (const recipes of job.runs) {
      const raw = await session.run(feedsFor(session, recipes, seed));
      const run = {};
      for (const name of session.outputNames) if (isTensor(raw[name])) run[name] = numbersOf(raw[name]);
      if (base === null) {
        base = run;
        outputs = session.outputNames.filter((name) => run[name]).map((name) => run[name]);
        for (const [name, value] of Object.entries(run)) {
          const { largest, finite } = magnitude(value.data);
          result.shapes[name] = [...value.dims];
          result.types[name] = raw[name].type;
          result.largest[name] = largest;
          result.finite &&= finite;
        }
        if (job.save) result.values = Object.fromEntries(job.save.map((name) => [name, [...base[name].data].map(Number)]));
        if (job.profile) result.profiles = [];
      } else if (job.profile) {
        const profile = {};
        for (const [name, axes] of Object.entries(job.profile)) {
          if (base[name] && run[name]) profile[name] = axes.map((axis) => differing(base[name], run[name], axis));
        }
        result.profiles.push(profile);
      }
    }
  }, usual);
  // By place: a writer may rename inputs.
  const compared = (path, level = usual) => withSession(path, async (session) => {
    const renamed = {};
    session.inputNames.forEach((name, index) => { renamed[name] = job.runs[0][name] ?? job.runs[0][places[index]]; });
    const raw = await session.run(feedsFor(session, renamed, seed));
    return ratioOf(outputs, session.outputNames.filter((name) => isTensor(raw[name])).map((name) => numbersOf(raw[name])));
  }, level).catch((error) => String(error?.message ?? error));
  if (job.models) {
    result.ratios = [];
    for (const path of job.models) result.ratios.push(await compared(path));
  }
  if (job.plain) result.own_ratio = await compared(job.model, 'disabled');
  return result;
}

for await (const line of createInterface({ input: process.stdin })) {
  if (!line.trim()) continue;
  const job = JSON.parse(line);
  let said;
  try {
    said = await answer(job);
  } catch (error) {
    said = { id: job.id, ok: false, error: String(error?.message ?? error) };
  }
  process.stdout.write(JSON.stringify(said) + '\n');
}
