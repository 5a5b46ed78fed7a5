import { useCallback, useEffect, useState } from 'preact/hooks';
import { formatBytes, formatDuration, formatFullTime, formatNumber } from '../ui/format.js';
import { InstanceTable } from './instance-table.js';
import { LineChart, type Point } from './line-chart.js';
import type { Stats } from './operator-api.js';
import type { OperatorPageProps } from './operator-page.js';
import { ProblemNotice } from './problem-notice.js';
import { usePolled } from './use-polled.js';

/** As many as the server's history has: 15 minutes. */
const MAX_SAMPLES = 180;

/** What the server keeps no history of, since the page was opened. */
interface Sample {
  readonly at: number;
  readonly waiting: number | null;
  readonly bytes: number | null;
  readonly limitsHit: number;
}

/** Live graphs, and the instances that run. */
export function OverviewPage({ api }: OperatorPageProps) {
  const read = useCallback(() => api.readStats(), [api]);
  const { value: stats, problem, refresh } = usePolled(read);
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  useEffect(() => {
    if (stats !== undefined) setSamples((before) => [...before, toSample(stats)].slice(-MAX_SAMPLES));
  }, [stats]);
  return (
    <div class="stack">
      <ProblemNotice problem={problem} onRetry={refresh} />
      {stats === undefined && problem === undefined && <p class="view-wait">Reading the statistics …</p>}
      {stats && <Tiles stats={stats} />}
      {stats && <Charts stats={stats} samples={samples} />}
      <InstanceTable api={api} />
      {stats && <LimitsHit limits={stats.limitsHit} />}
    </div>
  );
}

function Tiles({ stats }: { readonly stats: Stats }) {
  const { storage, queue, deliveryLatencyMs: latency, rates } = stats;
  const ms = (value: number | null) => (value === null ? '–' : formatMs(value));
  return (
    <dl class="card tiles">
      <Tile label="Acknowledged" value={`${formatRate(rates.acknowledgedPerSecond)}/s`} />
      <Tile label="Requests" value={`${formatRate(rates.requestsPerSecond)}/s`} />
      <Tile label="Pushes" value={`${formatRate(rates.pushesPerSecond)}/s`} />
      <Tile label="Delivery, half below" value={ms(latency.p50)} />
      <Tile label="Delivery, 99 % below" value={ms(latency.p99)} />
      <Tile label="Messages stored" value={storage === null ? '–' : formatNumber(storage.messages)} />
      <Tile label="Identities with boxes" value={storage === null ? '–' : formatNumber(storage.identities)} />
      <Tile
        label="Database"
        value={storage === null || storage.databaseBytes === null ? '–' : formatBytes(storage.databaseBytes)}
      />
      <Tile label="Failed jobs" value={queue === null ? '–' : formatNumber(queue.failed)} href="#/operator/jobs" />
    </dl>
  );
}

function Tile({ label, value, href }: { readonly label: string; readonly value: string; readonly href?: string }) {
  return (
    <div class="tile">
      <dt>{label}</dt>
      <dd>{href === undefined ? value : <a href={href}>{value}</a>}</dd>
    </div>
  );
}

function Charts({ stats, samples }: { readonly stats: Stats; readonly samples: readonly Sample[] }) {
  const { history, storage } = stats;
  const fromHistory = (name: 'messagesPerSecond' | 'sockets' | 'p95'): Point[] =>
    history.map((entry) => ({ at: Date.parse(entry.time), value: entry[name] }));
  const fromSamples = (name: Exclude<keyof Sample, 'at'>): Point[] =>
    samples.map((sample) => ({ at: sample.at, value: sample[name] }));
  return (
    <div class="charts">
      <LineChart
        title="Messages per second"
        points={fromHistory('messagesPerSecond')}
        now={stats.rates.messagesPerSecond}
        format={formatRate}
      />
      <LineChart
        title="Live delivery, 95 % below"
        points={fromHistory('p95')}
        now={stats.deliveryLatencyMs.p95}
        format={formatMs}
      />
      <LineChart title="Sockets" points={fromHistory('sockets')} now={stats.sockets} format={formatNumber} />
      <LineChart title="Jobs that wait" points={fromSamples('waiting')} format={formatNumber} />
      <LineChart
        title="Bytes of messages"
        points={fromSamples('bytes')}
        format={formatBytes}
        note={
          storage === null ? 'They are being counted.' : `Counted ${formatFullTime(Date.parse(storage.countedAt))}.`
        }
      />
      <LineChart title="Limits hit since the start" points={fromSamples('limitsHit')} format={formatNumber} />
    </div>
  );
}

function LimitsHit({ limits }: { readonly limits: Stats['limitsHit'] }) {
  return (
    <section class="card stack" aria-labelledby="limits-hit">
      <h2 id="limits-hit">Limits that were hit</h2>
      {limits.length === 0 ? (
        <p class="quiet">None since the instances started.</p>
      ) : (
        <ul class="limit-list">
          {limits.map(({ name, count }) => (
            <li key={name}>
              <code>{name}</code>
              <span>{formatNumber(count)}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function toSample({ time, queue, storage, limitsHit }: Stats): Sample {
  return {
    at: Date.parse(time),
    waiting: queue === null ? null : queue.waiting + queue.delayed + queue.active,
    bytes: storage?.bytes ?? null,
    limitsHit: limitsHit.reduce((sum, { count }) => sum + count, 0),
  };
}

function formatRate(value: number): string {
  return value < 10 ? String(Math.round(value * 10) / 10) : formatNumber(Math.round(value));
}

function formatMs(value: number): string {
  return value < 1_000 ? `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)} ms` : formatDuration(value);
}
