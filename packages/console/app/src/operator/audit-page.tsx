import { useCallback } from 'preact/hooks';
import { Button } from '../ui/button.js';
import { EmptyState } from '../ui/empty-state.js';
import { formatFullTime } from '../ui/format.js';
import { shortenKey } from '../ui/key-text.js';
import { Table } from '../ui/table.js';
import { IdentityLink } from './identity-link.js';
import type { AuditEntry } from './operator-api.js';
import type { OperatorPageProps } from './operator-page.js';
import { ProblemNotice } from './problem-notice.js';
import { usePages } from './use-pages.js';

/** What operators did, the newest first. */
export function AuditPage({ api }: OperatorPageProps) {
  const read = useCallback((after?: string) => api.listAudit(after), [api]);
  const { items, hasMore, problem, isReading, readMore, restart } = usePages(read);
  return (
    <section class="card stack" aria-labelledby="audit">
      <div class="card-head">
        <h2 id="audit">What operators did</h2>
        <Button size="small" disabled={isReading} onClick={restart}>
          Refresh
        </Button>
      </div>
      <ProblemNotice problem={problem} onRetry={restart} />
      {items === undefined && problem === undefined && <p class="quiet">Asking the server …</p>}
      {items?.length === 0 && (
        <EmptyState title="Nothing yet">
          <p>Blocks, purges, changed fees, retried jobs and overlay requests are recorded here.</p>
        </EmptyState>
      )}
      {items !== undefined && items.length > 0 && (
        <Table
          caption="What operators did"
          rows={items}
          rowKey={({ id }) => id}
          columns={[
            { label: 'When', cell: ({ time }) => formatFullTime(Date.parse(time)) },
            { label: 'Operator', cell: ({ operator }) => <code title={operator}>{shortenKey(operator)}</code> },
            { label: 'Action', cell: ({ action }) => action },
            { label: 'Subject', cell: (entry) => <Subject entry={entry} /> },
            { label: 'Details', cell: ({ details }) => <Details details={details} /> },
          ]}
        />
      )}
      {hasMore && (
        <div>
          <Button disabled={isReading} onClick={readMore}>
            Show more
          </Button>
        </div>
      )}
    </section>
  );
}

function Subject({ entry: { subject } }: { readonly entry: AuditEntry }) {
  if (/^0[23][0-9a-f]{64}$/.test(subject)) return <IdentityLink identityKey={subject} />;
  return <span class="box-name">{subject === '' ? '–' : subject}</span>;
}

function Details({ details }: { readonly details: AuditEntry['details'] }) {
  const entries = Object.entries(details);
  if (entries.length === 0) return <span class="quiet">–</span>;
  return <span class="box-name">{entries.map(([name, value]) => `${name}: ${value}`).join(', ')}</span>;
}
