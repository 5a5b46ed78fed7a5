import { RuleError } from '@messagebox/messages';
import type { TransactionOutput } from '@messagebox/transactions';
import type { PaymentOutput, Remittance } from './parse-payment.js';
import type { PaymentScripts } from './payment-scripts.js';

/** The cost of a send. */
export interface AmountDue {
  /** Satoshis for this server. */
  readonly deliveryFee: number;
  readonly recipients: readonly {
    readonly recipient: string;
    /** Satoshis; 0 when the recipient charges nothing. */
    readonly fee: number;
    /** The message is stored already, so no part of the payment can reach the recipient with it. */
    readonly isStored?: boolean;
  }[];
}

/** An output that is a wallet payment (BRC-29). */
export type PaidOutput = PaymentOutput & { readonly remittance: Remittance };

/** Whom the outputs of a payment belong to. */
export interface MatchResult {
  /** The output that pays this server. */
  readonly server: PaidOutput | undefined;
  /** The outputs of each recipient, in the order given. Each output has one owner. */
  readonly recipients: readonly (readonly PaymentOutput[])[];
  /** Whether any output is a wallet payment. Only the payer can describe one, because the derivation is secret. */
  readonly pays: boolean;
}

/**
 * Assigns the outputs of a payment to their owners, and checks that the amounts suffice. When a delivery fee is due, the
 * first described output must pay the server. Of the other outputs, those that name an owner belong to that owner, and
 * the rest belong to the recipients in their order. Each output must be locked to the key of its owner. More than is due
 * is accepted, also for recipients without a fee, because fees can change between a quote and its payment.
 *
 * An output that is not a wallet payment goes to the owner that it names, and counts as 0 satoshis.
 *
 * @throws {RuleError} `ERR_MISSING_DELIVERY_OUTPUT`, `ERR_INSUFFICIENT_PAYMENT`, `ERR_MISSING_RECIPIENT_OUTPUTS`,
 *   `ERR_INSUFFICIENT_OUTPUTS` or `ERR_INVALID_PAYMENT`
 */
export function matchOutputs(
  described: readonly PaymentOutput[],
  outputs: readonly TransactionOutput[],
  due: AmountDue,
  scripts: PaymentScripts,
): MatchResult {
  assertOutputsExist(described, outputs);
  const server = findServerOutput(described, outputs, due.deliveryFee, scripts);
  const others = described.filter((output) => output !== server);
  assertEnoughOutputs(others, due);
  const allocation = new OutputAllocation(due, outputs);
  const matcher = new SequentialMatcher(due, outputs, scripts);
  for (const output of others) {
    const { owner } = output;
    if (!isWalletPayment(output)) allocation.add(owner, output);
    else if (owner === undefined) allocation.add(matcher.findOwner(output), output);
    else if (paysRecipient(owner, output, outputs, scripts)) allocation.add(owner, output);
    else throw unclaimedOutputError(output);
  }
  allocation.assertSufficient();
  return {
    server,
    recipients: allocation.outputs,
    pays: described.some(isWalletPayment),
  };
}

