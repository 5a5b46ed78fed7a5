import { Badge } from '../../ui/badge.js';
import type { Verdict } from '../explain/describe-record.js';

const BADGES = {
  verified: { tone: 'ok', label: 'Verified' },
  signed: { tone: 'accent', label: 'Signed' },
  failed: { tone: 'danger', label: 'Failed' },
  pending: { tone: 'normal', label: 'Pending' },
  unsigned: { tone: 'normal', label: 'Not signed' },
} as const;

/** What is known of the signatures in a record, in a word. */
export function VerdictBadge({ verdict }: { readonly verdict: Verdict }) {
  const { tone, label } = BADGES[verdict];
  return <Badge tone={tone}>{label}</Badge>;
}
