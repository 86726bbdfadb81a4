// SPDX-License-Identifier: GPL-3.0-or-later
// Runs ONNX files in ONNX Runtime on random input and compares two of them.
//
//   node run.mjs [--modules DIR] [--jobs FILE] --report FILE [--seconds N]
//
// DIR holds node_modules with onnxruntime-node (default: this script's folder). Jobs are a JSON
// list (default: standard input) of {"id", "a", "b"?, "seed"?, "shape"?, "side"?, "expect_shape"?,
// "expect_shapes"?, "inputs_differ"?}. a and b are model paths relative to the working directory; b gets the same
// random input as a; with "inputs_differ" a runs on two seeds instead. `shape` is that of the first
// input (default: the model's); open sizes become 1 for the batch and `side` (64) elsewhere.
//
// The report is a list of {"id", "ok", "shape", "ratio", "max_abs", "error"}: shape of the first
// output, ratio = max|a - b| / max|a| of the worst output (null without a second run), max_abs the
// largest magnitude in any output of a. Exit code 0 when the report was written: the caller judges.
// Jobs run one at a time in a child process, so that a model that crashes ONNX Runtime or never
// ends (N seconds, default 300) costs one job only.

import { fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    modules: { type: 'string', default: fileURLToPath(new URL('.', import.meta.url)) },
    jobs: { type: 'string', default: '/dev/stdin' },
    report: { type: 'string' },
    seconds: { type: 'string', default: '300' },
  },
});
if (!options.report) {
  console.error('run.mjs: --report FILE is missing');
  process.exit(2);
}

const workerPath = fileURLToPath(new URL('worker.mjs', import.meta.url));
let worker = null;

function stopWorker() {
  worker?.kill('SIGKILL');
  worker = null;
}

function failure(id, error) {
  return { id, ok: false, shape: null, ratio: null, max_abs: null, error };
}

function runInWorker(job) {
  worker ??= fork(workerPath, [options.modules]);
  const current = worker;
  return new Promise((resolve) => {
    const finish = (result) => {
      clearTimeout(timer);
      current.removeAllListeners();
      if (result.died) stopWorker();
      resolve(result.died ? failure(job.id, result.died) : result);
    };
    const timer = setTimeout(
      () => finish({ died: `no answer within ${options.seconds} s` }),
      1000 * Number(options.seconds),
    );
    current.once('message', finish);
    current.once('error', (error) => finish({ died: error.message }));
    current.once('exit', (code, signal) => {
      finish({ died: `ONNX Runtime died (${signal ?? code})` });
    });
    current.send(job);
  });
}

function lineFor(result) {
  if (!result.ok) return `FAIL ${result.id}: ${result.error}`;
  const ratio = result.ratio === null ? '' : ` ratio ${result.ratio.toExponential(2)}`;
  const largest = result.max_abs.toPrecision(4);
  return `ok   ${result.id}:${ratio} largest ${largest} shape ${result.shape.join('x')}`;
}

const report = [];
for (const job of JSON.parse(readFileSync(options.jobs, 'utf8'))) {
  const result = await runInWorker(job);
  console.log(lineFor(result));
  report.push(result);
}
stopWorker();
writeFileSync(options.report, JSON.stringify(report, null, 1) + '\n');
