import { formatTable } from './lib/format-table.mjs';

/** With fewer requests there is no trend, because caches, database pages and spare heap still grow. */
const MIN_TREND_REQUESTS = 80_000;

/** @param {any} results @returns {{ name: string, goal: string, value: number, range: { least: number, greatest: number }, met: boolean }[]} */
export function evaluateGoals({ http, checks, quotas, live, overlay }) {
  const goals = (http ?? []).map(({ database, send }) => ({
    name: `Server CPU of an authenticated POST /sendMessage, this api / public stack (${database})`,
    goal: 'at most 0.10',
    value: send.cpuRatio,
    range: send.cpuRatioRange,
    met: send.cpuRatio <= 0.1,
  }));
  for (const { database, cpuRatio, cpuRatioRange } of checks ?? [])
    goals.push({
      name: `Server CPU of a send, with the checks of permissions and fees / without (${database})`,
      goal: 'at most 1.30',
      value: cpuRatio,
      range: cpuRatioRange,
      met: cpuRatio <= 1.3,
    });
  for (const { database, cpuRatio, cpuRatioRange } of quotas ?? [])
    goals.push({
      name: `Server CPU of a send, with quotas / without (${database})`,
      goal: 'at most 1.15',
      value: cpuRatio,
      range: cpuRatioRange,
      met: cpuRatio <= 1.15,
    });
  if (live)
    goals.push({
      name: `Server CPU of a live delivery, with ${live.idleSockets} idle sockets / with none`,
      goal: 'at most 1.20',
      value: live.cpuRatio,
      range: live.cpuRatioRange,
      met: live.cpuRatio <= 1.2,
    });
  for (const { database, many } of overlay ?? []) {
    const times = many.rounds.map(({ p50 }) => p50);
    goals.push({
      name: `ls_messagebox by identity key among ${many.advertisements}, response time in ms, p50 (${database})`,
      goal: 'at most 10 ms',
      value: many.p50,
      range: { least: Math.min(...times), greatest: Math.max(...times) },
      met: many.p50 <= 10,
    });
  }
  return goals;
}

