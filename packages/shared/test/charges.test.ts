import { charges } from '../src/rules/charges.js';
import { type Decisions, StoreUnavailableError } from '../src/store/index.js';

const sender = 'sender';
const failure = new StoreUnavailableError(new Error('away'));

/** Recipients by their names, and what they have said. */
function parts(said: Record<string, Partial<Decisions>>, fee = 0) {
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

const feeOf = async (said: Partial<Decisions> | undefined, box: string) =>
  (await charges(parts(said === undefined ? {} : { bob: said }), sender, box, ['bob'])).recipientFees[0];

test.each<[string, Partial<Decisions> | undefined, string, number]>([
  ['nothing said, a box like any other', undefined, 'inbox', 0],
  ['nothing said, notifications', undefined, 'notifications', 10],
  ['nothing said, a box that is only spelled like it', undefined, 'Notifications', 0],
  ['the box blocked', { boxWide: -1 }, 'inbox', -1],
  ['the box free, where the default is not', { boxWide: 0 }, 'notifications', 0],
  ['the box at a price', { boxWide: 7 }, 'inbox', 7],
  ['the sender blocked, in a box that is free', { forSender: -1, boxWide: 0 }, 'inbox', -1],
  ['the sender free, in a box that is blocked', { forSender: 0, boxWide: -1 }, 'inbox', 0],
  ['the sender free, in a box at a price', { forSender: 0, boxWide: 5 }, 'notifications', 0],
  ['the sender at a price, in a box that is blocked', { forSender: 3, boxWide: -1 }, 'inbox', 3],
  ['the sender alone', { forSender: 3 }, 'notifications', 3],
])('%s', async (_name, said, box, expected) => {
  expect(await feeOf(said, box)).toBe(expected);
});

test('all recipients are read at once, and answered in their order', async () => {
  const given = parts({ bob: { boxWide: 5 }, dave: { forSender: -1 } }, 12);
  expect(await charges(given, sender, 'inbox', ['dave', 'carol', 'bob', 'dave'])).toEqual({
    deliveryFee: 12,
    recipientFees: [-1, 0, 5, -1],
    allowsSender: [false, false, false, false],
  });
  expect(given.permissions.decisions.mock.calls).toEqual([[['dave', 'carol', 'bob', 'dave'], sender, 'inbox']]);
  expect(given.deliveryFees.feeFor.mock.calls).toEqual([['inbox']]);
});

test('a recipient allows a sender by name, for nothing or for a fee; what is said of the box names nobody', async () => {
  const given = parts({
    bob: { forSender: 0 },
    carol: { forSender: 7 },
    dave: { forSender: -1 },
    erin: { boxWide: 0 },
  });
  const { allowsSender } = await charges(given, sender, 'inbox', ['bob', 'carol', 'dave', 'erin', 'frank']);
  expect(allowsSender).toEqual([true, true, false, false, false]);
});

test('what cannot be read is not allowed', async () => {
  const given = parts({});
  given.permissions.decisions.mockRejectedValueOnce(failure);
  await expect(charges(given, sender, 'inbox', ['bob'])).rejects.toBe(failure);
  given.deliveryFees.feeFor.mockRejectedValueOnce(failure);
  await expect(charges(given, sender, 'inbox', ['bob'])).rejects.toBe(failure);
});
