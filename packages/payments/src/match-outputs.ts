import { RuleError } from '@messagebox/shared';
import type { PaymentOutput } from './parse-payment.js';
import type { PaymentScripts } from './payment-scripts.js';

/** An output of the verified transaction. */
export interface TransactionOutput {
  readonly satoshis: number;
  readonly script: Uint8Array;
}

export interface Due {
  /** Satoshis for this server. */
  readonly deliveryFee: number;
  readonly recipients: readonly {
    readonly recipient: string;
    /** Satoshis; 0 for one who charges nothing. */
    readonly fee: number;
  }[];
}

export interface Matched {
  /** The server's, at most one. */
  readonly server: PaymentOutput | undefined;
  /** For each recipient, in the order given, what is theirs; no output is anybody else's as well. */
  readonly recipients: readonly (readonly PaymentOutput[])[];
}

/**
 * Finds out who is paid what, and that it is enough. The first described output is the server's when a delivery fee is
 * due. Of the others, one that names its owner is the owner's, and the rest belong, in their order, to the recipients
 * who charge. What counts is verified: an output counts for somebody only if its script pays that somebody.
 *
 * @throws {RuleError} `ERR_MISSING_DELIVERY_OUTPUT`, `ERR_INSUFFICIENT_PAYMENT`, `ERR_MISSING_RECIPIENT_OUTPUTS`,
 *   `ERR_INSUFFICIENT_OUTPUTS` or `ERR_INVALID_PAYMENT`
 */
export function matchOutputs(
  described: readonly PaymentOutput[],
  outputs: readonly TransactionOutput[],
  due: Due,
  scripts: PaymentScripts,
): Matched {
  refuseImpossible(described, outputs);
  const outputOf = (output: PaymentOutput) => outputs[output.outputIndex] as TransactionOutput;
  const server = serverOutput(described, outputOf, due.deliveryFee, scripts);
  const others = described.filter((output) => output !== server);
  const recipients = assign(others, due);
  for (const [i, { recipient, fee }] of due.recipients.entries()) {
    if (fee === 0) continue;
    const theirs = recipients[i] ?? [];
    let sum = 0;
    for (const output of theirs) {
      const expected = output.remittance && scripts.ofRecipient(recipient, output.remittance);
      if (expected === undefined || !equal(expected, outputOf(output).script)) throw notTheirs(output);
      sum += outputOf(output).satoshis;
    }
    if (sum < fee) throw insufficient(`A recipient charges ${fee} satoshis, and the payment has ${sum} for it.`);
  }
  return { server, recipients };
}

function refuseImpossible(described: readonly PaymentOutput[], outputs: readonly TransactionOutput[]): void {
  const seen = new Set<number>();
  for (const { outputIndex } of described) {
    if (outputs[outputIndex] === undefined) {
      throw new RuleError('ERR_INVALID_PAYMENT', `The payment's transaction has no output ${outputIndex}.`);
    }
    if (seen.has(outputIndex)) {
      throw new RuleError('ERR_INVALID_PAYMENT', `Output ${outputIndex} is described twice; it counts only once.`);
    }
    seen.add(outputIndex);
  }
}

function serverOutput(
  described: readonly PaymentOutput[],
  outputOf: (output: PaymentOutput) => TransactionOutput,
  deliveryFee: number,
  scripts: PaymentScripts,
): PaymentOutput | undefined {
  const [first] = described;
  const isOurs = first?.remittance !== undefined && equal(scripts.ofServer(first.remittance), outputOf(first).script);
  // A fee that has been dropped since it was quoted is still paid.
  if (deliveryFee === 0) return isOurs ? first : undefined;
  if (first?.remittance === undefined) {
    throw new RuleError(
      'ERR_MISSING_DELIVERY_OUTPUT',
      `The delivery costs ${deliveryFee} satoshis: the first of payment.outputs must be a wallet payment to this server.`,
    );
  }
  if (!isOurs) {
    throw new RuleError('ERR_INVALID_PAYMENT', 'The first of payment.outputs does not pay this server.');
  }
  const { satoshis } = outputOf(first);
  if (satoshis < deliveryFee) {
    throw insufficient(`The delivery costs ${deliveryFee} satoshis, and the payment has ${satoshis} for it.`);
  }
  return first;
}

/** Who owns what by name and by order, before anything is verified. */
function assign(outputs: readonly PaymentOutput[], { recipients }: Due): PaymentOutput[][] {
  const charging = recipients.filter(({ fee }) => fee > 0).length;
  if (charging > 0 && outputs.length === 0) {
    throw new RuleError('ERR_MISSING_RECIPIENT_OUTPUTS', 'The payment has no outputs for recipients who charge.');
  }
  if (outputs.length < charging) {
    throw new RuleError(
      'ERR_INSUFFICIENT_OUTPUTS',
      `${charging} recipients charge, and the payment has ${outputs.length} outputs for them.`,
    );
  }
  const assigned = recipients.map((): PaymentOutput[] => []);
  for (const output of outputs) {
    if (output.owner === undefined) continue;
    // Of two messages to one recipient, first the one that has nothing yet.
    const mine = recipients.flatMap(({ recipient }, i) => (recipient === output.owner ? [i] : []));
    const place = mine.find((i) => assigned[i]?.length === 0) ?? mine[0];
    if (place === undefined) throw notTheirs(output);
    assigned[place]?.push(output);
  }
  const waiting = recipients.flatMap(({ fee }, i) => (fee > 0 && assigned[i]?.length === 0 ? [i] : []));
  for (const output of outputs) {
    if (output.owner !== undefined) continue;
    const place = waiting.shift();
    if (place === undefined) throw notTheirs(output);
    assigned[place]?.push(output);
  }
  if (waiting.length > 0) {
    throw new RuleError(
      'ERR_MISSING_RECIPIENT_OUTPUTS',
      `The payment has no output for ${waiting.length} recipients who charge.`,
    );
  }
  return assigned;
}

function notTheirs({ outputIndex }: PaymentOutput): RuleError {
  return new RuleError(
    'ERR_INVALID_PAYMENT',
    `Output ${outputIndex} pays none of the recipients, as far as can be seen: recipients are paid by BRC-29 with "anyone" as the sender.`,
  );
}

function insufficient(description: string): RuleError {
  return new RuleError('ERR_INSUFFICIENT_PAYMENT', description);
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
