import type { Config, Logger, ShutdownHooks } from '@messagebox/shared';
import { type SqlClient, UploadStore } from '@messagebox/store';
import { startUploadRemoval } from './remove-uploads.js';
import { S3Storage } from './s3-storage.js';
import { UploadService } from './upload-service.js';

/** The options of {@link openUploads}. */
export interface OpenUploadsOptions {
  readonly config: Pick<Config, 'uploads' | 'limits'>;
  readonly sql: SqlClient;
  readonly log: Logger;
  readonly shutdown: ShutdownHooks;
}

/**
 * Opens the uploads that the configuration names, and begins to remove those that are not needed any more. The SDK of the
 * storage is loaded by the first use.
 *
 * @returns undefined when uploads are off
 */
export function openUploads({ config, sql, log, shutdown }: OpenUploadsOptions): UploadService | undefined {
  if (config.uploads === undefined) return undefined;
  const storage = new S3Storage(config.uploads);
  const { bytes, openPerIdentity, totalBytes } = config.limits.uploads;
  shutdown.add('storage of uploads', () => storage.close());
  shutdown.add('removal of uploads', startUploadRemoval({ sql, storage, log }));
  return new UploadService({
    records: new UploadStore(sql),
    storage,
    maxBytes: bytes,
    limits: { openUploads: openPerIdentity, totalBytes },
    log,
  });
}
