import { useCallback, useState } from 'preact/hooks';
import { Badge } from '../ui/badge.js';
import { Button } from '../ui/button.js';
import { EmptyState } from '../ui/empty-state.js';
import { formatBytes, formatFullTime, formatNumber } from '../ui/format.js';
import { KeyText, shortenKey } from '../ui/key-text.js';
import { Notice } from '../ui/notice.js';
import { Table } from '../ui/table.js';
import { BlockDialog, PurgeDialog, UnblockDialog } from './identity-dialogs.js';
import type { Block, IdentityReport, OperatorApi } from './operator-api.js';
import { ProblemNotice } from './problem-notice.js';
import { usePolled } from './use-polled.js';

export interface IdentityReportCardProps {
  readonly api: OperatorApi;
  readonly identityKey: string;
}

type Action = { readonly kind: 'block' | 'unblock' } | { readonly kind: 'purge'; readonly messageBox?: string };

/** What is kept of one identity, and what an operator can do about it. */
export function IdentityReportCard({ api, identityKey }: IdentityReportCardProps) {
  const read = useCallback(() => api.readIdentity(identityKey), [api, identityKey]);
  const { value: report, problem, refresh } = usePolled(read);
  const [action, setAction] = useState<Action>();
  const close = () => setAction(undefined);
  const dialog = { api, identityKey, onClose: close, onDone: refresh };
  return (
    <section class="card stack" aria-label="The identity">
      <div class="card-head">
        <h2>Identity</h2>
        {report && <Badge tone={report.blocked ? 'danger' : 'ok'}>{report.blocked ? 'blocked' : 'not blocked'}</Badge>}
      </div>
      <KeyText value={identityKey} full />
      <ProblemNotice problem={problem} onRetry={refresh} />
      {report?.blocked && <BlockNotice block={report.blocked} />}
      {report && (
        <>
          <Facts report={report} />
          <div class="row">
            {report.blocked ? (
              <Button onClick={() => setAction({ kind: 'unblock' })}>Unblock …</Button>
            ) : (
              <Button kind="danger" onClick={() => setAction({ kind: 'block' })}>
                Block …
              </Button>
            )}
            <Button
              kind="danger"
              disabled={report.received.messages === 0}
              onClick={() => setAction({ kind: 'purge' })}
            >
              Purge all boxes …
            </Button>
          </div>
          <h3>Boxes</h3>
          <Boxes report={report} onPurge={(messageBox) => setAction({ kind: 'purge', messageBox })} />
        </>
      )}
      {report === undefined && problem === undefined && <p class="quiet">Asking the server …</p>}
      {action?.kind === 'block' && <BlockDialog {...dialog} />}
      {action?.kind === 'unblock' && <UnblockDialog {...dialog} />}
      {action?.kind === 'purge' && report && (
        <PurgeDialog {...dialog} messageBox={action.messageBox} messages={countMessages(report, action.messageBox)} />
      )}
    </section>
  );
}

function countMessages({ boxes, received }: IdentityReport, messageBox: string | undefined): number {
  if (messageBox === undefined) return received.messages;
  return boxes.find((box) => box.messageBox === messageBox)?.messages ?? 0;
}

function BlockNotice({ block }: { readonly block: Block }) {
  return (
    <Notice tone="warning" title={`Blocked since ${formatFullTime(Date.parse(block.since))}`}>
      <p>
        By the operator <code title={block.by}>{shortenKey(block.by)}</code>
        {block.reason === null ? ', without a reason.' : `: ${block.reason}`}
      </p>
    </Notice>
  );
}

function Facts({ report: { received, sent, devices, permissions } }: { readonly report: IdentityReport }) {
  const amount = ({ messages, bytes }: IdentityReport['sent']) =>
    `${formatNumber(messages)} ${messages === 1 ? 'message' : 'messages'}, ${formatBytes(bytes)}`;
  return (
    <dl class="tiles">
      {[
        ['Waiting for this identity', amount(received)],
        ['Sent, and waiting for others', amount(sent)],
        ['Devices for push', formatNumber(devices)],
        ['Rules about senders', formatNumber(permissions)],
      ].map(([label, value]) => (
        <div class="tile" key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

interface BoxesProps {
  readonly report: IdentityReport;
  readonly onPurge: (messageBox: string) => void;
}

function Boxes({ report: { boxes }, onPurge }: BoxesProps) {
  if (boxes.length === 0) {
    return (
      <EmptyState title="No boxes">
        <p>Nobody has sent anything to this identity here, or it has acknowledged everything.</p>
      </EmptyState>
    );
  }
  return (
    <Table
      caption="Boxes of the identity"
      rows={boxes}
      rowKey={({ messageBox }) => messageBox}
      columns={[
        { label: 'Box', cell: ({ messageBox }) => <span class="box-name">{messageBox}</span> },
        { label: 'Messages', align: 'end', cell: ({ messages }) => formatNumber(messages) },
        { label: 'Size', align: 'end', cell: ({ bytes }) => formatBytes(bytes) },
        {
          label: 'Oldest',
          align: 'end',
          cell: ({ oldest }) => (oldest === null ? '–' : formatFullTime(Date.parse(oldest))),
        },
        {
          label: 'Purge',
          align: 'end',
          cell: ({ messageBox, messages }) => (
            <Button
              size="small"
              kind="danger"
              disabled={messages === 0}
              label={`Purge the box ${messageBox}`}
              onClick={() => onPurge(messageBox)}
            >
              Purge
            </Button>
          ),
        },
      ]}
    />
  );
}
