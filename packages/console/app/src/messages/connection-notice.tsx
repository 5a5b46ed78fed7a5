import { clockLeadMs } from '../api/server-clock.js';
import { formatDuration } from '../ui/format.js';
import { Notice } from '../ui/notice.js';
import type { ConnectionStatus } from './live-connection.js';

/** What is wrong with the connection, and what to do; nothing when all is well. */
export function ConnectionNotice({ status }: { readonly status: ConnectionStatus }) {
  if (status.kind === 'offline') {
    return navigator.onLine ? (
      <Notice tone="danger" title="The server can’t be reached.">
        <p>It may be restarting. The console comes back by itself, and fetches what arrived meanwhile.</p>
      </Notice>
    ) : (
      <Notice tone="danger" title="This device is offline.">
        <p>Messages wait on the server. They arrive here when the connection is back.</p>
      </Notice>
    );
  }
  if (status.kind === 'fetching') {
    return (
      <Notice tone="warning" title="Live delivery is not available.">
        <p>
          Messages are fetched every few seconds instead. A proxy may block the path /socket.io/, or the server runs
          with ENABLE_WEBSOCKETS=false.
        </p>
      </Notice>
    );
  }
  return null;
}

/** Says that the clock of this device is wrong; nothing when it is right. Once in a view. */
export function ClockNotice() {
  const lead = clockLeadMs.value ?? 0;
  if (lead === 0) return null;
  return (
    <Notice
      tone="warning"
      title={`The clock of this device is ${formatDuration(Math.abs(lead))} ${lead > 0 ? 'ahead of' : 'behind'} the server’s.`}
    >
      <p>
        Messages still arrive, and their times are the server’s. Set the clock of this device right: certificates and
        other applications depend on it.
      </p>
    </Notice>
  );
}
