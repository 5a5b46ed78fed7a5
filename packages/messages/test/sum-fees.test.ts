import { deliverChargedMessages } from '../src/deliver-charged-messages.js';
import { getQuote } from '../src/get-quote.js';
import { sumFees } from '../src/sum-fees.js';

const MOST = Number.MAX_SAFE_INTEGER;

test.each<[number[], number]>([
  [[], 0],
  [[1, 2, 3], 6],
  [[MOST - 1, 1], MOST],
  [[MOST, 1], MOST],
  [[MOST, MOST, MOST], MOST],
  [Array.from({ length: 1_000 }, () => MOST), MOST],
])('the sum of %j is exact, or the largest safe integer', (fees, sum) => {
  expect(sumFees(fees)).toBe(sum);
});

const fees = new Map(['a', 'b'].map((key) => [key, { forSender: undefined, boxWide: MOST }]));
const parts = {
  permissions: { decisions: async () => fees },
  deliveryFees: { feeFor: async () => MOST },
  normaliseKey: (key: string) => key,
  maxRecipients: 100,
};

test('a quote limits its sums', async () => {
  expect(await getQuote(parts, 'me', { recipient: ['a', 'b'], messageBox: 'inbox' })).toMatchObject({
    totals: { deliveryFees: MOST, recipientFees: MOST, totalForPayableRecipients: MOST },
  });
});

test('the refusal of a send without payment limits its sum', async () => {
  const messages = ['a', 'b'].map((recipient) => ({
    recipient,
    messageBox: 'inbox',
    messageId: recipient,
    sender: 'me',
    body: 'hello',
  }));
  const command = {
    sender: 'me',
    messageBox: 'inbox',
    messages,
    liveBody: 'hello',
    payment: undefined,
    isSingleRecipient: false,
  };
  const store = { areStored: async () => [false, false] };
  const charges = { deliveryFee: 0, recipientFees: [MOST, MOST], allowsSender: [false, false] };
  await expect(deliverChargedMessages({ store } as never, command, charges)).rejects.toThrow(`${MOST} for recipients`);
});
