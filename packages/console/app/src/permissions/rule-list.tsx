import { findName } from '../identity/kept-identities.js';
import { Badge } from '../ui/badge.js';
import { Button } from '../ui/button.js';
import { formatNumber } from '../ui/format.js';
import { KeyText } from '../ui/key-text.js';
import { Table } from '../ui/table.js';
import type { Permission } from './permissions-api.js';

export interface RuleListProps {
  readonly rules: readonly Permission[];
  readonly onSet: (sender: string | undefined, recipientFee: number) => unknown;
}

/** The rules of a box: first the one for everybody, then those of senders. */
export function RuleList({ rules, onSet }: RuleListProps) {
  const ordered = [...rules].sort((a, b) => Number(a.sender !== undefined) - Number(b.sender !== undefined));
  return (
    <Table
      caption="Rules"
      rows={ordered}
      rowKey={({ sender }) => sender ?? ''}
      columns={[
        { label: 'Who', cell: ({ sender }) => <Who sender={sender} /> },
        { label: 'May write', cell: ({ recipientFee }) => <Fee fee={recipientFee} /> },
        {
          label: 'Change',
          cell: ({ sender, recipientFee }) =>
            recipientFee === -1 ? (
              <Button size="small" onClick={() => onSet(sender, 0)} label={`Allow ${describe(sender)}`}>
                Allow
              </Button>
            ) : (
              <Button size="small" kind="danger" onClick={() => onSet(sender, -1)} label={`Block ${describe(sender)}`}>
                Block
              </Button>
            ),
        },
      ]}
    />
  );
}

function Who({ sender }: { readonly sender: string | undefined }) {
  if (sender === undefined) return <span class="strong">Everybody else</span>;
  const name = findName(sender);
  return (
    <span class="row">
      {name !== undefined && <span class="strong">{name}</span>}
      <KeyText value={sender} what="sender’s key" />
    </span>
  );
}

function Fee({ fee }: { readonly fee: number }) {
  if (fee === -1) return <Badge tone="danger">not at all</Badge>;
  return fee === 0 ? <Badge tone="ok">free</Badge> : <Badge tone="accent">for {formatNumber(fee)} satoshis</Badge>;
}

function describe(sender: string | undefined): string {
  return sender === undefined ? 'everybody else' : (findName(sender) ?? 'this sender');
}
