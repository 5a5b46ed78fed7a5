import { getField, type NormaliseKey, RuleError } from '@messagebox/messages';
import { z } from 'zod';
import { hasUnsafeProperty, insertionRemittance, labelSchema, textSchema } from './wallet-fields.js';

/** A batch to 1,000 recipients needs about 1,001. */
const MAX_OUTPUTS = 2_000;
/** BRC-43 allows 800 characters for prefix, space and suffix together. */
const MAX_DERIVATION_LENGTH = 399;
/** The limit of wallets for what their owners write. The stored description is shorter. */
const DESCRIPTION_BYTES = { min: 0, max: 2_000 };
const MAX_LABELS = 100;

/** Canonical base64. Wallets refuse anything else, after the money was sent. */
export const derivationSchema = z
  .string()
  .max(MAX_DERIVATION_LENGTH)
  .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$/);

/** The key derivation of an output (BRC-29). */
const remittance = z.object({
  derivationPrefix: derivationSchema,
  derivationSuffix: derivationSchema,
  senderIdentityKey: z.string().regex(/^0[23][0-9a-f]{64}$/),
  customInstructions: z.unknown().optional(),
});

const commonOutputFields = {
  outputIndex: z.number().int().min(0),
  customInstructions: z.unknown().optional(),
};
const nullOrMissing = z.null().optional();

const output = z.discriminatedUnion('protocol', [
  z.object({
    ...commonOutputFields,
    protocol: z.literal('wallet payment'),
    paymentRemittance: remittance,
    insertionRemittance: nullOrMissing,
  }),
  z.object({
    ...commonOutputFields,
    protocol: z.literal('basket insertion'),
    paymentRemittance: nullOrMissing,
    insertionRemittance,
  }),
]);

const paymentSchema = z.object({
  outputs: z.array(output),
  description: textSchema(DESCRIPTION_BYTES).optional(),
  labels: z.array(labelSchema).optional(),
});

/** The key derivation of an output (BRC-29): how its owner finds the key. */
export type Remittance = Omit<z.infer<typeof remittance>, 'customInstructions'>;

/** One output of the payment's transaction, as the sender describes it. */
export interface PaymentOutput {
  readonly outputIndex: number;
  /** Undefined when the output is not a wallet payment; it pays nobody then. */
  readonly remittance: Remittance | undefined;
  /** The identity key that the sender names as the owner, normalised. */
  readonly owner: string | undefined;
  /** The sender's description for the owner's wallet, without null fields: to wallets, null is not the same as missing. */
  readonly given: object;
}

/** A well-formed `payment` of a request. Nothing is verified. */
export interface ParsedPayment {
  /** AtomicBEEF (BRC-95). */
  readonly tx: Uint8Array;
  readonly outputs: readonly PaymentOutput[];
  readonly description: string | undefined;
  readonly labels: readonly string[] | undefined;
}

/**
 * Parses `payment` of a request.
 *
 * @param payment unchecked
 * @param isUploaded whether `beefR2Key` names an upload with the transaction. The result's `tx` is empty then
 * @throws {RuleError} `ERR_MISSING_PAYMENT_TX` without a transaction, `ERR_INVALID_PAYMENT` for anything else
 */
export function parsePayment(payment: unknown, normaliseKey: NormaliseKey, isUploaded = false): ParsedPayment {
  const given = getField(payment, 'tx') ?? undefined;
  if (isUploaded && given !== undefined) throw invalidPaymentError('payment has both tx and beefR2Key.');
  const tx = isUploaded ? [] : given;
  if (tx === undefined) {
    throw new RuleError('ERR_MISSING_PAYMENT_TX', 'payment.tx is missing: an AtomicBEEF as an array of bytes.');
  }
  if (!isByteArray(tx)) throw invalidPaymentError('payment.tx must be an AtomicBEEF as an array of bytes.');
  const describedOutputs = parseList(payment, 'outputs', MAX_OUTPUTS) ?? [];
  if (hasUnsafeProperty(describedOutputs))
    throw invalidPaymentError('payment.outputs has a property that wallets refuse.');
  const labels = parseList(payment, 'labels', MAX_LABELS);
  const read = paymentSchema.safeParse({
    outputs: describedOutputs,
    labels,
    description: getField(payment, 'description') ?? undefined,
  });
  if (!read.success) {
    const [issue] = read.error.issues;
    const where = ['payment', ...(issue?.path ?? [])].join('.');
    throw invalidPaymentError(`${where} is not valid by BRC-29 and BRC-100.`);
  }
  return {
    tx: Uint8Array.from(tx),
    outputs: read.data.outputs.map((described, i) => {
      const { outputIndex, paymentRemittance, insertionRemittance, customInstructions } = described;
      const instructions = [
        paymentRemittance?.customInstructions,
        insertionRemittance?.customInstructions,
        customInstructions,
      ];
      return {
        outputIndex,
        remittance: toRemittance(paymentRemittance, normaliseKey),
        owner: readOwner(instructions, normaliseKey),
        given: removeNulls(describedOutputs[i] as object),
      };
    }),
    description: read.data.description,
    labels: read.data.labels,
  };
}

/** Checks the length before the schema sees the list, which would create an error object for each wrong entry. */
function parseList(payment: unknown, name: string, maxEntries: number): unknown[] | undefined {
  const list = getField(payment, name) ?? undefined;
  if (list === undefined) return undefined;
  if (!Array.isArray(list)) throw invalidPaymentError(`payment.${name} must be a list.`);
  if (list.length > maxEntries) throw invalidPaymentError(`payment.${name} may have at most ${maxEntries} entries.`);
  return list;
}

function isByteArray(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255);
}

function toRemittance(
  given: z.infer<typeof remittance> | null | undefined,
  normaliseKey: NormaliseKey,
): Remittance | undefined {
  if (given === undefined || given === null) return undefined;
  const { derivationPrefix, derivationSuffix, senderIdentityKey } = given;
  if (normaliseKey(senderIdentityKey) !== senderIdentityKey) {
    throw invalidPaymentError('A senderIdentityKey in payment.outputs is not a public key.');
  }
  return { derivationPrefix, derivationSuffix, senderIdentityKey };
}

/** Reads `recipientIdentityKey` from custom instructions: JSON, as a value or as text. Other fields are the owner's. */
function readOwner(instructions: readonly unknown[], normaliseKey: NormaliseKey): string | undefined {
  for (const instruction of instructions) {
    const key = getField(
      typeof instruction === 'string' ? tryParseJson(instruction) : instruction,
      'recipientIdentityKey',
    );
    if (key === undefined) continue;
    const normalised = typeof key === 'string' ? normaliseKey(key) : undefined;
    if (normalised === undefined)
      throw invalidPaymentError('A recipientIdentityKey in customInstructions is not a public key.');
    return normalised;
  }
  return undefined;
}

function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function removeNulls(output: object): object {
  return Object.fromEntries(Object.entries(output).filter(([, value]) => value !== null));
}

function invalidPaymentError(description: string): RuleError {
  return new RuleError('ERR_INVALID_PAYMENT', description);
}
