import { type NormaliseKey, RuleError } from '@messagebox/shared';
import { z } from 'zod';

/** More than a transaction of a batch to 1,000 recipients has. */
const MOST_OUTPUTS = 2_000;
/** Base64 of what makes one key differ from another; BRC-43 ends at 800 characters for both together. */
const derivation = z.string().min(1).max(399);

/** How the receiver of an output finds its key (BRC-29). */
const remittance = z.object({
  derivationPrefix: derivation,
  derivationSuffix: derivation,
  senderIdentityKey: z.string().regex(/^0[23][0-9a-f]{64}$/),
  customInstructions: z.unknown().optional(),
});

const output = z.object({
  outputIndex: z.number().int().min(0),
  protocol: z.enum(['wallet payment', 'basket insertion']),
  paymentRemittance: remittance.optional(),
  insertionRemittance: z.object({ customInstructions: z.unknown().optional() }).loose().optional(),
  customInstructions: z.unknown().optional(),
});

const shape = z.object({
  outputs: z.array(output).max(MOST_OUTPUTS),
  description: z.string().max(2_000).optional(),
  labels: z.array(z.string().max(300)).max(100).optional(),
});

export type Remittance = Omit<z.infer<typeof remittance>, 'customInstructions'>;

/** One output of the payment's transaction, as the sender describes it. */
export interface PaymentOutput {
  readonly outputIndex: number;
  /** How the owner finds the key; only wallet payments (BRC-29) have it. */
  readonly remittance: Remittance | undefined;
  /** Whom the sender names as its owner, normalised. */
  readonly owner: string | undefined;
  /** As it came, for the owner's wallet. */
  readonly given: object;
}

/** `payment` of a request, well-formed; nothing is verified. */
export interface Payment {
  /** AtomicBEEF (BRC-95). */
  readonly tx: Uint8Array;
  readonly outputs: readonly PaymentOutput[];
  readonly description: string | undefined;
  readonly labels: readonly string[] | undefined;
}

/**
 * @throws {RuleError} `ERR_MISSING_PAYMENT_TX` without a transaction, `ERR_MISSING_DELIVERY_OUTPUT` without outputs,
 *   `ERR_INVALID_PAYMENT` for anything else
 */
export function parsePayment(payment: unknown, normaliseKey: NormaliseKey): Payment {
  const tx: unknown = typeof payment === 'object' && payment !== null && 'tx' in payment ? payment.tx : undefined;
  if (tx === undefined || tx === null) {
    throw new RuleError('ERR_MISSING_PAYMENT_TX', 'payment.tx is missing: an AtomicBEEF as an array of bytes.');
  }
  if (!isBytes(tx))
    throw new RuleError('ERR_INVALID_PAYMENT', 'payment.tx must be an AtomicBEEF as an array of bytes.');
  const read = shape.safeParse(payment);
  if (!read.success) {
    const [issue] = read.error.issues;
    const where = ['payment', ...(issue?.path ?? [])].join('.');
    throw new RuleError('ERR_INVALID_PAYMENT', `${where} is not what BRC-29 and BRC-100 ask for.`);
  }
  const given = (payment as { outputs: object[] }).outputs;
  return {
    tx: Uint8Array.from(tx),
    outputs: read.data.outputs.map((described, i) => ({
      outputIndex: described.outputIndex,
      remittance: described.protocol === 'wallet payment' ? described.paymentRemittance : undefined,
      owner: ownerOf(
        [
          described.paymentRemittance?.customInstructions,
          described.insertionRemittance?.customInstructions,
          described.customInstructions,
        ],
        normaliseKey,
      ),
      given: given[i] as object,
    })),
    description: read.data.description,
    labels: read.data.labels,
  };
}

function isBytes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255);
}

/** Custom instructions are JSON, as text or as it is; whatever else there is in them is the owner's business. */
function ownerOf(instructions: readonly unknown[], normaliseKey: NormaliseKey): string | undefined {
  for (const instruction of instructions) {
    const parsed = typeof instruction === 'string' ? tryParse(instruction) : instruction;
    if (typeof parsed !== 'object' || parsed === null || !('recipientIdentityKey' in parsed)) continue;
    const key = parsed.recipientIdentityKey;
    const normalised = typeof key === 'string' ? normaliseKey(key) : undefined;
    if (normalised === undefined) {
      throw new RuleError('ERR_INVALID_PAYMENT', 'A recipientIdentityKey in customInstructions is not a public key.');
    }
    return normalised;
  }
  return undefined;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
