import { randomUUID } from 'node:crypto';
import { RegistryApp } from '../app.js';
import { type Clients, registryClients } from '../clients.js';
import type { Deployment } from '../deployments.js';
import { createHeavyWallet } from '../heavy-wallet.js';
import { Payer, readServerBalance } from '../payers.js';
import { createPeople } from '../people.js';

const NINE_MB = 9_000_000;
const TIMEOUT_MS = 240_000;

/** Bodies that are nearly as large as a request may be (`MAX_BODY_BYTES`), by `AuthFetch` or the strict client. */
export function largeBodiesSuite(at: () => Deployment, clients: Clients = registryClients): void {
  describe('bodies of 9 MB', () => {
    const someone = createPeople(clients);

    test('go in over HTTP and come out by both ways of listing, next to others', async () => {
      const [alice, bob] = [someone(), someone()];
      const [api, other] = at().apis;
      const ids = [randomUUID(), randomUUID(), randomUUID()] as const;
      const body = '0123456789abcdef'.repeat(NINE_MB / 16);
      const send = (messageId: string, text: string) =>
        alice.send(api, { recipient: bob.key, messageBox: 'inbox', messageId, body: text });
      expect(await send(ids[0], 'before')).toMatchObject({ status: 200 });
      expect(await send(ids[1], body)).toMatchObject({ status: 200 });
      expect(await send(ids[2], 'after')).toMatchObject({ status: 200 });
      // By offset, as today's clients list: the large one comes alone.
      const seen: string[] = [];
      for (let offset: number | null = 0; offset !== null; ) {
        const page = await bob.page(other, 'inbox', { offset });
        for (const message of page.messages) {
          seen.push(message.messageId);
          if (message.messageId === ids[1]) expect(message.body === body).toBe(true);
        }
        expect(page.nextOffset).not.toBe(offset);
        offset = page.nextOffset ?? null;
      }
      expect(seen).toEqual([...ids]);
      const all = await bob.page(other, 'inbox');
      expect(all.messages.map(({ messageId }) => messageId)).toEqual([...ids]);
      expect(all.messages[1]?.body === body).toBe(true);
      expect(await bob.acknowledge(api, ...ids)).toMatchObject({ status: 200 });
    }, 120_000);
  });
}

/** Payments that are nearly as large as a request may be, by the real client and ordinary wallets. */
export function largePaymentsSuite(at: () => Deployment): void {
  describe('a payment of 9 MB', () => {
    const payers: Payer[] = [];
    beforeEach(() => {
      // The real client tells the console what it pays.
      for (const method of ['log', 'warn', 'error'] as const) jest.spyOn(console, method).mockReturnValue();
    });
    afterEach(async () => {
      jest.restoreAllMocks();
      for (const payer of payers.splice(0)) await payer.close();
    });
    const someone = async () => {
      const payer = await Payer.open(at().overlays[0] as string);
      payers.push(payer);
      return payer;
    };

    test(
      'arrives, and the recipient and the server take their money',
      async () => {
        const [alice, bob] = [await someone(), await someone()];
        const [api, other] = at().apis;
        const before = await readServerBalance(at());
        let sentBytes = 0;
        const heavy = await createHeavyWallet(alice.wallet, at().overlays[0] as string, NINE_MB / 4);
        const wallet = new Proxy(heavy, {
          get: (target, name) =>
            name === 'createAction'
              ? async (args: Parameters<typeof heavy.createAction>[0]) => {
                  const result = await target.createAction(args);
                  sentBytes = JSON.stringify(result.tx).length;
                  return result;
                }
              : Reflect.get(target, name, target),
        });
        const sender = new RegistryApp(wallet, alice.key, { http: api, live: at().realtimes[0] });
        await sender.client.sendMessage(
          { recipient: bob.key, messageBox: 'notifications', body: 'worth it', checkPermissions: true },
          api,
        );
        expect(sentBytes).toBeGreaterThan(NINE_MB);
        expect((await readServerBalance(at())) - before).toBe(10);
        const reader = new RegistryApp(bob.wallet, bob.key, { http: other, live: at().realtimes[1] });
        const listed = await reader.list('notifications');
        expect(listed).toMatchObject([{ sender: alice.key, body: 'worth it' }]);
        expect(await bob.readBalance()).toBe(10);
      },
      TIMEOUT_MS,
    );
  });
}
