import { PrivateKey } from '@bsv/sdk';
import { RuleError } from '@messagebox/messages';
import { type Brc29Payment, createBrc29Payment } from '@messagebox/test-support/brc29';
import { type AmountDue, matchOutputs } from '../src/match-outputs.js';
import type { PaymentOutput } from '../src/parse-payment.js';
import { createTestScripts, toIdentityKey } from './support/payee-scripts.ts';

const serverKey = PrivateKey.fromRandom();
const [SERVER, ALICE] = [toIdentityKey(serverKey), PrivateKey.fromRandom()];
const [BOB, CAROL, DAVE] = [1, 2, 3].map(() => toIdentityKey(PrivateKey.fromRandom())) as [string, string, string];
const scripts = createTestScripts(serverKey);

/** A payment, described by its outputs: the payee, the amount, and the named owner if there is one. */
class Payment {
  readonly described: PaymentOutput[] = [];
  readonly outputs: Brc29Payment['output'][] = [];

  async toServer(satoshis: number, payer: PrivateKey | 'anyone' = ALICE): Promise<this> {
    return this.#add(await createBrc29Payment(SERVER, satoshis, payer), undefined);
  }

  async to(recipient: string, satoshis: number, owner?: string, payer: PrivateKey | 'anyone' = 'anyone') {
    return this.#add(await createBrc29Payment(recipient, satoshis, payer), owner);
  }

  insertion(owner?: string): this {
    const outputIndex = this.outputs.push({ satoshis: 1_000, script: Uint8Array.of(0x51) }) - 1;
    this.described.push({ outputIndex, remittance: undefined, owner, given: { outputIndex } });
    return this;
  }

  match(deliveryFee: number, ...recipients: (readonly [string, number])[]) {
    const due: AmountDue = { deliveryFee, recipients: recipients.map(([recipient, fee]) => ({ recipient, fee })) };
    const { server, recipients: shares, pays } = matchOutputs(this.described, this.outputs, due, scripts);
    return { server: server?.outputIndex, shares: shares.map((share) => share.map((one) => one.outputIndex)), pays };
  }

  refusal(deliveryFee: number, ...recipients: (readonly [string, number])[]): string {
    try {
      return JSON.stringify(this.match(deliveryFee, ...recipients));
    } catch (error) {
      if (error instanceof RuleError && error.status === 400) return error.code;
      throw error;
    }
  }

  #add({ output, remittance }: Brc29Payment, owner: string | undefined): this {
    const outputIndex = this.outputs.push(output) - 1;
    this.described.push({ outputIndex, remittance, owner, given: { outputIndex } });
    return this;
  }
}

let payment: Payment;
beforeEach(() => {
  payment = new Payment();
});

describe('the server', () => {
  test('gets the first described output, at any index of the transaction', async () => {
    await payment.to(BOB, 5);
    await payment.toServer(10);
    payment.described.reverse();
    expect(payment.match(10, [BOB, 5])).toEqual({ server: 1, shares: [[0]], pays: true });
  });

  test('accepts any sender, and more than the fee', async () => {
    await payment.toServer(25, 'anyone');
    expect(payment.match(10, [BOB, 0])).toEqual({ server: 0, shares: [[]], pays: true });
  });

  test('gets its output when the fee was dropped after the quote', async () => {
    await payment.toServer(10);
    await payment.to(BOB, 5);
    expect(payment.match(0, [BOB, 5])).toEqual({ server: 0, shares: [[1]], pays: true });
  });

  test('is refused when one satoshi is missing', async () => {
    await payment.toServer(9);
    expect(payment.refusal(10, [BOB, 0])).toBe('ERR_INSUFFICIENT_PAYMENT');
  });

  test('refuses a payment whose first output is missing or not a wallet payment', async () => {
    expect(payment.refusal(10, [BOB, 0])).toBe('ERR_MISSING_DELIVERY_OUTPUT');
    payment.insertion(SERVER);
    await payment.toServer(10);
    expect(payment.refusal(10, [BOB, 0])).toBe('ERR_MISSING_DELIVERY_OUTPUT');
  });

  test('refuses a first output that pays another key, and a second output that pays the server', async () => {
    await payment.to(BOB, 10);
    await payment.toServer(10);
    expect(payment.refusal(10, [BOB, 10])).toBe('ERR_INVALID_PAYMENT');
    expect(payment.refusal(0, [BOB, 10])).toBe('ERR_INVALID_PAYMENT');
  });

  test('keeps its output from recipients', async () => {
    await payment.toServer(10);
    expect(payment.refusal(10, [BOB, 5])).toBe('ERR_MISSING_RECIPIENT_OUTPUTS');
    expect(payment.refusal(10, [SERVER, 5])).toBe('ERR_MISSING_RECIPIENT_OUTPUTS');
  });
});

