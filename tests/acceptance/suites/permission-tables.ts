import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import { type Clients, registryClients } from '../clients.js';
import { withDatabase } from '../database.js';
import type { Deployment } from '../deployments.js';
import { createPeople } from '../people.js';

/** Queries of permissions and fees, and sends while they cannot be read. */
export function permissionTablesSuite(at: () => Deployment, clients: Clients = registryClients): void {
  describe('tables of permissions and fees', () => {
    const someone = createPeople(clients);
    const message = (recipient: string, messageBox = 'inbox') => ({
      recipient,
      messageBox,
      messageId: randomUUID(),
      body: 'hello',
    });

    test('no quote, reading or sending writes to them', async () => {
      const [alice, bob] = [someone(), someone()];
      const { apis, realtimes } = at();
      const contents = () =>
        withDatabase(at(), async (knex) => [
          await knex('message_permissions').orderBy('id'),
          await knex('server_fees').orderBy('id'),
        ]);
      await bob.post(`${apis[0]}/permissions/set`, { messageBox: 'notifications', recipientFee: -1 });
      const before = await contents();
      for (const messageBox of ['inbox', 'notifications', 'a new one']) {
        await alice.get(`${apis[0]}/permissions/quote?recipient=${bob.key}&messageBox=${messageBox}`);
        await alice.get(`${apis[0]}/permissions/get?sender=${bob.key}&messageBox=${messageBox}`);
        await alice.get(`${apis[0]}/permissions/list?messageBox=${messageBox}`);
        await alice.send(apis[0], message(bob.key, messageBox));
        const socket = await alice.connect(realtimes[0]);
        await socket.send(bob.key, messageBox, randomUUID(), 'hello');
      }
      expect(await bob.listIds(apis[0], 'a new one')).toHaveLength(2);
      expect(await contents()).toEqual(before);
    });

    test('while permissions cannot be read, nothing is sent: 503 and an error ack, and it works again afterwards', async () => {
      const [alice, bob, carol] = [someone(), someone(), someone()];
      const { apis, realtimes } = at();
      const socket = await alice.connect(realtimes[0]);
      expect(await alice.send(apis[0], message(bob.key))).toMatchObject({ status: 200 });
      await withDatabase(at(), async (knex) => {
        await knex.schema.renameTable('message_permissions', 'elsewhere');
        try {
          const unavailable = { status: 503, body: { status: 'error', code: 'ERR_STORE_UNAVAILABLE' } };
          expect(await alice.send(apis[0], message(bob.key))).toMatchObject(unavailable);
          const both = {
            ...message(bob.key),
            recipient: [bob.key, carol.key],
            messageId: [randomUUID(), randomUUID()],
          };
          expect(await alice.send(apis[1], both)).toMatchObject(unavailable);
          expect(await alice.get(`${apis[0]}/permissions/quote?recipient=${bob.key}&messageBox=inbox`)).toMatchObject(
            unavailable,
          );
          const failed = socket.events('messageFailed').waitForNext();
          const ack = await socket.send(bob.key, 'inbox', randomUUID(), 'hello');
          expect(ack).toMatchObject({ status: 'error', code: 'ERR_STORE_UNAVAILABLE' });
          expect(await failed).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' });
          expect(await messagesOf(knex, bob.key)).toBe(1);
          expect(await messagesOf(knex, carol.key)).toBe(0);
        } finally {
          await knex.schema.renameTable('elsewhere', 'message_permissions');
        }
      });
      expect(await alice.send(apis[0], message(bob.key))).toMatchObject({ status: 200 });
      expect(await socket.send(bob.key, 'inbox', randomUUID(), 'hello')).toMatchObject({ status: 'success' });
    });

    async function messagesOf(knex: Knex, recipient: string): Promise<number> {
      const [row] = await knex('messages')
        .where({ recipient: Buffer.from(recipient) })
        .count({ n: '*' });
      return Number(row?.['n']);
    }
  });
}
