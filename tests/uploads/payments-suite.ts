import { randomBytes, randomUUID } from 'node:crypto';
import { RegistryApp } from '../acceptance/app.js';
import type { Deploy, Deployment } from '../acceptance/deployments.js';
import { type MadePayment, Payer, type Prices } from '../acceptance/payers.js';
import type { Answer } from '../acceptance/people.js';
import { padBeef } from './large-beef.js';
import { StorageServer } from './storage-server.js';
import { type Announced, sha256 } from './uploads-suite.js';

const FEE = 25;

/** Payments whose transaction is in an upload, by real clients and ordinary wallets. */
export function uploadedPaymentsSuite(name: string, deploy: Deploy): void {
  describe(name, () => {
    let storage: StorageServer;
    let deployment: Deployment;
    const payers: Payer[] = [];

    beforeAll(async () => {
      storage = await StorageServer.start('strict');
      deployment = await deploy({ UPLOAD_MAX_BYTES: String(64 * 1_024 * 1_024), ...storage.env });
    });
    /** The real client tells the console what it pays. */
    beforeEach(() => {
      for (const method of ['log', 'warn', 'error'] as const) jest.spyOn(console, method).mockReturnValue();
    });
    afterEach(async () => {
      jest.restoreAllMocks();
      for (const payer of payers.splice(0)) await payer.close();
    });
    afterAll(async () => {
      await deployment?.close();
      await storage?.close();
    });

    const api = () => deployment.apis[0];
    const someone = async (satoshis = 0): Promise<Payer> => {
      const payer = await Payer.open(deployment.overlays[0] as string, satoshis);
      payers.push(payer);
      return payer;
    };
    const appOf = ({ wallet, key }: Payer) => new RegistryApp(wallet, key, { http: api(), live: api() });
    /** Somebody who charges, and a payment for a message to them. */
    const pay = async (alice: Payer, bob: Payer): Promise<MadePayment> => {
      await bob.charge(api(), FEE, 'inbox');
      const { client } = appOf(alice);
      const prices = await client.getMessageBoxQuote({ recipient: bob.key, messageBox: 'inbox' }, api());
      return await alice.pay(client, bob.key, prices as Prices);
    };
    const upload = async (by: Payer, beef: Uint8Array): Promise<string> => {
      const { status, body } = await by.post(`${api()}/beef/upload-url`, { bytes: beef.length, sha256: sha256(beef) });
      expect(status).toBe(200);
      const { uploadUrl, method, headers, key } = body as unknown as Announced & { uploadUrl: string; key: string };
      expect((await fetch(uploadUrl, { method, headers, body: beef })).status).toBe(200);
      return key;
    };
    const send = (by: Payer, to: Payer, payment: object, over: object = {}): Promise<Answer> =>
      by.post(`${api()}/sendMessage`, {
        message: { recipient: to.key, messageBox: 'inbox', messageId: randomUUID(), body: 'paid', ...over },
        payment,
      });
    const byReference = ({ outputs, description }: MadePayment, beefR2Key: unknown) => ({
      outputs,
      ...(description === undefined ? {} : { description }),
      beefR2Key,
    });

    test('a payment in a BEEF of 60 MB arrives, and the real client takes it as any other', async () => {
      const [alice, bob] = [await someone(50_000), await someone()];
      const payment = await pay(alice, bob);
      const key = await upload(alice, padBeef(payment.tx, 60_000_000));
      expect((await send(alice, bob, byReference(payment, key))).status).toBe(200);
      // What the transaction does not need is left out, so it fits into the message.
      expect(await appOf(bob).list('inbox')).toMatchObject([{ sender: alice.key, body: 'paid' }]);
      expect(await bob.readBalance()).toBe(FEE);
      expect(await alice.countPaidSatoshis()).toBe(FEE);
    });

    test('a payment without the money, of somebody else or with both forms is refused, and takes nothing', async () => {
      const [alice, bob, eve] = [await someone(50_000), await someone(), await someone()];
      const payment = await pay(alice, bob);
      const key = await upload(alice, padBeef(payment.tx, 100_000));
      const garbage = await upload(alice, randomBytes(100_000));
      const answers = [
        await send(eve, bob, byReference(payment, key)),
        await send(alice, bob, byReference(payment, 'x')),
        await send(alice, bob, byReference(payment, garbage)),
        await send(alice, bob, { ...payment, beefR2Key: key }),
        await send(alice, bob, { ...byReference(payment, key), outputs: [] }),
      ];
      expect(answers.map(({ body }) => body['code'])).toEqual([
        'ERR_UPLOAD_NOT_FOUND',
        'ERR_INVALID_UPLOAD',
        'ERR_INVALID_PAYMENT',
        'ERR_INVALID_PAYMENT',
        'ERR_MISSING_RECIPIENT_OUTPUTS',
      ]);
      expect(await appOf(bob).list('inbox')).toEqual([]);
      expect((await send(alice, bob, byReference(payment, key))).status).toBe(200);
      await appOf(bob).list('inbox');
      expect(await bob.readBalance()).toBe(FEE);
    });
  });
}
