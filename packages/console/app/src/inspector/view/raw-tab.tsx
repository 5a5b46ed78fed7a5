import { CopyButton } from '../../ui/copy-button.js';
import type { Header, HttpExchange, RecordedBody, SeenPacket, TrafficRecord } from '../observe/traffic.js';
import { decodeUtf8, toHex } from '../wire/bytes.js';
import { formatBytes } from './format.js';

/** A record as it went over the wire, without any explanation. */
export function RawTab({ record }: { readonly record: TrafficRecord }) {
  switch (record.kind) {
    case 'http':
      return <RawExchange exchange={record} />;
    case 'packet':
      return <RawPacket packet={record} />;
    case 'socket':
      return <RawText title={`Websocket ${record.state}`} text={[record.url, record.detail].join('\n').trim()} />;
  }
}

function RawExchange({ exchange }: { readonly exchange: HttpExchange }) {
  const { method, url, requestHeaders, requestBody, answer, failure } = exchange;
  const { pathname, search } = new URL(url);
  return (
    <div class="stack">
      <RawText title="Request" text={`${method} ${pathname}${search}\n${formatHeaders(requestHeaders)}`} />
      <RawBody title="Body of the request" body={requestBody} />
      {answer !== undefined && (
        <>
          <RawText title="Answer" text={`${answer.status} ${answer.statusText}\n${formatHeaders(answer.headers)}`} />
          <RawBody title="Body of the answer" body={answer.body} />
        </>
      )}
      {failure !== undefined && <RawText title="Failure" text={failure} />}
    </div>
  );
}

function RawPacket({ packet }: { readonly packet: SeenPacket }) {
  const { direction, transport, socket, url, text, totalLength, carrier } = packet;
  const way = transport === 'polling' ? `long poll (${carrier?.method ?? ''})` : `websocket ${socket ?? ''}`;
  return (
    <div class="stack">
      <RawText title="Way" text={`${direction} by ${way}\n${url}`} />
      <RawText title="Packet" text={text} />
      {totalLength > text.length && (
        <p class="quiet small">{formatBytes(totalLength - text.length)} more were not kept, to save memory.</p>
      )}
      {carrier !== undefined && (
        <RawText
          title="Headers of the long poll"
          text={formatHeaders([...carrier.requestHeaders, ...(carrier.answer?.headers ?? [])])}
        />
      )}
    </div>
  );
}

function RawBody({ title, body }: { readonly title: string; readonly body: RecordedBody | undefined }) {
  if (body === undefined) return null;
  const missing = (body.totalBytes ?? body.bytes.length) - body.bytes.length;
  return (
    <div>
      <RawText title={title} text={body.note ?? decodeUtf8(body.bytes) ?? toHex(body.bytes)} />
      {missing > 0 && <p class="quiet small">{formatBytes(missing)} more were not kept, to save memory.</p>}
    </div>
  );
}

/** Longer texts would make the page slow. The copy button has all of it. */
const MAX_SHOWN_CHARACTERS = 100_000;

function RawText({ title, text }: { readonly title: string; readonly text: string }) {
  return (
    <section aria-label={title}>
      <div class="raw-head">
        <h3>{title}</h3>
        {text !== '' && <CopyButton text={text} what={title.toLowerCase()} />}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard. */}
      <pre class="raw-text" tabIndex={0}>
        {text === '' ? '(empty)' : text.slice(0, MAX_SHOWN_CHARACTERS)}
      </pre>
      {text.length > MAX_SHOWN_CHARACTERS && (
        <p class="quiet small">The rest is not shown. The copy has the whole text.</p>
      )}
    </section>
  );
}

const formatHeaders = (headers: readonly Header[]): string =>
  headers.map(([name, value]) => `${name}: ${value}`).join('\n');
