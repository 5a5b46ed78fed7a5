import { randomUUID } from 'node:crypto';
import { PrivateKey } from '@bsv/sdk';
import { type Clients, registryClients } from '../clients.js';
import { withDatabase } from '../database.js';
import { type Deploy, useDeployment } from '../deployments.js';
import { waitUntil } from '../history.js';
import { createPeople } from '../people.js';

/** Above the documented 10 s. */
const MAX_CACHE_AGE_MS = 12_000;

/** The operator sets what deliveries cost, and every process charges it within the documented time. */
export function adminFeesSuite(deploy: Deploy, clients: Clients = registryClients): void {
  describe('with ADMIN_IDENTITY_KEYS', () => {
    const key = PrivateKey.fromRandom();
    const at = useDeployment(() => deploy({ ADMIN_IDENTITY_KEYS: key.toPublicKey().toString() }));
    const someone = createPeople(clients);
    const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

    /** The first test: nobody remembers fees yet. */
    test('fees that cannot be read refuse sends, and those for nothing as well', async () => {
      const [alice, bob] = [someone(), someone()];
      const { apis, realtimes } = at();
      const message = () => ({ recipient: bob.key, messageBox: 'inbox', messageId: randomUUID(), body: 'hello' });
      const socket = await alice.connect(realtimes[0]);
      const unavailable = { status: 503, body: { status: 'error', code: 'ERR_STORE_UNAVAILABLE' } };
      await withDatabase(at(), async (knex) => {
        await knex.schema.renameTable('server_fees', 'elsewhere');
        try {
          for (const api of apis) expect(await alice.send(api, message())).toMatchObject(unavailable);
          const ack = await socket.send(bob.key, 'inbox', randomUUID(), 'hello');
          expect(ack).toMatchObject({ status: 'error', code: 'ERR_STORE_UNAVAILABLE' });
          const quote = `${apis[0]}/permissions/quote?recipient=${bob.key}&messageBox=inbox`;
          expect(await alice.get(quote)).toMatchObject(unavailable);
          expect(await someone(key).get(`${apis[0]}/admin/fees`)).toMatchObject(unavailable);
        } finally {
          await knex.schema.renameTable('elsewhere', 'server_fees');
        }
      });
      expect(await bob.list(apis[0], 'inbox')).toEqual([]);
      for (const api of apis) expect(await alice.send(api, message())).toMatchObject({ status: 200 });
      expect(await socket.send(bob.key, 'inbox', randomUUID(), 'hello')).toMatchObject({ status: 'success' });
    });

    test('delivery fees are listed and changed by the operator, and by nobody else', async () => {
      const [admin, mallory] = [someone(key), someone()];
      const fees = at().apis.map((api) => `${api}/admin/fees`) as [string, string];
      const seeded = [
        { messageBox: 'inbox', deliveryFee: 0, updatedAt: iso },
        { messageBox: 'notifications', deliveryFee: 10, updatedAt: iso },
        { messageBox: 'payment_inbox', deliveryFee: 0, updatedAt: iso },
      ];
      expect(await admin.get(fees[0])).toEqual({ status: 200, body: { status: 'success', fees: seeded } });
      const refused = { status: 403, body: { status: 'error', code: 'ERR_NOT_ADMIN' } };
      expect(await mallory.get(fees[0])).toMatchObject(refused);
      const change = { messageBox: 'a priced box', deliveryFee: 2_147_483_647 };
      expect(await mallory.post(fees[0], change, 'PUT')).toMatchObject(refused);
      expect((await admin.get(fees[1])).body['fees']).toEqual(seeded);
      expect(await admin.post(fees[0], change, 'PUT')).toEqual({
        status: 200,
        body: { status: 'success', fee: { ...change, updatedAt: iso } },
      });
      expect((await admin.get(fees[1])).body['fees']).toEqual([{ ...change, updatedAt: iso }, ...seeded]);
    });

    test('a change is obeyed by the process that made it at once, and by all within the bound', async () => {
      const [admin, alice, bob] = [someone(key), someone(), someone()];
      const { apis, realtimes } = at();
      const message = () => ({ recipient: bob.key, messageBox: 'deliveries', messageId: randomUUID(), body: 'hello' });
      const sockets = await Promise.all(realtimes.map((realtime) => alice.connect(realtime)));
      const codes = async () => [
        ...(await Promise.all(apis.map(async (api) => (await alice.send(api, message())).body['code'] ?? 'sent'))),
        ...(await Promise.all(
          sockets.map(async (socket) => (await socket.send(bob.key, 'deliveries', randomUUID(), 'x')).code ?? 'sent'),
        )),
      ];
      // All of them have read the fees by now, and remember them.
      expect(await codes()).toEqual(['sent', 'sent', 'sent', 'sent']);
      await admin.post(`${apis[0]}/admin/fees`, { messageBox: 'deliveries', deliveryFee: 3 }, 'PUT');
      expect((await alice.send(apis[0], message())).body).toMatchObject({ code: 'ERR_MISSING_PAYMENT_TX' });
      const due = 'ERR_MISSING_PAYMENT_TX';
      await waitUntil(
        'all charge the fee',
        async () => String(await codes()) === String([due, due, due, due]),
        MAX_CACHE_AGE_MS,
      );
      const quote = await alice.get(`${apis[1]}/permissions/quote?recipient=${bob.key}&messageBox=deliveries`);
      expect(quote.body['quote']).toEqual({ deliveryFee: 3, recipientFee: 0 });
      await admin.post(`${apis[0]}/admin/fees`, { messageBox: 'deliveries', deliveryFee: 0 }, 'PUT');
      expect(await alice.send(apis[0], message())).toMatchObject({ status: 200 });
    });
  });
}
