import { useEffect, useState } from 'preact/hooks';
import { serverUrl } from '../api/server-url.js';
import { KeyText } from '../ui/key-text.js';

/** What this page shows of `GET /info`. */
interface ServerInfo {
  readonly version: string;
  readonly network: string;
  readonly identityKey: string;
  readonly limits: {
    readonly requestBodyBytes: number;
    readonly recipients: number;
    readonly retentionDays: number | null;
  };
  readonly fees: { readonly delivery?: Readonly<Record<string, number>> };
}

/** The server that serves this page: what it is, and what it allows. Nothing while it has not said so. */
export function ServerCard() {
  const [info, setInfo] = useState<ServerInfo>();
  useEffect(() => {
    const leaving = new AbortController();
    readInfo(leaving.signal).then(setInfo, () => undefined);
    return () => leaving.abort();
  }, []);
  if (info === undefined) return null;
  const { version, network, identityKey, limits, fees } = info;
  const charged = Object.entries(fees.delivery ?? {}).filter(([, fee]) => fee > 0);
  return (
    <section class="card" aria-labelledby="this-server">
      <div class="stack">
        <h2 id="this-server">This server</h2>
        <p class="quiet">
          MessageBox {version} on the network {network}. A request may have{' '}
          {limits.requestBodyBytes.toLocaleString('en')} bytes and {limits.recipients} recipients.{' '}
          {limits.retentionDays === null
            ? 'Messages stay until they are acknowledged.'
            : `Messages stay for ${limits.retentionDays} days.`}{' '}
          {charged.length === 0
            ? 'Delivery is free.'
            : `Delivery costs ${charged.map(([box, fee]) => `${fee} satoshis in ${box}`).join(', ')}.`}
        </p>
        <KeyText value={identityKey} full />
      </div>
    </section>
  );
}

/** @throws {Error} when there is no answer, or none of this form: servers of the version before have no `/info` */
async function readInfo(signal: AbortSignal): Promise<ServerInfo> {
  const response = await fetch(`${serverUrl}/info`, { signal });
  const info = (await response.json()) as Partial<ServerInfo>;
  if (!response.ok || info.limits === undefined || info.fees === undefined) throw new Error('no description');
  return info as ServerInfo;
}
