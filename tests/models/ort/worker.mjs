// SPDX-License-Identifier: GPL-3.0-or-later
// Child of run.mjs: answers one job message at a time with its result. Argument: the folder whose
// node_modules has onnxruntime-node.

import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const require = createRequire(resolve(process.argv[2], 'package.json'));
const ort = require('onnxruntime-node');

const sessionOptions = { intraOpNumThreads: 2, interOpNumThreads: 1, logSeverityLevel: 4 };

// Mulberry32: uniform in [0, 1) with 24 bits, so that float32 holds every value exactly.
function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 8) / 0x1000000;
  };
}

// Open axes: one image, `side` (default 64) everywhere else.
function closedShape(shape, side = 64) {
  return shape.map((size, axis) => {
    if (typeof size === 'number' && size > 0) return size;
    return axis === 0 ? 1 : side;
  });
}

function randomInput(metadata, shape, seed) {
  if (metadata.type !== 'float32') {
    throw new Error(`input ${metadata.name} is ${metadata.type}; only float32 inputs are filled`);
  }
  const draw = uniform(seed);
  const count = shape.reduce((product, size) => product * size, 1);
  return new ort.Tensor('float32', Float32Array.from({ length: count }, draw), shape);
}

// The job's shape is for the first input; the model says the others.
function feedsFor(session, job, seed) {
  const feeds = {};
  session.inputMetadata.forEach((metadata, index) => {
    const own = index === 0 && job.shape ? job.shape : closedShape(metadata.shape, job.side);
    feeds[metadata.name] = randomInput(metadata, own, seed + 7919 * index);
  });
  return feeds;
}

// One list of outputs ({name, shape, data}) per seed; the session is gone afterwards.
async function runModel(path, job, seeds) {
  const session = await ort.InferenceSession.create(path, sessionOptions);
  try {
    const runs = [];
    for (const seed of seeds) {
      const results = await session.run(feedsFor(session, job, seed));
      runs.push(session.outputNames.map((name) => outputOf(name, results[name])));
    }
    return runs;
  } finally {
    await session.release();
  }
}

function outputOf(name, tensor) {
  if (!tensor?.data || typeof tensor.data[0] === 'string') {
    throw new Error(`output ${name} is not a tensor of numbers`);
  }
  return { name, shape: [...tensor.dims], data: tensor.data };
}

function largestMagnitude({ name, data }) {
  let largest = 0;
  for (const value of data) {
    const magnitude = Math.abs(Number(value));
    if (!Number.isFinite(magnitude)) throw new Error(`output ${name} holds ${value}`);
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}

function largestDifference(a, b) {
  let largest = 0;
  for (let index = 0; index < a.data.length; ++index) {
    largest = Math.max(largest, Math.abs(Number(a.data[index]) - Number(b.data[index])));
  }
  return largest;
}

function requireShape(what, actual, expected) {
  if (String(actual) !== String(expected)) {
    throw new Error(`${what} is ${actual.join('x')}, expected ${expected.join('x')}`);
  }
}

// Outputs are matched by place: a writer may rename them.
function worstRatio(first, second) {
  if (first.length !== second.length) {
    throw new Error(`${second.length} outputs, expected ${first.length}`);
  }
  let worst = 0;
  first.forEach((a, index) => {
    const b = second[index];
    requireShape(`shape of output ${b.name}`, b.shape, a.shape);
    const scale = largestMagnitude(a);
    largestMagnitude(b);
    const difference = largestDifference(a, b);
    if (difference > 0 && scale === 0) {
      throw new Error(`output ${a.name} is all zero in the first run only`);
    }
    worst = Math.max(worst, difference === 0 ? 0 : difference / scale);
  });
  return worst;
}

async function resultsToCompare(job) {
  const seed = job.seed ?? 1;
  if (job.inputs_differ) return runModel(job.a, job, [seed, seed + 1]);
  const runs = await runModel(job.a, job, [seed]);
  return job.b ? runs.concat(await runModel(job.b, job, [seed])) : runs;
}

async function runJob(job) {
  const [first, second] = await resultsToCompare(job);
  const shape = first[0].shape;
  const expected = job.expect_shapes ?? (job.expect_shape ? [job.expect_shape] : []);
  expected.forEach((wanted, index) =>
    requireShape(`shape of output ${first[index]?.name}`, first[index]?.shape ?? [], wanted),
  );
  return {
    id: job.id,
    ok: true,
    shape,
    ratio: second ? worstRatio(first, second) : null,
    max_abs: Math.max(...first.map(largestMagnitude)),
    error: null,
  };
}

process.on('message', async (job) => {
  try {
    process.send(await runJob(job));
  } catch (error) {
    const message = String(error?.message ?? error);
    const nothing = { ok: false, shape: null, ratio: null, max_abs: null };
    process.send({ id: job.id, ...nothing, error: message });
  }
});
