export { type NewObject, type ObjectStorage, StorageUnavailableError, type StoredObject } from './object-storage.js';
export { type OpenUploadsOptions, openUploads } from './open-uploads.js';
export { createUploadRemoval, startUploadRemoval, type UploadRemovalOptions } from './remove-uploads.js';
export { S3Storage } from './s3-storage.js';
export { MAX_TOTAL_UPLOADS, MIN_UPLOAD_BYTES, UploadService, type UploadServiceOptions } from './upload-service.js';
