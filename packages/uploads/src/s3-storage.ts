import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { type NewObject, type ObjectStorage, StorageUnavailableError, type StoredObject } from './object-storage.js';

/** The options of {@link S3Storage}. */
export interface S3StorageOptions {
  /** Undefined: Amazon S3 in the region. */
  readonly endpoint: string | undefined;
  /** Under which clients reach the storage. Undefined: the endpoint. */
  readonly publicEndpoint: string | undefined;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Whether the bucket is part of the path, and not of the host name. */
  readonly isPathStyle: boolean;
}

/** Milliseconds: a storage that hangs must not hold requests. */
const CONNECTION_TIMEOUT_MS = 3_000;
/** Without any byte for so long, a request has failed. */
const SOCKET_TIMEOUT_MS = 10_000;
const MAX_ATTEMPTS = 2;

/** Headers that the signature covers as headers, so that the storage refuses another size or content. */
const SIGNED_HEADERS = ['content-length', 'x-amz-checksum-sha256', 'if-none-match'] as const;

/** The SDK, which is loaded by the first call: a server without uploads never loads it. */
async function loadSdk() {
  const [s3, presigner] = await Promise.all([import('@aws-sdk/client-s3'), import('@aws-sdk/s3-request-presigner')]);
  return { ...s3, getSignedUrl: presigner.getSignedUrl };
}
type Sdk = Awaited<ReturnType<typeof loadSdk>>;

interface Opened {
  readonly sdk: Sdk;
  /** Asks the storage. */
  readonly client: S3Client;
  /** Signs for clients, who may reach the storage under another address. */
  readonly signer: S3Client;
}

/** Objects in a bucket of S3-compatible storage. */
export class S3Storage implements ObjectStorage {
  #opened: Promise<Opened> | undefined;

  constructor(private readonly config: S3StorageOptions) {}

  async presignPut({ key, bytes, sha256 }: NewObject, seconds: number) {
    const { sdk, signer } = await this.#open();
    const checksum = Buffer.from(sha256, 'hex').toString('base64');
    const command = new sdk.PutObjectCommand({
      Bucket: this.config.bucket,
      Key: key,
      ContentLength: bytes,
      ChecksumSHA256: checksum,
      // What is written once stays as it is. Storages that don't know the condition ignore it.
      IfNoneMatch: '*',
    });
    const url = await sdk.getSignedUrl(signer, command, {
      expiresIn: seconds,
      // In the query they would not bind the client.
      unhoistableHeaders: new Set<string>(SIGNED_HEADERS),
      signableHeaders: new Set<string>(['host', ...SIGNED_HEADERS]),
    });
    return { url, headers: { 'x-amz-checksum-sha256': checksum, 'if-none-match': '*' } };
  }

  async presignGet(key: string, seconds: number): Promise<string> {
    const { sdk, signer } = await this.#open();
    const command = new sdk.GetObjectCommand({ Bucket: this.config.bucket, Key: key });
    return sdk.getSignedUrl(signer, command, { expiresIn: seconds });
  }

  async head(key: string): Promise<StoredObject | undefined> {
    const { sdk, client } = await this.#open();
    try {
      const found = await client.send(
        new sdk.HeadObjectCommand({ Bucket: this.config.bucket, Key: key, ChecksumMode: 'ENABLED' }),
      );
      return { bytes: found.ContentLength ?? 0, sha256: toHex(found.ChecksumSHA256) };
    } catch (error) {
      if (getStatus(error) === 404) return undefined;
      throw new StorageUnavailableError(error);
    }
  }

  async *read(key: string): AsyncIterable<Uint8Array> {
    const { sdk, client } = await this.#open();
    try {
      const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket: this.config.bucket, Key: key }));
      // In Node.js it is a stream; the types allow what browsers have as well.
      for await (const piece of Body as AsyncIterable<Uint8Array>) yield piece;
    } catch (error) {
      throw new StorageUnavailableError(error);
    }
  }

  async remove(key: string): Promise<void> {
    const { sdk, client } = await this.#open();
    try {
      await client.send(new sdk.DeleteObjectCommand({ Bucket: this.config.bucket, Key: key }));
    } catch (error) {
      if (getStatus(error) !== 404) throw new StorageUnavailableError(error);
    }
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    opened?.client.destroy();
    opened?.signer.destroy();
  }

  #open(): Promise<Opened> {
    this.#opened ??= this.#load();
    return this.#opened;
  }

  async #load(): Promise<Opened> {
    const sdk = await loadSdk();
    const { endpoint, publicEndpoint = endpoint, region, accessKeyId, secretAccessKey, isPathStyle } = this.config;
    const toOptions = (address: string | undefined): S3ClientConfig => ({
      ...(address === undefined ? {} : { endpoint: address }),
      region,
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: isPathStyle,
      maxAttempts: MAX_ATTEMPTS,
      requestHandler: {
        connectionTimeout: CONNECTION_TIMEOUT_MS,
        requestTimeout: SOCKET_TIMEOUT_MS,
        socketTimeout: SOCKET_TIMEOUT_MS,
        throwOnRequestTimeout: true,
      },
      // By default the SDK adds checksums of its own, which not every storage takes.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    return { sdk, client: new sdk.S3Client(toOptions(endpoint)), signer: new sdk.S3Client(toOptions(publicEndpoint)) };
  }
}

function getStatus(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode;
}

/** @param checksum base64 of 32 bytes. Anything else, such as the checksum of parts, says nothing about the content */
function toHex(checksum: string | undefined): string | undefined {
  const bytes = Buffer.from(checksum ?? '', 'base64');
  return bytes.length === 32 ? bytes.toString('hex') : undefined;
}
