/** The S3-compatible storage for uploads. The service that takes uploads checks the fields that it needs. */
export interface UploadStorageConfig {
  /** Undefined: Amazon S3 in the region. */
  readonly endpoint: string | undefined;
  /** Under which clients reach the storage. Undefined: the endpoint. */
  readonly publicEndpoint: string | undefined;
  readonly region: string;
  readonly bucket: string | undefined;
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
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

/** @returns undefined when uploads are off */
export function toUploadStorageConfig(variables: UploadVariables): UploadStorageConfig | undefined {
  if (variables.UPLOAD_MAX_BYTES === 0) return undefined;
  return {
    endpoint: variables.UPLOADS_S3_ENDPOINT,
    publicEndpoint: variables.UPLOADS_S3_PUBLIC_ENDPOINT,
    region: variables.UPLOADS_S3_REGION,
    bucket: variables.UPLOADS_S3_BUCKET,
    accessKeyId: variables.UPLOADS_S3_ACCESS_KEY_ID,
    secretAccessKey: variables.UPLOADS_S3_SECRET_ACCESS_KEY,
    isPathStyle: variables.UPLOADS_S3_FORCE_PATH_STYLE,
  };
}
