import { useCallback } from 'preact/hooks';
import { EmptyState } from '../ui/empty-state.js';
import { formatFullTime } from '../ui/format.js';
import { KeyText } from '../ui/key-text.js';
import { Table } from '../ui/table.js';
import type { OperatorPageProps } from './operator-page.js';
import { ProblemNotice } from './problem-notice.js';
import { usePolled } from './use-polled.js';

/** What this host has advertised in the chain. */
export function AdvertisementsPage({ api }: OperatorPageProps) {
  const read = useCallback(() => api.listAdvertisements(), [api]);
  const { value: advertisements, problem, refresh } = usePolled(read);
  return (
    <section class="card stack" aria-labelledby="advertisements">
      <h2 id="advertisements">Advertisements of this host</h2>
      <ProblemNotice problem={problem} onRetry={refresh} />
      {advertisements === undefined && problem === undefined && <p class="quiet">Asking the server …</p>}
      {advertisements?.length === 0 && (
        <EmptyState title="This host is not advertised">
          <p>
            Others find it only by its address. To advertise it, set HOSTING_DOMAIN to the public address, and send POST
            /overlay/advertise.
          </p>
        </EmptyState>
      )}
      {advertisements !== undefined && advertisements.length > 0 && (
        <Table
          caption="Advertisements of this host"
          rows={advertisements}
          rowKey={({ txid, outputIndex }) => `${txid}.${outputIndex}`}
          columns={[
            { label: 'Kind', cell: ({ protocol }) => protocol },
            { label: 'Serves', cell: ({ name }) => <code>{name}</code> },
            { label: 'Host', cell: ({ domain }) => domain },
            {
              label: 'Transaction',
              cell: ({ txid, outputIndex }) => (
                <span class="row">
                  <KeyText value={txid} what="transaction id" />
                  <span class="quiet small">output {outputIndex}</span>
                </span>
              ),
            },
            { label: 'Since', align: 'end', cell: ({ createdAt }) => formatFullTime(Date.parse(createdAt)) },
          ]}
        />
      )}
    </section>
  );
}