function assertOutputsExist(described: readonly PaymentOutput[], outputs: readonly TransactionOutput[]): void {
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

function findServerOutput(
  [first]: readonly PaymentOutput[],
  outputs: readonly TransactionOutput[],
  deliveryFee: number,
  scripts: PaymentScripts,
): PaidOutput | undefined {
  const server = first !== undefined && isWalletPayment(first) ? first : undefined;
  const script = server && scripts.deriveServerScript(server.remittance);
  const isOurs = server !== undefined && script !== undefined && isLockedTo(script, server, outputs);
  // The fee may have been dropped after the sender was quoted one.
  if (deliveryFee === 0) return isOurs ? server : undefined;
  if (server === undefined) {
    throw new RuleError(
      'ERR_MISSING_DELIVERY_OUTPUT',
      `The delivery costs ${deliveryFee} satoshis: the first of payment.outputs must be a wallet payment to this server.`,
    );
  }
  if (!isOurs) throw new RuleError('ERR_INVALID_PAYMENT', 'The first of payment.outputs does not pay this server.');
  const satoshis = getSatoshis(server, outputs);
  if (satoshis < deliveryFee) {
    throw insufficientPaymentError(
      `The delivery costs ${deliveryFee} satoshis, and the payment has ${satoshis} for it.`,
    );
  }
  return server;
}

/** Counts outputs, before any key is derived. */
function assertEnoughOutputs(others: readonly PaymentOutput[], { recipients }: AmountDue): void {
  const charging = recipients.filter(({ fee }) => fee > 0).length;
  const payments = others.filter(isWalletPayment).length;
  if (charging > 0 && payments === 0) {
    throw new RuleError('ERR_MISSING_RECIPIENT_OUTPUTS', 'The payment has no outputs for recipients who charge.');
  }
  if (payments < charging) {
    throw new RuleError(
      'ERR_INSUFFICIENT_OUTPUTS',
      `${charging} recipients charge, and the payment has ${payments} outputs for them.`,
    );
  }
}

/** Finds the owners of outputs that name none. They follow the order of the recipients, some of whom may not be paid. */
class SequentialMatcher {
  #next = 0;

  constructor(
    private readonly due: AmountDue,
    private readonly outputs: readonly TransactionOutput[],
    private readonly scripts: PaymentScripts,
  ) {}

  /** Searches forward only: all outputs together cost one key derivation per recipient, and two per output. */
  findOwner(output: PaidOutput): string {
    const { recipients } = this.due;
    const isTheirs = (i: number): boolean => {
      const recipient = recipients[i]?.recipient;
      return recipient !== undefined && paysRecipient(recipient, output, this.outputs, this.scripts);
    };
    // The previous recipient may have several outputs.
    let found = isTheirs(this.#next) ? this.#next : isTheirs(this.#next - 1) ? this.#next - 1 : this.#next + 1;
    while (found > this.#next && found < recipients.length && !isTheirs(found)) found += 1;
    const owner = recipients[found]?.recipient;
    if (owner === undefined) throw unclaimedOutputError(output);
    this.#next = found + 1;
    return owner;
  }
}

/** The outputs and the sum of each recipient so far. */
class OutputAllocation {
  readonly outputs: PaymentOutput[][];
  readonly #sums: number[];

  constructor(
    private readonly due: AmountDue,
    private readonly transaction: readonly TransactionOutput[],
  ) {
    this.outputs = due.recipients.map(() => []);
    this.#sums = due.recipients.map(() => 0);
  }

  /**
   * With several messages to one recipient, the output goes to the first message whose fee is not covered yet, else to the
   * first that is not stored yet.
   */
  add(owner: string | undefined, output: PaymentOutput): void {
    const mine = this.due.recipients.flatMap(({ recipient }, i) => (recipient === owner ? [i] : []));
    const place =
      mine.find((i) => (this.#sums[i] ?? 0) < (this.due.recipients[i]?.fee ?? 0)) ??
      mine.find((i) => this.due.recipients[i]?.isStored !== true) ??
      mine[0];
    if (place === undefined) throw unclaimedOutputError(output);
    this.outputs[place]?.push(output);
    if (isWalletPayment(output)) this.#sums[place] = (this.#sums[place] ?? 0) + getSatoshis(output, this.transaction);
  }

  assertSufficient(): void {
    for (const [i, { fee }] of this.due.recipients.entries()) {
      const sum = this.#sums[i] ?? 0;
      if (sum >= fee) continue;
      if (this.outputs[i]?.some(isWalletPayment) !== true) {
        throw new RuleError('ERR_MISSING_RECIPIENT_OUTPUTS', 'The payment has no output for a recipient who charges.');
      }
      throw insufficientPaymentError(`A recipient charges ${fee} satoshis, and the payment has ${sum} for it.`);
    }
  }
}

function isWalletPayment(output: PaymentOutput): output is PaidOutput {
  return output.remittance !== undefined;
}

function paysRecipient(
  recipient: string,
  output: PaidOutput,
  outputs: readonly TransactionOutput[],
  scripts: PaymentScripts,
): boolean {
  const script = scripts.deriveRecipientScript(recipient, output.remittance);
  return script !== undefined && isLockedTo(script, output, outputs);
}

function isLockedTo(
  script: Uint8Array,
  { outputIndex }: PaymentOutput,
  outputs: readonly TransactionOutput[],
): boolean {
  const found = outputs[outputIndex];
  return found !== undefined && Buffer.compare(found.script, script) === 0;
}

function getSatoshis({ outputIndex }: PaymentOutput, outputs: readonly TransactionOutput[]): number {
  return outputs[outputIndex]?.satoshis ?? 0;
}

function unclaimedOutputError({ outputIndex }: PaymentOutput): RuleError {
  return new RuleError(
    'ERR_INVALID_PAYMENT',
    `Output ${outputIndex} pays none of the recipients as described: recipients are paid by BRC-29 with "anyone" as the sender.`,
  );
}

function insufficientPaymentError(description: string): RuleError {
  return new RuleError('ERR_INSUFFICIENT_PAYMENT', description);
}
