import { useCallback, useState } from 'preact/hooks';
import { Button } from '../ui/button.js';
import { EmptyState } from '../ui/empty-state.js';
import { formatBytes, formatFullTime, formatNumber } from '../ui/format.js';
import { Segmented } from '../ui/segmented.js';
import { type Column, Table } from '../ui/table.js';
import { IdentityLink } from './identity-link.js';
import type { OperatorApi, Page, RankedBox, RankedSender, UsageOrder } from './operator-api.js';
import type { OperatorPageProps } from './operator-page.js';
import { ProblemNotice } from './problem-notice.js';
import { usePages } from './use-pages.js';

/** The largest boxes, and the senders of most of what is stored. */
export function LargestPage({ api }: OperatorPageProps) {
  const [order, setOrder] = useState<UsageOrder>('bytes');
  return (
    <div class="stack">
      <div class="row">
        <Segmented
          label="Order"
          value={order}
          options={[
            { value: 'bytes', label: 'By bytes' },
            { value: 'messages', label: 'By messages' },
          ]}
          onChange={setOrder}
        />
        <span class="quiet">Keys, boxes and sizes only. The text of messages is not shown.</span>
      </div>
      <Boxes api={api} order={order} />
      <Senders api={api} order={order} />
    </div>
  );
}

interface RankingProps {
  readonly api: OperatorApi;
  readonly order: UsageOrder;
}

function Boxes({ api, order }: RankingProps) {
  const read = useCallback((after?: string) => api.listBoxes(order, after), [api, order]);
  return (
    <Ranking<RankedBox>
      title="Largest boxes"
      read={read}
      rowKey={({ identityKey, messageBox }) => `${identityKey} ${messageBox}`}
      columns={[
        { label: 'Owner', cell: ({ identityKey }) => <IdentityLink identityKey={identityKey} /> },
        { label: 'Box', cell: ({ messageBox }) => <span class="box-name">{messageBox}</span> },
        { label: 'Messages', align: 'end', cell: ({ messages }) => formatNumber(messages) },
        { label: 'Size', align: 'end', cell: ({ bytes }) => formatBytes(bytes) },
        {
          label: 'Oldest',
          align: 'end',
          cell: ({ oldest }) => (oldest === null ? '–' : formatFullTime(Date.parse(oldest))),
        },
      ]}
    />
  );
}

function Senders({ api, order }: RankingProps) {
  const read = useCallback((after?: string) => api.listSenders(order, after), [api, order]);
  return (
    <Ranking<RankedSender>
      title="Largest senders"
      read={read}
      rowKey={({ identityKey }) => identityKey}
      columns={[
        { label: 'Sender', cell: ({ identityKey }) => <IdentityLink identityKey={identityKey} /> },
        { label: 'Messages', align: 'end', cell: ({ messages }) => formatNumber(messages) },
        { label: 'Size', align: 'end', cell: ({ bytes }) => formatBytes(bytes) },
      ]}
    />
  );
}

interface RankingTableProps<T> {
  readonly title: string;
  readonly read: (after?: string) => Promise<Page<T>>;
  readonly rowKey: (row: T) => string;
  readonly columns: readonly Column<T>[];
}

function Ranking<T>({ title, read, rowKey, columns }: RankingTableProps<T>) {
  const { items, countedAt, hasMore, problem, isReading, readMore, restart } = usePages(read);
  return (
    <section class="card stack" aria-label={title}>
      <div class="card-head">
        <h2>{title}</h2>
        <span class="row">
          {countedAt && <span class="quiet small">Counted {formatFullTime(Date.parse(countedAt))}</span>}
          <Button size="small" disabled={isReading} onClick={restart} label={`Refresh the ${title.toLowerCase()}`}>
            Refresh
          </Button>
        </span>
      </div>
      <ProblemNotice problem={problem} onRetry={restart} />
      {items === undefined && problem === undefined && <p class="quiet">Counting …</p>}
      {items?.length === 0 && <Nothing isCounting={countedAt === null} />}
      {items !== undefined && items.length > 0 && (
        <Table caption={title} columns={columns} rows={items} rowKey={rowKey} />
      )}
      {hasMore && (
        <div>
          <Button disabled={isReading} onClick={readMore} label={`Show more of the ${title.toLowerCase()}`}>
            Show more
          </Button>
        </div>
      )}
    </section>
  );
}

function Nothing({ isCounting }: { readonly isCounting: boolean }) {
  return isCounting ? (
    <EmptyState title="Still counting">
      <p>
        There are many messages, and they are counted in small steps so that nobody has to wait. Refresh in a minute.
      </p>
    </EmptyState>
  ) : (
    <EmptyState title="Nothing is stored">
      <p>Every message was acknowledged by its recipient.</p>
    </EmptyState>
  );
}