describe('recipients', () => {
  test('get the outputs that name them, in any order', async () => {
    await payment.to(CAROL, 9, CAROL);
    await payment.to(BOB, 7, BOB);
    expect(payment.match(0, [BOB, 7], [DAVE, 0], [CAROL, 9])).toEqual({
      server: undefined,
      shares: [[1], [], [0]],
      pays: true,
    });
  });

  test('get outputs by position among those who charge', async () => {
    await payment.toServer(3);
    await payment.to(BOB, 7);
    await payment.to(CAROL, 9);
    expect(payment.match(3, [BOB, 7], [DAVE, 0], [CAROL, 9])).toMatchObject({ shares: [[1], [], [2]] });
  });

  test('get outputs by name and by position in one payment', async () => {
    await payment.to(DAVE, 5, DAVE);
    await payment.to(BOB, 7);
    await payment.to(CAROL, 9);
    expect(payment.match(0, [BOB, 7], [CAROL, 9], [DAVE, 5])).toMatchObject({ shares: [[1], [2], [0]] });
  });

  test('do not get outputs without names in another order', async () => {
    await payment.to(CAROL, 9);
    await payment.to(BOB, 9);
    expect(payment.refusal(0, [BOB, 9], [CAROL, 9])).toBe('ERR_INVALID_PAYMENT');
  });

  test('get outputs although they charge nothing any more, and the positions of the others stay', async () => {
    for (const one of [BOB, CAROL, DAVE]) await payment.to(one, 5);
    expect(payment.match(0, [BOB, 5], [CAROL, 0], [DAVE, 5])).toMatchObject({ shares: [[0], [1], [2]] });
    expect(payment.match(0, [BOB, 0], [CAROL, 0], [DAVE, 0])).toMatchObject({ shares: [[0], [1], [2]], pays: true });
  });

  test('get the sum of several outputs, with and without names', async () => {
    await payment.to(BOB, 4, BOB);
    await payment.to(BOB, 3, BOB);
    await payment.to(CAROL, 5);
    await payment.to(CAROL, 4);
    expect(payment.match(0, [BOB, 7], [CAROL, 9])).toMatchObject({
      shares: [
        [0, 1],
        [2, 3],
      ],
    });
    expect(payment.refusal(0, [BOB, 8], [CAROL, 9])).toBe('ERR_INSUFFICIENT_PAYMENT');
    expect(payment.refusal(0, [BOB, 7], [CAROL, 10])).toBe('ERR_INSUFFICIENT_PAYMENT');
  });

  test.each([undefined, BOB])('get an output for each of two messages to one recipient (owner %p)', async (owner) => {
    for (const satoshis of [3, 4, 7]) await payment.to(BOB, satoshis, owner);
    expect(payment.match(0, [BOB, 7], [CAROL, 0], [BOB, 7])).toMatchObject({ shares: [[0, 1], [], [2]] });
    expect(payment.refusal(0, [BOB, 7], [BOB, 8])).toBe('ERR_INSUFFICIENT_PAYMENT');
  });

  test('refuse one output for two messages or for two recipients', async () => {
    await payment.to(BOB, 20);
    expect(payment.refusal(0, [BOB, 10], [BOB, 10])).toBe('ERR_INSUFFICIENT_OUTPUTS');
    expect(payment.refusal(0, [BOB, 10], [CAROL, 10])).toBe('ERR_INSUFFICIENT_OUTPUTS');
  });

  test('refuse two outputs for one recipient and none for the other', async () => {
    await payment.to(BOB, 10, BOB);
    await payment.to(BOB, 10, BOB);
    expect(payment.refusal(0, [BOB, 10], [CAROL, 10])).toBe('ERR_MISSING_RECIPIENT_OUTPUTS');
  });

  test('is refused when one satoshi is missing', async () => {
    await payment.to(BOB, 6);
    expect(payment.refusal(0, [BOB, 7])).toBe('ERR_INSUFFICIENT_PAYMENT');
    expect(payment.match(0, [BOB, 6])).toMatchObject({ shares: [[0]] });
  });

  test('refuse a payment without outputs', () => {
    expect(payment.refusal(0, [BOB, 7])).toBe('ERR_MISSING_RECIPIENT_OUTPUTS');
    expect(payment.match(0, [BOB, 0])).toEqual({ server: undefined, shares: [[]], pays: false });
  });

  test.each([undefined, BOB, CAROL])('refuse an output that pays another key (owner %p)', async (owner) => {
    await payment.to(DAVE, 7, owner);
    expect(payment.refusal(0, [BOB, 7])).toBe('ERR_INVALID_PAYMENT');
    expect(payment.refusal(0, [BOB, 0])).toBe('ERR_INVALID_PAYMENT');
  });

  test('refuse an output that names somebody who gets no message', async () => {
    await payment.to(BOB, 7);
    await payment.to(CAROL, 9, CAROL);
    expect(payment.refusal(0, [BOB, 7])).toBe('ERR_INVALID_PAYMENT');
  });

  test('refuse an output under the sender’s own key, which cannot be verified', async () => {
    await payment.to(BOB, 7, BOB, ALICE);
    expect(payment.refusal(0, [BOB, 7])).toBe('ERR_INVALID_PAYMENT');
    expect(payment.refusal(0, [BOB, 0])).toBe('ERR_INVALID_PAYMENT');
  });
});

