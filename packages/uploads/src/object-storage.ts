/** What the storage says of an object. */
export interface StoredObject {
  readonly bytes: number;
  /** 64 lower-case hex characters. Undefined where the storage keeps no such checksum. */
  readonly sha256: string | undefined;
}

/** An object that is to be written. */
export interface NewObject {
  readonly key: string;
  readonly bytes: number;
  /** 64 lower-case hex characters. */
  readonly sha256: string;
}

/** The storage could not be asked, or has refused. A later try may succeed. */
export class StorageUnavailableError extends Error {
  override readonly name = 'StorageUnavailableError';
  constructor(cause: unknown) {
    super('The storage for uploads is not available.', { cause });
  }
}

/**
 * The storage of objects, as the uploads use it.
 *
 * Promises: presigning asks nobody. All other calls end in a bounded time, and throw {@link StorageUnavailableError} and
 * nothing else.
 */
export interface ObjectStorage {
  /** A URL that writes exactly this object, for so many seconds, and the headers that the PUT must have. */
  presignPut(object: NewObject, seconds: number): Promise<{ url: string; headers: Record<string, string> }>;
  /** A URL that reads the object, for so many seconds. */
  presignGet(key: string, seconds: number): Promise<string>;
  /** @returns undefined when there is no such object */
  head(key: string): Promise<StoredObject | undefined>;
  /** Reads an object in pieces. Throws from the iteration as well. */
  read(key: string): AsyncIterable<Uint8Array>;
  /** Removes the object, if there is one. */
  remove(key: string): Promise<void>;
  /** Closes connections. */
  close(): Promise<void>;
}
