import { RuleError } from '@messagebox/shared';
import type { TransactionOutput } from '@messagebox/wallet';
import type { PaymentOutput, Remittance } from './parse-payment.js';
import type { PaymentScripts } from './payment-scripts.js';

export interface Due {
  /** Satoshis for this server. */
  readonly deliveryFee: number;
  readonly recipients: readonly {
    readonly recipient: string;
    /** Satoshis; 0 for one who charges nothing. */
    readonly fee: number;
    /** Their message is there already, so nothing of the payment reaches them with it. */
    readonly isStored?: boolean;
  }[];
}

/** A wallet payment. */
export type PaidOutput = PaymentOutput & { readonly remittance: Remittance };

export interface Matched {
  /** The server's, at most one. */
  readonly server: PaidOutput | undefined;
  /** For each recipient, in the order given, what is theirs; no output is anybody else's as well. */
  readonly recipients: readonly (readonly PaymentOutput[])[];
  /** Whether anybody is paid anything, so that only who made the payment can have described it. */
  readonly pays: boolean;
}

/**
 * Finds out who is paid what, and that it is enough. The first described output is the server's when a delivery fee is
 * due. Of the others, one that names its owner is the owner's, and the rest belong to the recipients in their order. What
 * they say is verified: each must be locked to its owner's key. Somebody may be paid more than is due, and one who charges
 * nothing any more may be paid as well: fees change between a quote and its payment.
 *
 * What is no wallet payment goes to the owner that it names, and counts for nothing.
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
  const server = serverOutput(described, outputs, due.deliveryFee, scripts);
  const others = described.filter((output) => output !== server);
  refuseTooFew(others, due);
  const shares = new Shares(due, outputs);
  const order = new InOrder(due, outputs, scripts);
  for (const output of others) {
    const { owner } = output;
    if (!isPayment(output)) shares.add(owner, output);
    else if (owner === undefined) shares.add(order.ownerOf(output), output);
    else if (pays(owner, output, outputs, scripts)) shares.add(owner, output);
    else throw paysNobody(output);
  }
  shares.refuseInsufficient();
  return {
    server,
    recipients: shares.outputs,
    pays: described.some(isPayment),
  };
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
  [first]: readonly PaymentOutput[],
  outputs: readonly TransactionOutput[],
  deliveryFee: number,
  scripts: PaymentScripts,
): PaidOutput | undefined {
  const server = first !== undefined && isPayment(first) ? first : undefined;
  const isOurs = server !== undefined && locksTo(scripts.ofServer(server.remittance), server, outputs);
  // A fee that has been dropped since it was quoted is still paid.
  if (deliveryFee === 0) return isOurs ? server : undefined;
  if (server === undefined) {
    throw new RuleError(
      'ERR_MISSING_DELIVERY_OUTPUT',
      `The delivery costs ${deliveryFee} satoshis: the first of payment.outputs must be a wallet payment to this server.`,
    );
  }
  if (!isOurs) throw new RuleError('ERR_INVALID_PAYMENT', 'The first of payment.outputs does not pay this server.');
  const satoshis = satoshisOf(server, outputs);
  if (satoshis < deliveryFee) {
    throw insufficient(`The delivery costs ${deliveryFee} satoshis, and the payment has ${satoshis} for it.`);
  }
  return server;
}

/** Before anything is computed, whether there can be enough. */
function refuseTooFew(others: readonly PaymentOutput[], { recipients }: Due): void {
  const charging = recipients.filter(({ fee }) => fee > 0).length;
  const payments = others.filter(isPayment).length;
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

/** Finds whom outputs pay that name nobody: recipients in their order, of whom some may not be paid. */
class InOrder {
  #next = 0;

  constructor(
    private readonly due: Due,
    private readonly outputs: readonly TransactionOutput[],
    private readonly scripts: PaymentScripts,
  ) {}

  /** Looks forward only, so that all outputs together cost no more than one look at each recipient, and two each. */
  ownerOf(output: PaidOutput): string {
    const { recipients } = this.due;
    const isTheirs = (i: number): boolean => {
      const recipient = recipients[i]?.recipient;
      return recipient !== undefined && pays(recipient, output, this.outputs, this.scripts);
    };
    // Perhaps another one for the recipient before.
    let found = isTheirs(this.#next) ? this.#next : isTheirs(this.#next - 1) ? this.#next - 1 : this.#next + 1;
    while (found > this.#next && found < recipients.length && !isTheirs(found)) found += 1;
    const owner = recipients[found]?.recipient;
    if (owner === undefined) throw paysNobody(output);
    this.#next = found + 1;
    return owner;
  }
}

/** Who has got what so far. */
class Shares {
  readonly outputs: PaymentOutput[][];
  private readonly sums: number[];

  constructor(
    private readonly due: Due,
    private readonly transaction: readonly TransactionOutput[],
  ) {
    this.outputs = due.recipients.map(() => []);
    this.sums = due.recipients.map(() => 0);
  }

  /** Of two messages to one recipient, to the first that has not got enough yet, else to the first that is to be stored. */
  add(owner: string | undefined, output: PaymentOutput): void {
    const mine = this.due.recipients.flatMap(({ recipient }, i) => (recipient === owner ? [i] : []));
    const place =
      mine.find((i) => (this.sums[i] ?? 0) < (this.due.recipients[i]?.fee ?? 0)) ??
      mine.find((i) => this.due.recipients[i]?.isStored !== true) ??
      mine[0];
    if (place === undefined) throw paysNobody(output);
    this.outputs[place]?.push(output);
    if (isPayment(output)) this.sums[place] = (this.sums[place] ?? 0) + satoshisOf(output, this.transaction);
  }

  refuseInsufficient(): void {
    for (const [i, { fee }] of this.due.recipients.entries()) {
      const sum = this.sums[i] ?? 0;
      if (sum >= fee) continue;
      if (this.outputs[i]?.some(isPayment) !== true) {
        throw new RuleError('ERR_MISSING_RECIPIENT_OUTPUTS', 'The payment has no output for a recipient who charges.');
      }
      throw insufficient(`A recipient charges ${fee} satoshis, and the payment has ${sum} for it.`);
    }
  }
}

function isPayment(output: PaymentOutput): output is PaidOutput {
  return output.remittance !== undefined;
}

function pays(
  recipient: string,
  output: PaidOutput,
  outputs: readonly TransactionOutput[],
  scripts: PaymentScripts,
): boolean {
  const script = scripts.ofRecipient(recipient, output.remittance);
  return script !== undefined && locksTo(script, output, outputs);
}

function locksTo(script: Uint8Array, { outputIndex }: PaymentOutput, outputs: readonly TransactionOutput[]): boolean {
  const found = outputs[outputIndex];
  return found !== undefined && Buffer.compare(found.script, script) === 0;
}

function satoshisOf({ outputIndex }: PaymentOutput, outputs: readonly TransactionOutput[]): number {
  return outputs[outputIndex]?.satoshis ?? 0;
}

function paysNobody({ outputIndex }: PaymentOutput): RuleError {
  return new RuleError(
    'ERR_INVALID_PAYMENT',
    `Output ${outputIndex} pays none of the recipients as described: they are paid by BRC-29 with "anyone" as the sender.`,
  );
}

function insufficient(description: string): RuleError {
  return new RuleError('ERR_INSUFFICIENT_PAYMENT', description);
}