/** Formats the results as text. @param {any} results */
export function formatReport({ machine, http, checks, quotas, parts, memory, live, overlay, goals }) {
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, load ${machine.loadAverage.join(' ')} at the start`,
    `Node ${machine.node} on ${machine.platform}, secp256k1: ${machine.secp256k1}`,
  ];
  if (machine.loadAverage[0] > machine.cores / 2) {
    lines.push('The machine was busy: compare only within this run, and do not rely on differences of 10 %.');
  }
  if (http) lines.push(...http.flatMap(httpLines));
  if (checks) lines.push(...checks.flatMap(checksLines));
  if (quotas) lines.push(...quotas.flatMap(quotasLines));
  if (parts) lines.push(...partsLines(parts));
  if (memory) lines.push(...memoryLines(memory));
  if (live) lines.push(...liveLines(live));
  if (overlay) lines.push(...overlay.flatMap(overlayLines));
  lines.push('', 'Goals');
  for (const { name, goal, value, range, met } of goals) {
    lines.push(
      `  ${met ? 'met    ' : 'NOT MET'}  ${name}: ${value.toFixed(3)} (${goal}; rounds ${range.least.toFixed(2)} to ${range.greatest.toFixed(2)})`,
    );
  }
  return lines.join('\n');
}

function httpLines({ database, connections, send, list }) {
  return [
    '',
    `HTTP on ${database}, ${connections} connections at once`,
    ...formatTable([
      ['', 'CPU ms/op', 'system CPU ms', 'op/s', 'p50 ms', 'p95 ms', 'p99 ms', 'heap kept, B/op', 'load CPU'],
      ...[
        ...(send ? [['POST /sendMessage', send]] : []),
        ...(list ? [['POST /listMessages (empty)', list]] : []),
      ].flatMap(([name, { ours, public: other, cpuRatio }]) => [
        httpRow(`${name}, this api`, ours),
        httpRow(`${name}, public stack`, other),
        ['  this api / public stack', cpuRatio.toFixed(3), '', `${(ours.perSecond / other.perSecond).toFixed(1)}x`],
      ]),
    ]),
  ];
}

function checksLines({ database, connections, checked, unchecked, cpuRatio }) {
  const title = `Checks of permissions and fees in POST /sendMessage on ${database}, ${connections} connections at once`;
  return withAndWithout(title, checked, unchecked, cpuRatio);
}

function quotasLines({ database, connections, bounded, unbounded, cpuRatio }) {
  const title = `Quotas in POST /sendMessage on ${database}, ${connections} connections at once`;
  return withAndWithout(title, bounded, unbounded, cpuRatio);
}

function withAndWithout(title, one, other, cpuRatio) {
  return [
    '',
    title,
    ...formatTable([
      ['', 'CPU ms/op', 'system CPU ms', 'op/s', 'p50 ms', 'p95 ms', 'p99 ms', 'heap kept, B/op', 'load CPU'],
      httpRow('with', one),
      httpRow('without', other),
      ['  with / without', cpuRatio.toFixed(3)],
    ]),
  ];
}

function partsLines(parts) {
  return [
    '',
    'Parts of a request by themselves, CPU ms each',
    ...formatTable(Object.entries(parts).map(([name, ms]) => [name, ms.toFixed(4)])),
  ];
}

function memoryLines({ requests, samples, rssBytesPerRequest, heapBytesPerRequest }) {
  return [
    '',
    `Memory of the api over ${requests} requests (after a full garbage collection)`,
    ...formatTable([
      ['requests', 'RSS MB', 'heap MB'],
      ...samples
        .filter((_, i) => i % 4 === 3 || i === samples.length - 1)
        .map((sample) => [String(sample.requests), mb(sample.rss), mb(sample.heap)]),
    ]),
    requests < MIN_TREND_REQUESTS
      ? `no trend: caches are still filling (it takes ${MIN_TREND_REQUESTS} requests)`
      : `second half: ${rssBytesPerRequest.toFixed(1)} B of RSS and ${heapBytesPerRequest.toFixed(1)} B of heap for each request`,
  ];
}

function liveLines(live) {
  const { socket, quiet } = live;
  return [
    '',
    `Live: one sender, one listener, ${live.inFlight} messages in progress (latency: 1)`,
    ...formatTable([
      ['idle sockets', 'CPU ms/delivery', 'deliveries/s', 'p50 ms', 'p95 ms', 'p99 ms', 'load CPU'],
      liveRow('0', live.alone),
      liveRow(String(live.idleSockets), live.crowded),
      ['  ratio', live.cpuRatio.toFixed(3)],
      ...(quiet ? [['  ratio without pings', live.cpuRatioWithoutPings.toFixed(3)]] : []),
    ]),
    `an idle socket: ${kb(socket.rssBytes)} KB of RSS, including ${kb(socket.heapBytes)} KB of heap; opening it takes ${socket.openingCpuMs.toFixed(2)} ms of CPU`,
    ...(quiet ? [`a ping: ${quiet.cpuMsPerPing.toFixed(3)} ms of CPU (one for each socket every 25 s)`] : []),
  ];
}

function overlayLines({ database, few, many, cpuRatio }) {
  const row = ({ advertisements, cpuMs, p50, p95, p99 }) => [
    String(advertisements),
    cpuMs.toFixed(3),
    p50.toFixed(2),
    p95.toFixed(2),
    p99.toFixed(2),
  ];
  return [
    '',
    `ls_messagebox by identity key on ${database}, one lookup at a time over HTTP`,
    ...formatTable([
      ['advertisements', 'CPU ms/lookup', 'p50 ms', 'p95 ms', 'p99 ms'],
      row(few),
      row(many),
      ['  ratio', cpuRatio.toFixed(3)],
    ]),
  ];
}

function httpRow(name, { cpuMs, systemMs, perSecond, p50, p95, p99, heapBytesPerRequest, loadCpuShare }) {
  return [
    name,
    cpuMs.toFixed(3),
    systemMs.toFixed(3),
    perSecond.toFixed(0),
    p50.toFixed(1),
    p95.toFixed(1),
    p99.toFixed(1),
    heapBytesPerRequest.toFixed(0),
    percent(loadCpuShare),
  ];
}

function liveRow(name, { cpuMs, perSecond, p50, p95, p99, loadCpuShare }) {
  return [
    name,
    cpuMs.toFixed(3),
    perSecond.toFixed(0),
    p50.toFixed(2),
    p95.toFixed(2),
    p99.toFixed(2),
    percent(loadCpuShare),
  ];
}

const mb = (/** @type {number} */ bytes) => (bytes / 1024 / 1024).toFixed(1);
const kb = (/** @type {number} */ bytes) => (bytes / 1024).toFixed(1);
const percent = (/** @type {number} */ share) => `${(share * 100).toFixed(0)} %`;
