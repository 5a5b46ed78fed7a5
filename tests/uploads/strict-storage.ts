import { createHash } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { findSignatureFault } from './signature-v4.js';

/**
 * The part of S3 that uploads need, in memory, as strict as Amazon's: it checks signatures (version 4), `content-length`,
 * `x-amz-checksum-sha256` and `if-none-match`, and tells the checksum when it is asked for.
 */
export function createStrictStorage(): RequestListener {
  const objects = new Map<string, { readonly content: Buffer; readonly checksum: string | undefined }>();
  const refuse = (response: ServerResponse, status: number, code: string) => {
    response.writeHead(status, { 'content-type': 'application/xml', connection: 'close' });
    response.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
  };
  const put = async (key: string, request: IncomingMessage, response: ServerResponse) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const content = Buffer.concat(pieces);
    const announced = request.headers['x-amz-checksum-sha256'];
    const checksum = createHash('sha256').update(content).digest('base64');
    if (announced !== undefined && announced !== checksum) return refuse(response, 400, 'BadDigest');
    if (request.headers['if-none-match'] === '*' && objects.has(key))
      return refuse(response, 412, 'PreconditionFailed');
    objects.set(key, { content, checksum: announced === undefined ? undefined : checksum });
    response.writeHead(200, { 'content-length': 0 }).end();
  };
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const key = new URL(request.url ?? '/', 'http://storage').pathname;
    const fault = findSignatureFault(request);
    if (fault !== undefined) return refuse(response, 403, fault);
    if (request.method === 'PUT') return put(key, request, response);
    if (request.method === 'DELETE') {
      objects.delete(key);
      return response.writeHead(204).end();
    }
    const found = objects.get(key);
    if (found === undefined) return refuse(response, 404, 'NoSuchKey');
    const wantsChecksum = request.headers['x-amz-checksum-mode'] === 'ENABLED' && found.checksum !== undefined;
    response.writeHead(200, {
      'content-length': found.content.length,
      ...(wantsChecksum ? { 'x-amz-checksum-sha256': found.checksum } : {}),
    });
    return response.end(request.method === 'HEAD' ? undefined : found.content);
  };
  return (request, response) => {
    serve(request, response).catch(() => response.destroy());
  };
}
