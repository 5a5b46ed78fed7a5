import { RawClient, type WireRequest } from '../bad-input/raw-client.ts';
import { uniqueId, World } from '../bad-input/refusals.ts';
import { HttpWire } from './wire/http-wire.ts';

/** What strangers can make the server keep is bounded: by sender and recipient, 1,000 messages and 100 MiB. */
const PAIR_MESSAGES = 1_000;
const PAIR_BYTES = 104_857_600;
const AT_ONCE = 10;
const QUOTA = /^ERR_(INBOX|SENDER)_QUOTA_EXCEEDED$/;
let world: World;
let wire: HttpWire;
beforeAll(async () => {
  world = await World.start();
  wire = await HttpWire.open({ host: '127.0.0.1', port: world.server.port });
});
afterAll(async () => {
  wire.destroy();
  await world.close();
});

interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function send(request: WireRequest, over = wire): Promise<Reply> {
  const { status, text } = await over.exchange(request);
  return { status, body: JSON.parse(text) as Record<string, unknown> };
}

/** From the sender to the recipient, who is bound by the quota of a pair. */
function toRecipient(fields: Record<string, unknown> = {}): WireRequest {
  return world.sendMessage(world.message({ body: 'x', ...fields }));
}

describe('1,000 messages of one sender to one recipient', () => {
  beforeAll(async () => {
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        const over = await HttpWire.open({ host: '127.0.0.1', port: world.server.port });
        for (let i = 0; i < PAIR_MESSAGES / AT_ONCE; i++) {
          expect(await send(toRecipient(), over)).toMatchObject({ status: 200 });
        }
        over.destroy();
      }),
    );
  });

  test('leave no room for another one: it is refused, and nothing is stored', async () => {
    const rows = await world.server.rows();
    expect(await send(toRecipient())).toMatchObject({
      status: 429,
      body: { status: 'error', code: expect.stringMatching(QUOTA), resource: 'messages', limit: PAIR_MESSAGES },
    });
    expect(await world.server.rows()).toEqual(rows);
  });

  test('refuse a batch whole that has this recipient among others, and the error names it', async () => {
    const rows = await world.server.rows();
    const full = world.recipient.client.identityKey;
    const recipients = [new RawClient().identityKey, full, new RawClient().identityKey];
    const message = { recipients, messageBox: 'inbox', messageId: recipients.map(uniqueId), body: 'x' };
    const refused = await send(world.sendMessage({ message }));
    expect(refused).toMatchObject({ status: 429, body: { code: expect.stringMatching(QUOTA) } });
    expect(JSON.stringify(refused.body)).toContain(full);
    expect(await world.server.rows()).toEqual(rows);
  });

  test('say nothing of other recipients of this sender', async () => {
    const recipient = new RawClient().identityKey;
    expect(await send(toRecipient({ recipient }))).toMatchObject({ status: 200 });
  });

  test('make room for one when one of them is acknowledged', async () => {
    const [first] = await world.list();
    const request = world.recipient.post('/acknowledgeMessage', { messageIds: [first?.messageId] });
    expect(await send(request)).toMatchObject({ status: 200 });
    expect(await send(toRecipient())).toMatchObject({ status: 200 });
    expect(await send(toRecipient())).toMatchObject({ status: 429 });
  });

  test('are no bound for a sender that the recipient has allowed by name', async () => {
    const allowance = { messageBox: 'inbox', sender: world.sender.client.identityKey, recipientFee: 0 };
    expect(await send(world.recipient.post('/permissions/set', allowance))).toMatchObject({ status: 200 });
    expect(await send(toRecipient())).toMatchObject({ status: 200 });
  });
});

test('more than 100 MiB of one sender to one recipient are refused', async () => {
  const recipient = new RawClient().identityKey;
  const body = 'b'.repeat(4_000_000);
  for (let kept = 0; kept + body.length <= PAIR_BYTES; kept += body.length) {
    expect(await send(toRecipient({ recipient, body }))).toMatchObject({ status: 200 });
  }
  const rows = await world.server.rows();
  expect(await send(toRecipient({ recipient, body }))).toMatchObject({
    status: 429,
    body: { code: expect.stringMatching(QUOTA), resource: 'bytes', limit: PAIR_BYTES },
  });
  expect(await world.server.rows()).toEqual(rows);
});

test('a batch to 100 recipients keeps its body once', async () => {
  const recipients = Array.from({ length: 100 }, () => new RawClient().identityKey);
  const body = 'x'.repeat(65_000);
  const before = await world.server.rows();
  const message = { recipients, messageBox: 'inbox', messageId: recipients.map(uniqueId), body };
  expect(await send(world.sendMessage({ message }))).toMatchObject({ status: 200 });
  const after = await world.server.rows();
  expect(after.messages - before.messages).toBe(100);
  expect(after.bytes - before.bytes).toBeLessThan(body.length * 2);
});
