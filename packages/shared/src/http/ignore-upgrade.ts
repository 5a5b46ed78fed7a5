import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Headers that belong to the upgrade offer and not to the request. HTTP2-Settings is for h2c (RFC 7540, section 3.2.1). */
const UPGRADE_HEADERS = new Set(['upgrade', 'http2-settings']);

/**
 * Serves a request whose upgrade offer is not accepted, as if it had no offer (RFC 9110, section 7.8).
 *
 * At this point Node has removed its parser from the connection and has read nothing beyond the header block. So the header
 * block is put back in front of the rest, without the offer, and the connection is given to the server once more. Bodies of
 * any kind, pipelined requests, keep-alive and all limits remain Node's work.
 *
 * @param socket of the `upgrade` event
 * @param head of the `upgrade` event: the bytes that were read after the header block
 * @param earlier the response to the previous request on the same connection, unless it is closed: responses keep their order
 */
export function ignoreUpgrade(
  server: Server,
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  earlier: ServerResponse | undefined,
): void {
  // An error without a listener would end the process.
  const onError = () => socket.destroy();
  socket.on('error', onError);
  const serve = () => {
    if (socket.destroyed || !socket.writable) return;
    socket.off('error', onError);
    socket.setTimeout(0); // an earlier response may have left its keep-alive timeout
    socket.unshift(Buffer.concat([buildHeaderBlock(request), head]));
    server.emit('connection', socket);
  };
  if (earlier === undefined) serve();
  else earlier.once('close', serve);
}

/** The request line and the headers as they were sent, without the offer. */
function buildHeaderBlock({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    const value = rawHeaders[i + 1] ?? '';
    const lower = name.toLowerCase();
    if (UPGRADE_HEADERS.has(lower)) continue;
    const rest = lower === 'connection' ? removeUpgradeOptions(value) : value;
    if (lower !== 'connection' || rest !== '') lines.push(`${name}: ${rest}`);
  }
  // Node reads each byte of a header as one character.
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** The options of a Connection header, without those that name the offer. */
function removeUpgradeOptions(connection: string): string {
  const options = connection.split(',').map((option) => option.trim());
  return options.filter((option) => option !== '' && !UPGRADE_HEADERS.has(option.toLowerCase())).join(', ');
}
