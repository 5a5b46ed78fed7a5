import { ConfigError } from './config-error.js';

/** The S3-compatible storage for uploads. */
export interface UploadStorageConfig {
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

interface UploadVariables {
  readonly UPLOAD_MAX_BYTES: number;
  readonly UPLOADS_S3_ENDPOINT?: string | undefined;
  readonly UPLOADS_S3_PUBLIC_ENDPOINT?: string | undefined;
  readonly UPLOADS_S3_REGION: string;
  readonly UPLOADS_S3_BUCKET?: string | undefined;
  readonly UPLOADS_S3_ACCESS_KEY_ID?: string | undefined;
  readonly UPLOADS_S3_SECRET_ACCESS_KEY?: string | undefined;
  readonly UPLOADS_S3_FORCE_PATH_STYLE: boolean;
}

/**
 * @returns undefined when uploads are off
 * @throws {ConfigError} when they are on, and the storage is not named completely
 */
export function toUploadStorageConfig(variables: UploadVariables): UploadStorageConfig | undefined {
  if (variables.UPLOAD_MAX_BYTES === 0) return undefined;
  const {
    UPLOADS_S3_BUCKET: bucket,
    UPLOADS_S3_ACCESS_KEY_ID: accessKeyId,
    UPLOADS_S3_SECRET_ACCESS_KEY: secretAccessKey,
  } = variables;
  if (bucket === undefined || accessKeyId === undefined || secretAccessKey === undefined) {
    throw new ConfigError([
      'UPLOAD_MAX_BYTES needs UPLOADS_S3_BUCKET, UPLOADS_S3_ACCESS_KEY_ID and UPLOADS_S3_SECRET_ACCESS_KEY',
    ]);
  }
  return {
    endpoint: variables.UPLOADS_S3_ENDPOINT,
    publicEndpoint: variables.UPLOADS_S3_PUBLIC_ENDPOINT,
    region: variables.UPLOADS_S3_REGION,
    bucket,
    accessKeyId,
    secretAccessKey,
    isPathStyle: variables.UPLOADS_S3_FORCE_PATH_STYLE,
  };
}
