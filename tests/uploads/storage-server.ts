import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import S3rver from 's3rver';
import { ACCOUNT } from './signature-v4.js';
import { createStrictStorage } from './strict-storage.js';

/**
 * - `strict`: ours, which checks signatures, sizes, hashes and conditions as Amazon S3 does.
 * - `s3rver`: the package of that name, somebody else's reading of the protocol. It checks no signature of version 4, no hash
 *   and no condition, and so shows what the server notices by itself.
 */
export type StorageKind = 'strict' | 's3rver';

const BUCKET = 'messagebox-test';

/** An S3-compatible storage that notes what it is asked for, and can be made to fail. */
export class StorageServer {
  /** Methods and paths of the requests that it took, such as `PUT /bucket/key`. */
  readonly requests: string[] = [];
  /** Answers everything with 503 while true. */
  isDown = false;
  /** Answers each DELETE with 503 while true. */
  keepsObjects = false;
  readonly #server: Server;

  private constructor(
    serve: RequestListener,
    private readonly folder: { remove(): void },
  ) {
    this.#server = createServer((request, response) => {
      const line = `${request.method} ${request.url?.replace(/\?.*/, '')}`;
      this.requests.push(line);
      if (!this.isDown && !(this.keepsObjects && request.method === 'DELETE')) return serve(request, response);
      response.writeHead(503, { connection: 'close' }).end();
    });
  }

  static async start(kind: StorageKind): Promise<StorageServer> {
    const folder = createTemporaryFolder();
    const storage = new StorageServer(
      kind === 'strict' ? createStrictStorage() : await openS3rver(folder.path),
      folder,
    );
    await new Promise<void>((resolve) => storage.#server.listen(0, '127.0.0.1', resolve));
    return storage;
  }

  /** The environment of a server that keeps its uploads here. */
  get env(): Record<string, string> {
    const { port } = this.#server.address() as AddressInfo;
    return {
      UPLOADS_S3_ENDPOINT: `http://127.0.0.1:${port}`,
      UPLOADS_S3_BUCKET: BUCKET,
      UPLOADS_S3_ACCESS_KEY_ID: ACCOUNT.accessKeyId,
      UPLOADS_S3_SECRET_ACCESS_KEY: ACCOUNT.secretAccessKey,
    };
  }

  /** How often an upload's object was asked for by this method. */
  count(method: string, uploadId: string): number {
    return this.requests.filter((line) => line === `${method} /${BUCKET}/uploads/${uploadId}`).length;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    this.folder.remove();
  }
}

async function openS3rver(directory: string): Promise<RequestListener> {
  const s3rver = new S3rver({
    silent: true,
    directory,
    vhostBuckets: false,
    configureBuckets: [{ name: BUCKET, configs: [] }],
  });
  await s3rver.configureBuckets();
  return s3rver.getMiddleware();
}
