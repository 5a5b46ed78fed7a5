import { findLimitByErrorCode } from './limit-by-error-code.js';

/** Data about an error that is not in its response. */
export interface RuleErrorMetadata {
  /** Seconds until a retry may succeed, when known. Sent as Retry-After over HTTP. */
  readonly retryAfterSeconds?: number;
  /** The limit that was hit, by its name in metrics. Default: the limit of the code. */
  readonly limit?: string;
  /** Headers of the response over HTTP, by lower-case name. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A rule has refused a request. A client gets `{status: 'error', code, description}` and the `details`, none of which may
 * repeat input that could be secret.
 */
export class RuleError extends Error {
  override readonly name = 'RuleError';
  constructor(
    readonly code: RuleErrorCode,
    readonly description: string,
    readonly status: 400 | 402 | 403 | 404 | 409 | 413 | 415 | 429 | 500 | 503 = 400,
    /** More data for programs. */
    readonly details: Readonly<Record<string, unknown>> = {},
    private readonly metadata: RuleErrorMetadata = {},
  ) {
    super(description);
  }

  /** See {@link RuleErrorMetadata.retryAfterSeconds}. */
  get retryAfterSeconds(): number | undefined {
    return this.metadata.retryAfterSeconds;
  }

  /** See {@link RuleErrorMetadata.headers}. */
  get headers(): Readonly<Record<string, string>> {
    return this.metadata.headers ?? {};
  }

  /** The limit that was hit; undefined when the error is about no limit. */
  get limit(): string | undefined {
    return this.metadata.limit ?? findLimitByErrorCode(this.code);
  }
}

/** All codes of rule errors. A test compares them with docs/errors.md. */
export const ruleErrorCodes = [
  'ERR_MESSAGE_REQUIRED',
  'ERR_INVALID_MESSAGEBOX',
  'ERR_INVALID_MESSAGE_BODY',
  'ERR_RECIPIENT_REQUIRED',
  'ERR_TOO_MANY_RECIPIENTS',
  'ERR_MESSAGEID_REQUIRED',
  'ERR_MESSAGEID_COUNT_MISMATCH',
  'ERR_INVALID_MESSAGEID',
  'ERR_INVALID_RECIPIENT_KEY',
  'ERR_INVALID_EXPIRES_AT',
  'ERR_INVALID_URGENT',
  'ERR_DUPLICATE_MESSAGE',
  'ERR_DELIVERY_BLOCKED',
  'ERR_INBOX_QUOTA_EXCEEDED',
  'ERR_SENDER_QUOTA_EXCEEDED',
  'ERR_MISSING_PAYMENT_TX',
  'ERR_MISSING_DELIVERY_OUTPUT',
  'ERR_INSUFFICIENT_PAYMENT',
  'ERR_INSUFFICIENT_OUTPUTS',
  'ERR_MISSING_RECIPIENT_OUTPUTS',
  'ERR_INVALID_PAYMENT',
  'ERR_PAYMENT_REUSED',
  'ERR_INTERNALIZE_FAILED',
  'ERR_CHAIN_UNAVAILABLE',
  'ERR_PAYMENT_NOT_SUPPORTED',
  'ERR_PAYMENT_REQUIRED',
  'ERR_MALFORMED_PAYMENT',
  'ERR_INVALID_DERIVATION_PREFIX',
  'ERR_PAYMENT_FAILED',
  'ERR_MESSAGEBOX_REQUIRED',
  'ERR_INVALID_LIMIT',
  'ERR_INVALID_AFTER',
  'ERR_INVALID_COUNT_ONLY',
  'ERR_MESSAGE_ID_REQUIRED',
  'ERR_INVALID_MESSAGE_ID',
  'ERR_TOO_MANY_MESSAGE_IDS',
  'ERR_INVALID_ACKNOWLEDGMENT',
  'ERR_INVALID_REQUEST',
  'ERR_MISSING_PARAMETERS',
  'ERR_INVALID_PUBLIC_KEY',
  'ERR_INVALID_FEE_VALUE',
  'ERR_INVALID_RECEIPTS',
  'ERR_TOO_MANY_PERMISSIONS',
  'ERR_INVALID_MESSAGE_BOX',
  'ERR_INVALID_OFFSET',
  'ERR_INVALID_ORDER',
  'ERR_NOT_ADMIN',
  'ERR_INVALID_FCM_TOKEN',
  'ERR_INVALID_SUBSCRIPTION',
  'ERR_INVALID_DEVICE_ID',
  'ERR_INVALID_PLATFORM',
  'ERR_TOO_MANY_IDENTITIES',
  'ERR_MESSAGE_TOO_LARGE',
  'ERR_INVALID_JSON',
  'ERR_TOO_MANY_REQUESTS',
  'ERR_BODY_TOO_LARGE',
  'ERR_UNSUPPORTED_ENCODING',
  'ERR_INVALID_TOPICS',
  'ERR_UNKNOWN_TOPIC',
  'ERR_INVALID_TRANSACTION',
  'ERR_DOUBLE_SPEND',
  'ERR_UNKNOWN_LOOKUP_SERVICE',
  'ERR_INVALID_QUERY',
  'ERR_INVALID_SYNC_REQUEST',
  'ERR_UNKNOWN_OUTPUT',
  'ERR_JOB_NOT_FOUND',
  'ERR_JOB_NOT_FAILED',
  'ERR_IDENTITY_BLOCKED',
  'ERR_IDENTITY_IS_OPERATOR',
  'ERR_TOO_MANY_BLOCKED',
  'ERR_NOT_CONFIRMED',
  'ERR_UPLOADS_DISABLED',
  'ERR_INVALID_UPLOAD',
  'ERR_UPLOAD_TOO_LARGE',
  'ERR_TOO_MANY_UPLOADS',
  'ERR_UPLOAD_NOT_FOUND',
  'ERR_UPLOAD_INCOMPLETE',
  'ERR_UPLOAD_MISMATCH',
  'ERR_UPLOAD_NAMED',
  'ERR_UPLOADS_UNAVAILABLE',
] as const;

/** One of {@link ruleErrorCodes}. */
export type RuleErrorCode = (typeof ruleErrorCodes)[number];

/** The codes that are about a payment. A live send reports them with `paymentFailed`. */
export const paymentErrorCodes: ReadonlySet<RuleErrorCode> = new Set<RuleErrorCode>([
  'ERR_MISSING_PAYMENT_TX',
  'ERR_MISSING_DELIVERY_OUTPUT',
  'ERR_INSUFFICIENT_PAYMENT',
  'ERR_INSUFFICIENT_OUTPUTS',
  'ERR_MISSING_RECIPIENT_OUTPUTS',
  'ERR_INVALID_PAYMENT',
  'ERR_PAYMENT_REUSED',
  'ERR_INTERNALIZE_FAILED',
  'ERR_CHAIN_UNAVAILABLE',
  'ERR_PAYMENT_NOT_SUPPORTED',
  'ERR_PAYMENT_REQUIRED',
]);
