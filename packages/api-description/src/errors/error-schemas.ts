import type { JsonObject } from '../json.js';
import { closedObject, integer, list, type Properties, text } from '../schema.js';
import { type ErrorCode, type ErrorEntry, errorCatalogue } from './catalogue.js';

/** All error codes, in the order of docs/errors.md. */
export const errorCodes = Object.keys(errorCatalogue) as ErrorCode[];

export function getErrorEntry(code: ErrorCode): ErrorEntry {
  return errorCatalogue[code];
}

const quotaDetails: Properties = {
  resource: { enum: ['messages', 'bytes'], description: 'What there is too much of.' },
  limit: integer('The quota.', 0),
  recipient: text('Whose quota it is, or with whom.'),
};

const sizeDetails: Properties = {
  field: text('The field that is too large; `requestBody` is the body of the whole request.'),
  limit: integer('What is allowed: bytes, characters or entries, as the description says.', 0),
  size: integer('What was sent.', 0),
};
const alwaysSized = { properties: sizeDetails, optional: ['size'] };
const sometimesSized = { properties: sizeDetails, optional: ['field', 'limit', 'size'] };

/** Fields of single errors, for programs. */
const detailsByCode: Partial<Record<ErrorCode, { readonly properties: Properties; readonly optional: string[] }>> = {
  ERR_DELIVERY_BLOCKED: {
    properties: { blockedRecipients: list({ type: 'string' }, { description: 'Who has blocked the sender.' }) },
    optional: [],
  },
  ERR_BODY_TOO_LARGE: alwaysSized,
  ERR_MESSAGE_TOO_LARGE: alwaysSized,
  ERR_TOO_MANY_RECIPIENTS: alwaysSized,
  ERR_TOO_MANY_MESSAGE_IDS: alwaysSized,
  ERR_INVALID_LIMIT: alwaysSized,
  // Only where the value is too long or too large, and not of another form.
  ERR_INVALID_MESSAGEBOX: sometimesSized,
  ERR_INVALID_MESSAGE_BOX: sometimesSized,
  ERR_INVALID_MESSAGEID: sometimesSized,
  ERR_INVALID_PAYMENT: sometimesSized,
  ERR_INBOX_QUOTA_EXCEEDED: { properties: quotaDetails, optional: ['recipient'] },
  ERR_SENDER_QUOTA_EXCEEDED: { properties: quotaDetails, optional: ['recipient'] },
  ERR_UPLOAD_TOO_LARGE: {
    properties: { limit: integer('The most bytes.', 0), field: text('The field that is too large.') },
    optional: [],
  },
  ERR_TOO_MANY_UPLOADS: { properties: { limit: integer('The allowed number.', 0) }, optional: [] },
  ERR_PAYMENT_REQUIRED: { properties: { satoshisRequired: integer('The price in satoshis.', 1) }, optional: [] },
  ERR_TOO_MANY_PERMISSIONS: { properties: { limit: integer('The allowed number.', 0) }, optional: [] },
};

/** The additional fields of an error. */
export function getErrorDetails(code: ErrorCode): { readonly properties: Properties; readonly optional: string[] } {
  return detailsByCode[code] ?? { properties: {}, optional: [] };
}

/** The body of an HTTP error with this code. */
export function createErrorSchema(code: ErrorCode): JsonObject {
  const { cause, cure } = getErrorEntry(code);
  const { properties, optional } = getErrorDetails(code);
  // The published middleware has `message` in this answer, and clients read it.
  const description = code === 'UNAUTHORIZED' ? 'message' : 'description';
  return {
    title: code,
    description: `${cause} ${cure}`,
    'x-cause': cause,
    'x-cure': cure,
    ...closedObject(
      {
        status: { const: 'error' },
        code: { const: code },
        [description]: text('For people; it may change.'),
        ...properties,
      },
      optional,
    ),
  };
}

/** A text for people about the errors of one status. */
export function describeErrors(codes: readonly ErrorCode[]): string {
  return codes
    .map((code) => {
      const { cause, cure } = getErrorEntry(code);
      return `- \`${code}\`: ${cause} ${cure}`;
    })
    .join('\n');
}
