import { type PermissionDecisions, StoreUnavailableError } from '@messagebox/store';
import { readCharges } from '../src/charges.js';

const sender = 'sender';
const failure = new StoreUnavailableError(new Error('away'));

/** The options for recipients with these permissions. */
function parts(said: Record<string, Partial<PermissionDecisions>>, fee = 0) {
  const decisions = jest.fn(
    async () =>
      new Map(
        Object.entries(said).map(
          ([name, one]) => [name, { forSender: undefined, boxWide: undefined, ...one }] as const,
        ),
      ),
  );
  return { permissions: { decisions }, deliveryFees: { feeFor: jest.fn(async () => fee) } };
}

const feeOf = async (said: Partial<PermissionDecisions> | undefined, box: string) =>
  (await readCharges(parts(said === undefined ? {} : { bob: said }), sender, box, ['bob'])).recipientFees[0];

test.each<[string, Partial<PermissionDecisions> | undefined, string, number]>([
  ['no permission, an ordinary box', undefined, 'inbox', 0],
  ['no permission, notifications', undefined, 'notifications', 10],
  ['no permission, a box whose name differs in case', undefined, 'Notifications', 0],
  ['a blocked box', { boxWide: -1 }, 'inbox', -1],
  ['a free box whose default is not free', { boxWide: 0 }, 'notifications', 0],
  ['a box with a fee', { boxWide: 7 }, 'inbox', 7],
  ['a blocked sender in a free box', { forSender: -1, boxWide: 0 }, 'inbox', -1],
  ['a free sender in a blocked box', { forSender: 0, boxWide: -1 }, 'inbox', 0],
  ['a free sender in a box with a fee', { forSender: 0, boxWide: 5 }, 'notifications', 0],
  ['a sender with a fee in a blocked box', { forSender: 3, boxWide: -1 }, 'inbox', 3],
  ['a permission only for the sender', { forSender: 3 }, 'notifications', 3],
])('resolves the fee of a recipient: %s', async (_name, said, box, expected) => {
  expect(await feeOf(said, box)).toBe(expected);
});

test('reads all recipients in one query, and returns their fees in their order', async () => {
  const given = parts({ bob: { boxWide: 5 }, dave: { forSender: -1 } }, 12);
  expect(await readCharges(given, sender, 'inbox', ['dave', 'carol', 'bob', 'dave'])).toEqual({
    deliveryFee: 12,
    recipientFees: [-1, 0, 5, -1],
    allowsSender: [false, false, false, false],
  });
  expect(given.permissions.decisions.mock.calls).toEqual([[['dave', 'carol', 'bob', 'dave'], sender, 'inbox']]);
  expect(given.deliveryFees.feeFor.mock.calls).toEqual([['inbox']]);
});

test('only a permission for the sender, free or for a fee, allows the sender by name', async () => {
  const given = parts({
    bob: { forSender: 0 },
    carol: { forSender: 7 },
    dave: { forSender: -1 },
    erin: { boxWide: 0 },
  });
  const { allowsSender } = await readCharges(given, sender, 'inbox', ['bob', 'carol', 'dave', 'erin', 'frank']);
  expect(allowsSender).toEqual([true, true, false, false, false]);
});

test('throws when the permissions or the fee cannot be read', async () => {
  const given = parts({});
  given.permissions.decisions.mockRejectedValueOnce(failure);
  await expect(readCharges(given, sender, 'inbox', ['bob'])).rejects.toBe(failure);
  given.deliveryFees.feeFor.mockRejectedValueOnce(failure);
  await expect(readCharges(given, sender, 'inbox', ['bob'])).rejects.toBe(failure);
});
