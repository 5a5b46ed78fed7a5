import { createHash, randomBytes } from 'node:crypto';
import {
  type AnnouncedUpload,
  getField,
  RuleError,
  type UploadLocation,
  type UploadProcessor,
  type UploadUse,
  uploadNamedError,
  uploadNotFoundError,
} from '@messagebox/messages';
import { getRateLimitedLog, type Logger, Semaphore } from '@messagebox/shared';
import {
  type StoredUpload,
  TooManyUploadsError,
  type Upload,
  type UploadLimits,
  type UploadStore,
} from '@messagebox/store';
import { toObjectKey } from './object-keys.js';
import { type ObjectStorage, StorageUnavailableError } from './object-storage.js';

/** The options of {@link UploadService}. */
export interface UploadServiceOptions {
  readonly records: UploadStore;
  readonly storage: ObjectStorage;
  /** Bytes of one upload. */
  readonly maxBytes: number;
  readonly limits: Omit<UploadLimits, 'totalUploads'>;
  readonly log: Logger;
  /** Milliseconds since 1970. Default: the clock. */
  readonly now?: () => number;
  /** Milliseconds for which an upload is open. Default: an hour. */
  readonly openMs?: number;
}

/** What is smaller belongs into the request. It also bounds how many uploads the quotas of bytes leave room for. */
export const MIN_UPLOAD_BYTES = 65_536;
/** All uploads of all identities: each sum over them reads so many rows at most. */
export const MAX_TOTAL_UPLOADS = 100_000;
const DEFAULT_OPEN_MS = 3_600_000;
const DOWNLOAD_SECONDS = 900;
/** A payment that the network has not accepted is given up after a day, and tried once an hour at the end. */
const PAYMENT_MS = 2 * 86_400_000;
/** A transaction is in memory as a whole. */
export const MAX_READ_BYTES = 128 * 1_024 * 1_024;
/** Each announced byte is read so often at most, however often its sender names it. */
const MAX_READS = 8;
/** Objects that are read by the server at once. The others wait. */
const MAX_CONCURRENT_READS = 2;
const SHA256_PATTERN = /^[0-9a-fA-F]{64}$/;

/** {@link UploadProcessor} on a storage of objects. */
export class UploadService implements UploadProcessor {
  readonly #reads = new Semaphore(MAX_CONCURRENT_READS);
  readonly #now: () => number;

  constructor(private readonly options: UploadServiceOptions) {
    this.#now = options.now ?? Date.now;
  }

  async announce(caller: string, request: unknown, admit?: (bytes: number) => Promise<void>): Promise<AnnouncedUpload> {
    const { records, storage, limits, openMs = DEFAULT_OPEN_MS } = this.options;
    const { bytes, sha256 } = this.#parse(request);
    await admit?.(bytes);
    const uploadId = randomBytes(24).toString('base64url');
    const now = this.#now();
    const seconds = Math.floor(openMs / 1_000);
    const object = { key: toObjectKey(uploadId), bytes, sha256 };
    const { url, headers } = await this.#withStorage(() => storage.presignPut(object, seconds));
    const expiresAt = now + openMs;
    try {
      await records.announce(
        { uploadId, owner: caller, bytes, sha256, writableUntil: expiresAt, expiresAt },
        { ...limits, totalUploads: MAX_TOTAL_UPLOADS },
        now,
      );
    } catch (error) {
      throw error instanceof TooManyUploadsError ? toRuleError(error, limits.openUploads) : error;
    }
    return {
      status: 'success',
      uploadId,
      url,
      method: 'PUT',
      headers,
      expiresAt: new Date(expiresAt).toISOString(),
    };
  }

