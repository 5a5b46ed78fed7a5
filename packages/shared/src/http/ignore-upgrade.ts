import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What belongs to the offer of another protocol and not to the request. HTTP2-Settings is h2c's (RFC 7540, section 3.2.1). */
const OFFER_HEADERS = new Set(['upgrade', 'http2-settings']);

/**
 * Serves a request whose offer to change the protocol is not taken, as if the offer weren't there (RFC 9110, section 7.8).
 *
 * Node has taken its parser off the connection by then and read nothing behind the header block. So the header block goes
 * back in front of the rest, without the offer, and the connection goes to the server once more: bodies of any kind,
 * pipelined requests, keep-alive and all limits are Node's business as ever.
 *
 * @param socket as the `upgrade` event has it
 * @param head as the `upgrade` event has it: what was read behind the header block
 * @param earlier the last request before this one on the same connection, while it isn't answered: answers keep the order
 */
export function ignoreUpgrade(
  server: Server,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  earlier: ServerResponse | undefined,
): void {
  // While nobody else listens, an error would end the process.
  const onError = () => socket.destroy();
  socket.on('error', onError);
  const serve = () => {
    if (socket.destroyed || !socket.writable) return;
    socket.off('error', onError);
    socket.setTimeout(0); // an earlier answer may have left the idle time of a kept connection
    socket.unshift(Buffer.concat([headerBlock(request), head]));
    server.emit('connection', socket);
  };
  if (earlier === undefined) serve();
  else earlier.once('close', serve);
}

/** The request line and the headers as they came, without the offer. */
function headerBlock({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    const lower = name.toLowerCase();
    if (OFFER_HEADERS.has(lower)) continue;
    const rest = lower === 'connection' ? withoutOffer(value) : value;
    if (lower !== 'connection' || rest !== '') lines.push(`${name}: ${rest}`);
  }
  // Node reads each byte of a header as one character.
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** The options of a Connection header but for those that name the offer. */
function withoutOffer(connection: string): string {
  const options = connection.split(',').map((option) => option.trim());
  return options.filter((option) => option !== '' && !OFFER_HEADERS.has(option.toLowerCase())).join(', ');
}
