import { Badge } from '../ui/badge.js';
import type { ConnectionStatus } from './live-connection.js';

const TEXTS = {
  connecting: 'Connecting …',
  live: 'Live',
  fetching: 'Fetching',
  offline: 'Offline',
} as const;
const TONES = { connecting: 'normal', live: 'ok', fetching: 'warning', offline: 'danger' } as const;

/** How messages arrive at the moment, in one word. */
export function ConnectionBadge({ status }: { readonly status: ConnectionStatus }) {
  return (
    <span role="status" class="connection">
      <Badge tone={TONES[status.kind]}>
        <span class="dot" aria-hidden="true" />
        {TEXTS[status.kind]}
      </Badge>
      {status.kind === 'live' && status.transport === 'polling' && <span class="quiet small">by long polling</span>}
    </span>
  );
}
