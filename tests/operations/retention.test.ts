import { randomUUID } from 'node:crypto';
import { withDatabase } from '../acceptance/database.js';
import { type Deployment, deployScaled, deployStandalone, type Env, useDeployment } from '../acceptance/deployments.js';
import { describeScaled } from '../acceptance/describe-scaled.js';
import { waitUntil } from '../acceptance/history.js';
import { createPeople } from '../acceptance/people.js';

const DAY_MS = 86_400_000;
const PAID_BODY = '{"message":"hello","payment":{"tx":[1,2,3],"outputs":[{"outputIndex":0}]}}';

/** `RETENTION_DAYS`, as clients see it. */
function retentionSuite(deploy: (env: Env) => Promise<Deployment>): void {
  const at = useDeployment(() => deploy({ RETENTION_DAYS: '7', INBOX_MAX_MESSAGES: '4' }));
  const someone = createPeople();

  test('older messages are neither listed nor counted, except for those with payments', async () => {
    const [alice, bob] = [someone(), someone()];
    const send = (messageId: string) =>
      alice.send(at().apis[0], { recipient: bob.key, messageBox: 'inbox', messageId, body: 'hello' });
    const [old, almost, young, paid, next] = Array.from({ length: 5 }, () => randomUUID()) as [
      string,
      string,
      string,
      string,
      string,
    ];
    for (const id of [old, almost, young, paid]) expect(await send(id)).toMatchObject({ status: 200 });
    expect(await send(next)).toMatchObject({ status: 429, body: { code: 'ERR_INBOX_QUOTA_EXCEEDED' } });
    await withDatabase(at(), async (knex) => {
      const storedBefore = (id: string, ms: number, more: object = {}) => {
        const time = Date.now() - ms;
        const created_at = at().databaseUrl === undefined ? time : new Date(time);
        return knex('messages')
          .where({ messageId: Buffer.from(id) })
          .update({ created_at, ...more });
      };
      await storedBefore(old, 7 * DAY_MS + 1_000);
      await storedBefore(almost, 7 * DAY_MS - 3_600_000);
      await storedBefore(paid, 70 * DAY_MS, { body: PAID_BODY, carries_payment: 1 });
    });
    for (const api of at().apis) {
      expect(await bob.listIds(api, 'inbox')).toEqual([almost, young, paid]);
      const page = await bob.page(api, 'inbox', { offset: 1, limit: 1 });
      expect(page).toMatchObject({ messages: [{ messageId: young }], hasMore: true, nextOffset: 2 });
    }
    // A refusal is remembered for a second.
    await waitUntil('there is room', async () => (await send(next)).status === 200);
    expect(await bob.listIds(at().apis[0], 'inbox')).toEqual([almost, young, paid, next]);
    expect(await bob.acknowledge(at().apis[0], paid)).toMatchObject({ status: 200 });
    expect(await bob.listIds(at().apis[1], 'inbox')).toEqual([almost, young, next]);
  });
}

describe('retention in standalone', () => retentionSuite(deployStandalone));
describeScaled('retention in scaled services', () => retentionSuite(deployScaled));
