import {
  type Config,
  ConfigError,
  type Logger,
  type ShutdownHooks,
  type UploadStorageConfig,
} from '@messagebox/shared';
import { type SqlClient, UploadStore } from '@messagebox/store';
import { startUploadRemoval } from './remove-uploads.js';
import { S3Storage, type S3StorageOptions } from './s3-storage.js';
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
 * @throws {ConfigError} when they are on, and the storage is not named completely
 */
export function openUploads({ config, sql, log, shutdown }: OpenUploadsOptions): UploadService | undefined {
  if (config.uploads === undefined) return undefined;
  const storage = new S3Storage(toStorageOptions(config.uploads));
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

function toStorageOptions(config: UploadStorageConfig): S3StorageOptions {
  const { bucket, accessKeyId, secretAccessKey } = config;
  if (bucket === undefined || accessKeyId === undefined || secretAccessKey === undefined) {
    throw new ConfigError([
      'UPLOAD_MAX_BYTES needs UPLOADS_S3_BUCKET, UPLOADS_S3_ACCESS_KEY_ID and UPLOADS_S3_SECRET_ACCESS_KEY',
    ]);
  }
  return { ...config, bucket, accessKeyId, secretAccessKey };
}
