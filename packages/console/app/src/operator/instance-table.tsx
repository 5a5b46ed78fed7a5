import { useCallback } from 'preact/hooks';
import { serverNow } from '../api/server-clock.js';
import { Badge } from '../ui/badge.js';
import { formatBytes, formatDuration, formatNumber } from '../ui/format.js';
import { Table } from '../ui/table.js';
import type { Instance, OperatorApi } from './operator-api.js';
import { ProblemNotice } from './problem-notice.js';
import { usePolled } from './use-polled.js';

const TONES = { ready: 'ok', starting: 'accent', 'not ready': 'danger', draining: 'warning' } as const;

/** The processes that run. */
export function InstanceTable({ api }: { readonly api: OperatorApi }) {
  const read = useCallback(() => api.listInstances(), [api]);
  const { value: instances, problem, refresh } = usePolled(read);
  return (
    <section class="card stack" aria-labelledby="instances">
      <h2 id="instances">Instances</h2>
      <ProblemNotice problem={problem} onRetry={refresh} />
      {instances !== undefined && (
        <Table
          caption="Instances that run"
          rows={instances}
          rowKey={({ id }) => id}
          columns={[
            { label: 'Service', cell: (instance) => <Name instance={instance} /> },
            { label: 'State', cell: (instance) => <State instance={instance} /> },
            { label: 'Version', cell: ({ version }) => version },
            { label: 'Runs for', cell: ({ startedAt }) => formatAge(startedAt) },
            { label: 'Sockets', align: 'end', cell: ({ sockets }) => formatNumber(sockets) },
            { label: 'Memory', align: 'end', cell: ({ rssBytes }) => formatBytes(rssBytes) },
            { label: 'Heap', align: 'end', cell: ({ heapBytes }) => formatBytes(heapBytes) },
            { label: 'Loop delay', align: 'end', cell: ({ loopDelayMs }) => `${formatNumber(loopDelayMs)} ms` },
          ]}
        />
      )}
    </section>
  );
}

function Name({ instance: { service, id, address } }: { readonly instance: Instance }) {
  return (
    <span class="two-lines">
      <strong>{service}</strong>
      <code class="quiet" title={id}>
        {address?.replace(/^https?:\/\//, '') ?? id.slice(0, 8)}
      </code>
    </span>
  );
}

function State({ instance: { state, reasons } }: { readonly instance: Instance }) {
  return (
    <span class="two-lines">
      <span>
        <Badge tone={TONES[state]}>{state}</Badge>
      </span>
      {reasons.map((reason) => (
        <span key={reason} class="small">
          {reason}
        </span>
      ))}
    </span>
  );
}

function formatAge(startedAt: string): string {
  return formatDuration(Math.max(0, serverNow() - Date.parse(startedAt)));
}