describe('a basket insertion', () => {
  test('goes to the owner that it names, and counts as 0 satoshis', async () => {
    payment.insertion(BOB);
    expect(payment.match(0, [BOB, 0])).toEqual({ server: undefined, shares: [[0]], pays: false });
    expect(payment.refusal(0, [BOB, 7])).toBe('ERR_MISSING_RECIPIENT_OUTPUTS');
    await payment.to(BOB, 6);
    expect(payment.refusal(0, [BOB, 7])).toBe('ERR_INSUFFICIENT_PAYMENT');
    expect(payment.match(0, [BOB, 6])).toEqual({ server: undefined, shares: [[0, 1]], pays: true });
  });

  test('is refused without an owner who gets a message', () => {
    payment.insertion();
    expect(payment.refusal(0, [BOB, 0])).toBe('ERR_INVALID_PAYMENT');
    payment = new Payment().insertion(CAROL);
    expect(payment.refusal(0, [BOB, 0])).toBe('ERR_INVALID_PAYMENT');
  });
});

test('an output that does not exist or is described twice is refused', async () => {
  await payment.toServer(10);
  await payment.to(BOB, 7);
  const [, second] = payment.described as [PaymentOutput, PaymentOutput];
  payment.described[1] = { ...second, outputIndex: 2 };
  expect(payment.refusal(10, [BOB, 7])).toBe('ERR_INVALID_PAYMENT');
  payment.described[1] = { ...second, outputIndex: 0 };
  expect(payment.refusal(10, [BOB, 7])).toBe('ERR_INVALID_PAYMENT');
  payment.described[1] = second;
  expect(payment.match(10, [BOB, 7])).toMatchObject({ server: 0, shares: [[1]] });
  payment.described[2] = second;
  expect(payment.refusal(10, [BOB, 7], [BOB, 7])).toBe('ERR_INVALID_PAYMENT');
  expect(payment.refusal(10, [BOB, 14])).toBe('ERR_INVALID_PAYMENT');
});

test('1,000 recipients and outputs that match none cost a limited number of derivations', async () => {
  const ofRecipient = jest.spyOn(scripts, 'deriveRecipientScript');
  const recipients = Array.from({ length: 1_000 }, () => [BOB, 0] as const);
  await payment.to(DAVE, 1);
  for (let i = 1; i < 2_000; i += 1) {
    payment.described.push({ ...(payment.described[0] as PaymentOutput), outputIndex: i });
    payment.outputs.push(payment.outputs[0] as Brc29Payment['output']);
  }
  expect(payment.refusal(0, ...recipients)).toBe('ERR_INVALID_PAYMENT');
  expect(ofRecipient.mock.calls.length).toBeLessThan(5_000);
  ofRecipient.mockRestore();
});
