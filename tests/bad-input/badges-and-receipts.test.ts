import { RawClient, type Session } from '@messagebox/test-support/raw-client';
import { HttpTestBed } from './refusals.ts';

let world: HttpTestBed;
beforeAll(async () => {
  world = await HttpTestBed.start();
});
afterAll(() => world.close());

const LONE = '\ud800';
const huge = 'h'.repeat(70_000);
const deepArray = '['.repeat(129) + ']'.repeat(129);
/** Neither names of boxes nor ids of messages. */
const notNames: readonly unknown[] = [' ', '\n', 'ä'.repeat(256), 'in\0box', LONE, huge];
const notKeys: readonly unknown[] = ['', 'self', `02${'ff'.repeat(32)}`, `02${'zz'.repeat(32)}`, 7, true, [], {}, huge];
const label = (value: unknown) => (JSON.stringify(value) ?? 'left out').slice(0, 60);
const table = (values: readonly unknown[], code: string): [string, unknown, string][] =>
  values.map((value) => [label(value), value, code]);
const newcomer = (): Promise<Session> => new RawClient().shakeHands(world.server.port);

describe('POST /boxStatus', () => {
  const ask = (body: object | string, by = world.recipient) => by.post('/boxStatus', body);
  const refused = (body: object | string, code: string) => world.expectRefused(ask(body), code, world.recipient);

  test.each(['null', '7', '"inbox"', '[]', '["inbox"]'])('refuses a body like %s', async (body) => {
    await refused(body, 'ERR_INVALID_REQUEST');
  });

  test.each(['{', '{"messageBox":', '\u00ff', deepArray])('refuses a body that is no JSON: %s', async (body) => {
    await refused(body, 'ERR_INVALID_JSON');
  });

  test.each([
    ...table([''], 'ERR_MESSAGEBOX_REQUIRED'),
    ...table([...notNames, 7, true, [], ['inbox'], {}], 'ERR_INVALID_MESSAGEBOX'),
  ])('refuses the box %s', async (_label, messageBox, code) => {
    await refused({ messageBox }, code);
  });

  test.each(table([0, -1, 1_001, 1.5, '10', true, [], {}, null, 1e300], 'ERR_INVALID_LIMIT'))(
    'refuses the limit %s',
    async (_label, limit, code) => {
      await refused({ limit }, code);
    },
  );

  test.each(table(['', ' ', 'a b', 'ä', '=', 7, null, true, [], {}, 'x'.repeat(2_049), huge], 'ERR_INVALID_AFTER'))(
    'refuses the cursor %s',
    async (_label, after, code) => {
      await refused({ after }, code);
    },
  );

  test('refuses a cursor together with a box', async () => {
    await refused({ messageBox: 'inbox', after: 'aW5ib3g' }, 'ERR_INVALID_AFTER');
  });

  test('a cursor that no answer has given is a place among the names, and shows own boxes only', async () => {
    const [bob, carol] = [await newcomer(), await newcomer()];
    await world.expectAccepted(world.sendMessage(world.message({ recipient: bob.client.identityKey })));
    for (const after of ['AA', '__8', 'aW5i', 'x'.repeat(2_048)]) {
      const { boxes } = await world.expectAccepted(ask({ after }, carol), carol);
      expect(boxes).toEqual([]);
    }
    expect(await world.expectAccepted(ask({ after: 'aW5i' }, bob), bob)).toMatchObject({ boxes: [{ count: 1 }] });
  });
});

describe('POST /listMessages with countOnly', () => {
  const refused = (body: object, code: string) =>
    world.expectRefused(world.recipient.post('/listMessages', body), code, world.recipient);

  test.each(table([0, 1, 'true', '', [], {}, huge], 'ERR_INVALID_COUNT_ONLY'))(
    'refuses %s',
    async (_l, value, code) => {
      await refused({ messageBox: 'inbox', countOnly: value }, code);
    },
  );

  test('refuses a message id beside it, and a box that is none', async () => {
    await refused({ messageBox: 'inbox', countOnly: true, messageId: 'id' }, 'ERR_INVALID_COUNT_ONLY');
    await refused({ countOnly: true }, 'ERR_MESSAGEBOX_REQUIRED');
    await refused({ messageBox: LONE, countOnly: true }, 'ERR_INVALID_MESSAGEBOX');
  });
});

describe('POST /sentStatus', () => {
  const ask = (body: object | string) => world.sender.post('/sentStatus', body);
  const refused = (body: object | string, code: string) => world.expectRefused(ask(body), code);

  test.each(['null', '7', '"id"', '[]', '["id"]', '{}', '{"__proto__":{"messageIds":["id"]}}'])(
    'refuses a body like %s',
    async (body) => {
      await refused(body, 'ERR_MESSAGE_ID_REQUIRED');
    },
  );

  test.each([
    ...table([undefined, null, []], 'ERR_MESSAGE_ID_REQUIRED'),
    ...table([0, 7, '', 'abc', true, {}, { length: 1, 0: 'id' }], 'ERR_INVALID_MESSAGE_ID'),
    ...table(
      [null, 7, '', [], ['id'], {}, ...notNames].map((id) => ['id', id]),
      'ERR_INVALID_MESSAGE_ID',
    ),
  ])('refuses the ids %s', async (_label, messageIds, code) => {
    await refused({ messageIds }, code);
  });

  test('accepts 1,000 ids, in their order and with repeats, and refuses 1,001', async () => {
    const { message } = world.message();
    await world.expectAccepted(world.sendMessage({ message }));
    const messageIds = [...Array.from({ length: 998 }, (_, n) => `unknown ${n % 500}`), message['messageId'], 'last'];
    const { statuses } = await world.expectAccepted(ask({ messageIds }));
    const states = statuses as { messageId: string; state: string }[];
    expect(states.map(({ messageId }) => messageId)).toEqual(messageIds);
    expect(states.filter(({ state }) => state !== 'unknown')).toEqual([
      { messageId: message['messageId'], recipient: world.recipient.client.identityKey, state: 'stored' },
    ]);
    const { text } = await refused({ messageIds: [...messageIds, 'one more'] }, 'ERR_TOO_MANY_MESSAGE_IDS');
    expect(text).toMatch(/limit is 1,000\. Ask in parts/);
  });

  test.each(table(notKeys, 'ERR_INVALID_PUBLIC_KEY'))('refuses the recipient %s', async (_label, recipient, code) => {
    await refused({ messageIds: ['id'], recipient }, code);
  });

  test('the sends of others are as unknown as what nobody has sent', async () => {
    const { message } = world.message();
    await world.expectAccepted(world.sendMessage({ message }));
    const carol = await newcomer();
    const request = carol.post('/sentStatus', { messageIds: [message['messageId'], 'nobody’s'] });
    expect(await world.expectAccepted(request, carol)).toEqual({
      status: 'success',
      statuses: [
        { messageId: message['messageId'], state: 'unknown' },
        { messageId: 'nobody’s', state: 'unknown' },
      ],
    });
  });
});

describe('POST /permissions/set', () => {
  test.each(table([0, 1, '', 'false', [], {}, huge], 'ERR_INVALID_RECEIPTS'))(
    'refuses receipts that are %s, and sets nothing',
    async (_label, receipts, code) => {
      const body = { messageBox: 'untouched', recipientFee: 0, receipts };
      await world.expectRefused(world.recipient.post('/permissions/set', body), code, world.recipient);
      const request = world.recipient.sign({ method: 'GET', path: '/permissions/get?messageBox=untouched' });
      expect(await world.expectAccepted(request, world.recipient)).toMatchObject({ permission: null });
    },
  );
});
