import { field, type NormaliseKey, RuleError } from '@messagebox/shared';
import { z } from 'zod';
import { hasUnsafeProperty, insertionRemittance, label, text } from './wallet-fields.js';

/** More than a transaction of a batch to 1,000 recipients has. */
const MOST_OUTPUTS = 2_000;
/** BRC-43 ends at 800 characters for a prefix, a space and a suffix. */
const LONGEST_DERIVATION = 399;
/** What is stored is shorter; so much wallets let their owners write. */
const DESCRIPTION_BYTES = { least: 0, most: 2_000 };
const MOST_LABELS = 100;

/** Base64 as wallets take it: they would refuse anything else after it was paid. */
const derivation = z
  .string()
  .max(LONGEST_DERIVATION)
  .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$/);

/** How the receiver of an output finds its key (BRC-29). */
const remittance = z.object({
  derivationPrefix: derivation,
  derivationSuffix: derivation,
  senderIdentityKey: z.string().regex(/^0[23][0-9a-f]{64}$/),
  customInstructions: z.unknown().optional(),
});

const anyOutput = {
  outputIndex: z.number().int().min(0),
  customInstructions: z.unknown().optional(),
};
const nothing = z.null().optional();

const output = z.discriminatedUnion('protocol', [
  z.object({
    ...anyOutput,
    protocol: z.literal('wallet payment'),
    paymentRemittance: remittance,
    insertionRemittance: nothing,
  }),
  z.object({
    ...anyOutput,
    protocol: z.literal('basket insertion'),
    paymentRemittance: nothing,
    insertionRemittance,
  }),
]);

const shape = z.object({
  outputs: z.array(output),
  description: text(DESCRIPTION_BYTES).optional(),
  labels: z.array(label).optional(),
});

export type Remittance = Omit<z.infer<typeof remittance>, 'customInstructions'>;

/** One output of the payment's transaction, as the sender describes it. */
export interface PaymentOutput {
  readonly outputIndex: number;
  /** How the owner finds the key (BRC-29). Undefined for what is no wallet payment, which pays nobody. */
  readonly remittance: Remittance | undefined;
  /** Whom the sender names as its owner, normalised. */
  readonly owner: string | undefined;
  /** As it came, for the owner's wallet, but without what is null: wallets know what is there and what is not. */
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
 * @param payment anything may have come
 * @throws {RuleError} `ERR_MISSING_PAYMENT_TX` without a transaction, `ERR_INVALID_PAYMENT` for anything else
 */
export function parsePayment(payment: unknown, normaliseKey: NormaliseKey): Payment {
  const tx = field(payment, 'tx');
  if (tx === undefined || tx === null) {
    throw new RuleError('ERR_MISSING_PAYMENT_TX', 'payment.tx is missing: an AtomicBEEF as an array of bytes.');
  }
  if (!isBytes(tx)) throw invalid('payment.tx must be an AtomicBEEF as an array of bytes.');
  const given = listOf(payment, 'outputs', MOST_OUTPUTS) ?? [];
  if (hasUnsafeProperty(given)) throw invalid('payment.outputs has a property that no wallet reads.');
  const labels = listOf(payment, 'labels', MOST_LABELS);
  const read = shape.safeParse({ outputs: given, labels, description: field(payment, 'description') ?? undefined });
  if (!read.success) {
    const [issue] = read.error.issues;
    const where = ['payment', ...(issue?.path ?? [])].join('.');
    throw invalid(`${where} is not what BRC-29 and BRC-100 ask for.`);
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
        remittance: remittanceOf(paymentRemittance, normaliseKey),
        owner: ownerOf(instructions, normaliseKey),
        given: withoutNulls(given[i] as object),
      };
    }),
    description: read.data.description,
    labels: read.data.labels,
  };
}

/** Counted before anything is looked at: each wrong element would cost an error of its own. */
function listOf(payment: unknown, name: string, most: number): unknown[] | undefined {
  const list = field(payment, name) ?? undefined;
  if (list === undefined) return undefined;
  if (!Array.isArray(list)) throw invalid(`payment.${name} must be a list.`);
  if (list.length > most) throw invalid(`payment.${name} may have at most ${most} entries.`);
  return list;
}

function isBytes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255);
}

function remittanceOf(
  given: z.infer<typeof remittance> | null | undefined,
  normaliseKey: NormaliseKey,
): Remittance | undefined {
  if (given === undefined || given === null) return undefined;
  const { derivationPrefix, derivationSuffix, senderIdentityKey } = given;
  if (normaliseKey(senderIdentityKey) !== senderIdentityKey) {
    throw invalid('A senderIdentityKey in payment.outputs is not a public key.');
  }
  return { derivationPrefix, derivationSuffix, senderIdentityKey };
}

/** Custom instructions are JSON, as text or as it is; whatever else there is in them is the owner's business. */
function ownerOf(instructions: readonly unknown[], normaliseKey: NormaliseKey): string | undefined {
  for (const instruction of instructions) {
    const key = field(typeof instruction === 'string' ? tryParse(instruction) : instruction, 'recipientIdentityKey');
    if (key === undefined) continue;
    const normalised = typeof key === 'string' ? normaliseKey(key) : undefined;
    if (normalised === undefined) throw invalid('A recipientIdentityKey in customInstructions is not a public key.');
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

function withoutNulls(output: object): object {
  return Object.fromEntries(Object.entries(output).filter(([, value]) => value !== null));
}

function invalid(description: string): RuleError {
  return new RuleError('ERR_INVALID_PAYMENT', description);
}
