import type { StoredUpload } from '@messagebox/store';
import { RuleError } from './rule-error.js';

/** A message that is to name an upload. */
export interface UploadUse {
  readonly uploadId: string;
  /** Identity key of the verified session. Only its own uploads can be named. */
  readonly sender: string;
  readonly recipient: string;
  readonly messageId: string;
}

/** Where the recipient of a message gets its upload. */
export interface UploadLocation {
  /** A presigned GET. */
  readonly url: string;
  /** When the URL stops working. A later list has another one. */
  readonly expiresAt: Date;
}

/**
 * Takes uploads: bodies that are too large for a request, which clients write to a storage themselves. A server without one
 * refuses them.
 */
export interface UploadProcessor {
  /**
   * Announces an upload of the caller.
   *
   * @param request `{bytes, sha256}`, unchecked
   * @param admit called with the number of bytes before anything is done. An error refuses the upload
   * @throws {RuleError} nothing was changed
   * @throws {StoreUnavailableError}
   */
  announce(caller: string, request: unknown, admit?: (bytes: number) => Promise<void>): Promise<AnnouncedUpload>;

  /**
   * Checks that this message may name the upload: it is the sender's, has not expired, belongs to no other message, and its
   * object in the storage has the announced size and hash. Changes nothing that anybody sees.
   *
   * @returns its size in bytes
   * @throws {RuleError} it may not, or the storage does not answer
   * @throws {StoreUnavailableError}
   */
  check(use: UploadUse): Promise<number>;

  /**
   * Reads an upload whose use was checked, and compares its hash.
   *
   * @param purpose a request reads an upload only so often, because it costs its sender nothing; the recovery of a payment
   *   that was taken, as often as it needs
   * @throws {RuleError} `ERR_UPLOAD_MISMATCH`, `ERR_UPLOAD_TOO_LARGE`, `ERR_INVALID_UPLOAD`, `ERR_UPLOAD_NOT_FOUND`,
   *   `ERR_UPLOADS_UNAVAILABLE`
   * @throws {StoreUnavailableError}
   */
  read(uploadId: string, purpose: 'request' | 'recovery'): Promise<Uint8Array>;

  /**
   * Keeps an upload for a payment that is being taken, which may have to be completed after an interruption.
   *
   * @throws {RuleError} `ERR_UPLOAD_NOT_FOUND` when it has expired, or another message has it by now; nothing may be taken then
   * @throws {StoreUnavailableError}
   */
  keepForPayment(use: Pick<UploadUse, 'uploadId' | 'sender'>): Promise<void>;

  /** Where a recipient gets the upload. Asks nobody. */
  locate(upload: StoredUpload): Promise<UploadLocation>;
}

/** The response to `POST /uploads`. */
export interface AnnouncedUpload {
  readonly status: 'success';
  readonly uploadId: string;
  /** A presigned PUT. */
  readonly url: string;
  readonly method: 'PUT';
  /** Headers that the PUT must have, besides its `content-length`. */
  readonly headers: Readonly<Record<string, string>>;
  /** When the URL stops working, and the last time at which a message may name the upload. ISO 8601 in UTC. */
  readonly expiresAt: string;
}

/** An id as {@link UploadProcessor.announce} makes them. */
const UPLOAD_ID_PATTERN = /^[A-Za-z0-9_-]{32}$/;

/** @throws {RuleError} `ERR_INVALID_UPLOAD` unless it has the form of an upload's id */
export function checkUploadId(given: unknown, field: string): string {
  if (typeof given === 'string' && UPLOAD_ID_PATTERN.test(given)) return given;
  throw new RuleError('ERR_INVALID_UPLOAD', `${field} must be the uploadId of an answer to POST /uploads.`);
}

/** The refusal of an upload where there are none. */
export function uploadsDisabledError(): RuleError {
  return new RuleError('ERR_UPLOADS_DISABLED', 'Uploads are not taken here. Send the body in the request.', 403);
}

/** The refusal of an upload that was never made, is somebody else's, or has expired. Which of them is not told. */
export function uploadNotFoundError(): RuleError {
  return new RuleError('ERR_UPLOAD_NOT_FOUND', 'You have no such upload, or it has expired. Make another one.', 404);
}

/** The refusal of an upload that belongs to another message. */
export function uploadNamedError(): RuleError {
  return new RuleError('ERR_UPLOAD_NAMED', 'The upload belongs to another message. Make another one.', 409);
}