  async check({ uploadId, sender, recipient, messageId }: UploadUse): Promise<number> {
    const { records } = this.options;
    const upload = await records.find(uploadId);
    if (upload === undefined || upload.owner !== sender) throw uploadNotFoundError();
    if (upload.state === 'named') {
      const message = await records.findMessage(uploadId);
      // The sender repeats a send whose answer it has missed.
      if (message?.recipient === recipient && message.messageId === messageId) return upload.bytes;
      throw uploadNamedError();
    }
    const isExpired = upload.state === 'gone' || (upload.expiresAt ?? 0) <= this.#now();
    if (isExpired) throw uploadNotFoundError();
    if (!upload.isVerified) {
      await this.#verify(upload);
      await records.markVerified(uploadId, this.#now());
    }
    return upload.bytes;
  }

  async read(uploadId: string, purpose: 'request' | 'recovery'): Promise<Uint8Array> {
    const upload = await this.options.records.find(uploadId);
    if (upload === undefined || upload.state === 'gone') throw uploadNotFoundError();
    if (upload.bytes > MAX_READ_BYTES) {
      const description = `A transaction in an upload may have ${MAX_READ_BYTES} bytes.`;
      const details = { limit: MAX_READ_BYTES, field: 'payment.beefR2Key' };
      throw new RuleError('ERR_UPLOAD_TOO_LARGE', description, 413, details);
    }
    if (purpose === 'request') await this.#countRead(uploadId);
    const pieces: Uint8Array[] = [];
    await this.#digest(upload, (piece) => pieces.push(piece));
    return Buffer.concat(pieces);
  }

  async keepForPayment({ uploadId, sender }: Pick<UploadUse, 'uploadId' | 'sender'>): Promise<void> {
    const now = this.#now();
    const isKept = await this.options.records.extend({ uploadId, owner: sender }, now + PAYMENT_MS, now);
    if (!isKept) throw uploadNotFoundError();
  }

  async locate({ uploadId }: StoredUpload): Promise<UploadLocation> {
    // The SDK signs in whole seconds. Rounded down, so that the URL never ends before the time that is told.
    const expiresAt = new Date((Math.floor(this.#now() / 1_000) + DOWNLOAD_SECONDS) * 1_000);
    return { url: await this.options.storage.presignGet(toObjectKey(uploadId), DOWNLOAD_SECONDS), expiresAt };
  }

  #parse(request: unknown): { bytes: number; sha256: string } {
    const { maxBytes } = this.options;
    const bytes = getField(request, 'bytes');
    const sha256 = getField(request, 'sha256');
    if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < MIN_UPLOAD_BYTES) {
      const description = `bytes must be a whole number of at least ${MIN_UPLOAD_BYTES}. Smaller bodies go into the request.`;
      throw new RuleError('ERR_INVALID_UPLOAD', description);
    }
    if (typeof sha256 !== 'string' || !SHA256_PATTERN.test(sha256)) {
      throw new RuleError('ERR_INVALID_UPLOAD', 'sha256 must be the SHA-256 of the content in 64 hex characters.');
    }
    if (bytes > maxBytes) {
      const description = `An upload may have ${maxBytes} bytes, and bytes is larger.`;
      throw new RuleError('ERR_UPLOAD_TOO_LARGE', description, 413, { limit: maxBytes, field: 'bytes' });
    }
    return { bytes, sha256: sha256.toLowerCase() };
  }

  /** Asks the storage for size and checksum. Reads the object only where the storage has no checksum. */
  async #verify(upload: Upload): Promise<void> {
    const found = await this.#withStorage(() => this.options.storage.head(toObjectKey(upload.uploadId)));
    if (found === undefined) {
      throw new RuleError('ERR_UPLOAD_INCOMPLETE', 'Nothing was uploaded yet. PUT the content to the URL first.', 409);
    }
    if (found.bytes !== upload.bytes) throw mismatchError();
    if (found.sha256 === undefined) {
      await this.#countRead(upload.uploadId);
      await this.#digest(upload, () => undefined);
    } else if (found.sha256 !== upload.sha256) throw mismatchError();
  }

  /** @throws {RuleError} when the server has read the object too often */
  async #countRead(uploadId: string): Promise<void> {
    if (await this.options.records.countRead(uploadId, MAX_READS)) return;
    throw new RuleError('ERR_INVALID_UPLOAD', 'The upload was named in vain too often. Make another one.');
  }

  /** Reads the object, no further than its announced size, and compares the hash. */
  #digest({ uploadId, bytes, sha256 }: Upload, onPiece: (piece: Uint8Array) => void): Promise<void> {
    return this.#reads.run(() =>
      this.#withStorage(async () => {
        const hash = createHash('sha256');
        let read = 0;
        for await (const piece of this.options.storage.read(toObjectKey(uploadId))) {
          read += piece.length;
          if (read > bytes) throw mismatchError();
          hash.update(piece);
          onPiece(piece);
        }
        if (read !== bytes || hash.digest('hex') !== sha256) throw mismatchError();
      }),
    );
  }

  async #withStorage<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StorageUnavailableError)) throw error;
      const { name } = (error.cause ?? error) as Error;
      getRateLimitedLog(this.options.log).write('error', { reason: name }, 'the storage for uploads failed');
      throw unavailableError('The storage for uploads does not answer. Try again later.');
    }
  }
}

function mismatchError(): RuleError {
  return new RuleError(
    'ERR_UPLOAD_MISMATCH',
    'What was uploaded has another size or another SHA-256 than announced. Make another upload.',
  );
}

function unavailableError(description: string, limit?: string): RuleError {
  return new RuleError(
    'ERR_UPLOADS_UNAVAILABLE',
    description,
    503,
    {},
    { retryAfterSeconds: 10, ...(limit === undefined ? {} : { limit }) },
  );
}

function toRuleError({ whose }: TooManyUploadsError, openUploads: number): RuleError {
  if (whose === 'server') return unavailableError('The storage for uploads is full. Try again later.', 'total_uploads');
  return new RuleError(
    'ERR_TOO_MANY_UPLOADS',
    `You may have ${openUploads} uploads that no message names. Send them, or wait until they expire.`,
    429,
    { limit: openUploads },
    { retryAfterSeconds: 60 },
  );
}
