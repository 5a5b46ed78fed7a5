import { closedObject, integer, openObject, type Properties, schemaRef, text } from '../../schema.js';
import { type Group, json } from '../operation.js';

const announcement = {
  schema: openObject({
    bytes: integer('The size of the content; at least 65,536, at most `UPLOAD_MAX_BYTES`.', 65_536),
    sha256: text('The SHA-256 of the content in hex.', { pattern: '^[0-9a-fA-F]{64}$' }),
  }),
  examples: {
    'a megabyte': { bytes: 1_048_576, sha256: '30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58' },
  },
};

const url = text('A presigned PUT. The storage takes this size and this content alone, with the headers of `headers`.');
const written = {
  method: { const: 'PUT' },
  headers: { type: 'object', additionalProperties: { type: 'string' }, description: 'Headers that the PUT must have.' },
  expiresAt: schemaRef('Time'),
};

const errors = [
  'ERR_UPLOADS_DISABLED',
  'ERR_INVALID_UPLOAD',
  'ERR_UPLOAD_TOO_LARGE',
  'ERR_TOO_MANY_UPLOADS',
  'ERR_UPLOADS_UNAVAILABLE',
] as const;

/** `/uploads`, `/beef/upload-url`. */
export const uploads: Group = {
  name: 'Uploads',
  description:
    'Bodies that are too large for a request go to a storage, and a message names them. Off unless the operator has set `UPLOAD_MAX_BYTES`.',
  operations: [
    {
      method: 'post',
      path: '/uploads',
      operationId: 'announceUpload',
      summary: 'Get a URL for a large body',
      description:
        'PUT the content to the URL, then send a message with `upload`. What no message names within an hour is removed.',
      access: 'signed',
      body: announcement,
      answers: {
        200: json(
          'Where to write the content.',
          closedObject({ status: { const: 'success' }, uploadId: schemaRef('UploadId'), url, ...written }),
        ),
      },
      errors,
    },
    {
      method: 'post',
      path: '/beef/upload-url',
      operationId: 'announceBeefUpload',
      summary: 'Get a URL for a large payment',
      description: 'The same as `/uploads` under other names. `key` is for `payment.beefR2Key` of a send.',
      access: 'signed',
      body: announcement,
      answers: {
        200: json(
          'Where to write the BEEF.',
          closedObject({
            status: { const: 'success' },
            uploadUrl: url,
            key: schemaRef('UploadId'),
            beefR2Key: schemaRef('UploadId'),
            ...written,
          }),
        ),
      },
      errors,
    },
  ],
};

/** Schemas of this group. */
export const uploadSchemas: Properties = {
  UploadId: text('The id of an upload.', { pattern: '^[A-Za-z0-9_-]{32}$' }),
  ListedUpload: closedObject({
    bytes: integer('The size of the content.', 1),
    sha256: text('The SHA-256 of the content in hex. Compare it.', { pattern: '^[0-9a-f]{64}$' }),
    url: { type: ['string', 'null'], description: 'A presigned GET; null while the server takes no uploads.' },
    expiresAt: {
      oneOf: [schemaRef('Time'), { type: 'null' }],
      description: 'When the URL stops working. The next list has another one.',
    },
  }),
};
