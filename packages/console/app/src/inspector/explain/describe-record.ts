import type { HttpExchange, SeenPacket, TrafficRecord } from '../observe/traffic.js';
import type { WalletCall, WalletLog } from '../observe/wallet-log.js';
import { fromBase64 } from '../wire/bytes.js';
import { readHexHeader } from './check-signature.js';
import { isHttpHandshake, readAuthHeader } from './explain-http.js';
import { readPacket } from './explain-packet.js';

/** Where a record belongs in the list. */
export type Category = 'handshake' | 'http' | 'live' | 'transport';

/**
 * What is known of the signatures in a record. `verified`: the wallet accepted what came. `signed`: the wallet made what was
 * sent. `failed`: the wallet refused, or what should be signed is not. `pending`: not decided yet. `unsigned`: nothing to
 * sign.
 */
export type Verdict = 'failed' | 'pending' | 'signed' | 'unsigned' | 'verified';

/** A record in one line. */
export interface RecordLine {
  readonly category: Category;
  /** Sent by this page, received, or both: a request and its answer. */
  readonly direction: 'both' | 'received' | 'sent';
  /** The method, or `websocket` or `polling`. */
  readonly way: string;
  /** The path, the event, or the type of the packet. Text of others. */
  readonly subject: string;
  /** The status of an answer, or why there is none. */
  readonly outcome: string;
  /** The size of the bodies or of the packet. */
  readonly bytes: number;
  readonly verdict: Verdict;
}

/** Describes a record in one line. */
export function describeRecord(record: TrafficRecord, calls: WalletLog): RecordLine {
  switch (record.kind) {
    case 'http':
      return describeExchange(record, calls);
    case 'packet':
      return describePacket(record, calls);
    case 'socket':
      return {
        category: 'transport',
        direction: record.state === 'closed' ? 'received' : 'sent',
        way: 'websocket',
        subject: record.state,
        outcome: record.detail,
        bytes: 0,
        verdict: 'unsigned',
      };
  }
}

function describeExchange(exchange: HttpExchange, calls: WalletLog): RecordLine {
  const { pathname, search } = new URL(exchange.url);
  const { answer, requestBody, failure } = exchange;
  const bytes = (requestBody?.totalBytes ?? 0) + (answer?.body?.totalBytes ?? answer?.body?.bytes.length ?? 0);
  return {
    category: isHttpHandshake(exchange) ? 'handshake' : 'http',
    direction: 'both',
    way: exchange.method,
    subject: pathname + search,
    outcome: failure !== undefined ? 'failed' : answer === undefined ? '…' : String(answer.status),
    bytes,
    verdict: judgeExchange(exchange, calls),
  };
}

function judgeExchange(exchange: HttpExchange, calls: WalletLog): Verdict {
  const { requestHeaders, answer, failure } = exchange;
  const isHandshake = isHttpHandshake(exchange);
  if (!isHandshake && readAuthHeader(requestHeaders, 'signature') === undefined) return 'unsigned';
  if (failure !== undefined) return 'failed';
  if (answer === undefined) return 'pending';
  const signature = readAuthHeader(answer.headers, 'signature');
  if (signature === undefined) return 'failed';
  const yourNonce = readAuthHeader(answer.headers, 'your-nonce');
  return judgeReceived(readHexHeader(signature), yourNonce, calls);
}

function describePacket(seen: SeenPacket, calls: WalletLog): RecordLine {
  const { packet, message, eventName } = readPacket(seen);
  const line = {
    direction: seen.direction,
    way: seen.transport,
    outcome: '',
    bytes: seen.totalLength,
  } as const;
  if (message === undefined) {
    const subject =
      packet.layer === 'unreadable'
        ? 'unreadable packet'
        : packet.layer === 'socket.io'
          ? (packet.event ?? packet.type)
          : packet.type;
    const category = packet.layer === 'socket.io' && packet.event !== undefined ? 'live' : 'transport';
    return { ...line, category, subject, verdict: 'unsigned' };
  }
  const isGeneral = message.messageType === 'general';
  return {
    ...line,
    category: isGeneral ? 'live' : 'handshake',
    subject: isGeneral ? (eventName ?? 'unreadable event') : message.messageType,
    verdict:
      message.messageType === 'initialRequest'
        ? 'unsigned'
        : seen.direction === 'received'
          ? judgeReceived(message.signature, message.yourNonce, calls)
          : calls.find('createSignature', message.signature).length > 0
            ? 'signed'
            : 'pending',
  };
}

/** A message counts as refused when the wallet did not accept its signature, or did not recognise its nonce. */
function judgeReceived(signature: Uint8Array, yourNonce: string | undefined, calls: WalletLog): Verdict {
  const verdict = lastVerdict(calls.find('verifySignature', signature));
  if (verdict !== undefined) return verdict ? 'verified' : 'failed';
  const hmac = fromBase64(yourNonce ?? '')?.subarray(16);
  const isKnownNonce = hmac === undefined ? undefined : lastVerdict(calls.find('verifyHmac', hmac));
  return isKnownNonce === false ? 'failed' : 'pending';
}

const lastVerdict = (found: readonly WalletCall[]): boolean | undefined => found.at(-1)?.valid;
