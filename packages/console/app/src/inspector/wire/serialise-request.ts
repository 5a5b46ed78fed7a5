import type { Header, RecordedBody } from '../observe/traffic.js';
import { decodeUtf8 } from './bytes.js';
import { type LabelledBytes, LabelledBytesBuilder } from './labelled-bytes.js';

/** A request as it was seen on its way. */
export interface SeenRequest {
  /** 32 bytes, from the header x-bsv-auth-request-id. */
  readonly requestId: Uint8Array;
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** All headers; those which are signed are selected here. */
  readonly headers: readonly Header[];
  readonly body: RecordedBody | undefined;
}

/** An answer as it was seen on its way. */
export interface SeenAnswer {
  /** 32 bytes, from the header x-bsv-auth-request-id of the answer. */
  readonly requestId: Uint8Array;
  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: RecordedBody | undefined;
}

/**
 * Serialises a request as BRC-104 signs it: request id, method, path, search with its `?`, signed headers by name, body.
 * A missing search or body is written as the length -1.
 */
export function serialiseRequest({ requestId, method, url, headers, body }: SeenRequest): LabelledBytes {
  const { pathname, search } = new URL(url);
  const builder = new LabelledBytesBuilder()
    .add(requestId, 'id', 'request id', 'Random bytes that name this request. The answer repeats them.')
    .addText(method, 'method', 'method')
    .addText(pathname, 'path', 'path');
  if (search === '') builder.addVarint(-1, 'length of the search', '-1: there is no search');
  else builder.addText(search, 'search', 'search');
  addHeaders(builder, selectSignedRequestHeaders(headers));
  if (body === undefined || body.totalBytes === 0) {
    return builder.addVarint(-1, 'length of the body', '-1: there is no body').build();
  }
  return addBody(builder, body);
}

/**
 * Serialises an answer as BRC-104 signs it: request id, status, signed headers by name, body. The length of an empty body
 * is 0, unlike in requests.
 */
export function serialiseAnswer({ requestId, status, headers, body }: SeenAnswer): LabelledBytes {
  const builder = new LabelledBytesBuilder()
    .add(requestId, 'id', 'request id', 'The id of the request that this answers.')
    .addVarint(status, 'status', String(status));
  addHeaders(builder, selectSignedAnswerHeaders(headers));
  return addBody(builder, body ?? { bytes: new Uint8Array(), totalBytes: 0 });
}

/** `content-type` up to its first `;`, `authorization`, and `x-bsv-*` other than `x-bsv-auth*`, sorted by name. */
export function selectSignedRequestHeaders(headers: readonly Header[]): Header[] {
  const signed: Header[] = [];
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (lower.startsWith('content-type')) signed.push([lower, value.replace(/;.*$/s, '').trim()]);
    else if (isCustomSigned(lower)) signed.push([lower, value]);
  }
  return sortByName(signed);
}

/** `authorization` and `x-bsv-*` other than `x-bsv-auth*`, sorted by name. */
export function selectSignedAnswerHeaders(headers: readonly Header[]): Header[] {
  const lower = headers.map(([name, value]): Header => [name.toLowerCase(), value]);
  return sortByName(lower.filter(([name]) => isCustomSigned(name)));
}

const isCustomSigned = (name: string): boolean =>
  name === 'authorization' || (name.startsWith('x-bsv-') && !name.startsWith('x-bsv-auth'));

const sortByName = (headers: Header[]): Header[] => headers.toSorted(([a], [b]) => a.localeCompare(b));

function addHeaders(builder: LabelledBytesBuilder, headers: readonly Header[]): void {
  builder.addVarint(headers.length, 'number of signed headers');
  for (const [name, value] of headers) {
    builder
      .addText(name, 'header', `name of the header ${name}`)
      .addText(value, 'header', `value of the header ${name}`);
  }
}

function addBody(builder: LabelledBytesBuilder, body: RecordedBody): LabelledBytes {
  const total = body.totalBytes ?? body.bytes.length;
  return builder
    .addVarint(total, 'length of the body')
    .add(body.bytes, 'body', 'body', describeBody(body.bytes))
    .build(total - body.bytes.length);
}

/** The start of a body as text, or its size. */
function describeBody(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text === undefined) return `${bytes.length} bytes that are not text`;
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
