import { type UploadProcessor, uploadsDisabledError } from '@messagebox/messages';
import { getRequestAddress, type RateLimit } from '@messagebox/shared';
import type { Request, RequestHandler } from 'express';
import { consumeJsonBody } from '../http/consume-json-body.js';
import { getCallerKey } from '../http/get-caller-key.js';

/** The options of {@link announceUploadRoute}. */
export interface UploadRouteOptions {
  /** Undefined: uploads are refused. */
  readonly uploads: Pick<UploadProcessor, 'announce'> | undefined;
  /** Limits the announced bytes of an address: identities cost nothing. */
  readonly bytesByAddress: RateLimit;
}

/** `POST /uploads {bytes, sha256}`: a URL to which the caller writes a body that is too large for a request. */
export function announceUploadRoute(options: UploadRouteOptions): RequestHandler {
  return async (request, response) => {
    response.json(await announce(options, request));
  };
}

/**
 * `POST /beef/upload-url {bytes, sha256}`: the same under the names that wallets with large payments know. `key` is for
 * `payment.beefR2Key` of a send.
 */
export function beefUploadUrlRoute(options: UploadRouteOptions): RequestHandler {
  return async (request, response) => {
    const { uploadId, url, ...rest } = await announce(options, request);
    response.json({ ...rest, uploadUrl: url, key: uploadId, beefR2Key: uploadId });
  };
}

function announce({ uploads, bytesByAddress }: UploadRouteOptions, request: Request) {
  if (uploads === undefined) throw uploadsDisabledError();
  return uploads.announce(getCallerKey(request), consumeJsonBody(request), (bytes) =>
    bytesByAddress.admit(getRequestAddress(request), bytes),
  );
}
