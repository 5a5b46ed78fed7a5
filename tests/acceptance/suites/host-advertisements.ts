import { MessageBoxClient } from '@bsv/message-box-client';
import { type DeveloperWallet, openDeveloperWallet } from '@messagebox/devnet';
import type { Deployment } from '../deployments.js';
import { openFrontDoor } from '../front-door.js';
import { redirectLocalPreset } from '../local-preset.js';
import { Person } from '../people.js';

const HOSTS = ['https://one.messagebox-host.com', 'https://two.messagebox-host.com'] as const;

/** An identity says where it takes messages, by the real client and a funded wallet on the local chain. */
export function hostAdvertisementsSuite(at: () => Deployment): void {
  describe('advertisements of hosts', () => {
    let alice: DeveloperWallet;
    let client: MessageBoxClient;
    let endRedirection: () => Promise<void>;
    const overlay = (i: number) => at().overlays[i % at().overlays.length] as string;

    beforeAll(async () => {
      endRedirection = redirectLocalPreset(overlay(0));
      alice = await openDeveloperWallet({ origin: overlay(0) });
      await alice.fund(10_000);
      client = new MessageBoxClient({ host: at().apis[0], walletClient: alice.wallet, networkPreset: 'local' });
      await client.init(at().apis[0]);
    });

    afterAll(async () => {
      await alice?.close();
      await endRedirection?.();
    });

    const advertised = async (of: MessageBoxClient = client) =>
      (await of.queryAdvertisements(alice.identityKey)).map(({ host }) => host);

    it('are found, replaced by the next one, and gone when they are revoked', async () => {
      expect(await advertised()).toEqual([]);

      const first = await client.anointHost(HOSTS[0]);
      expect((await client.queryAdvertisements()).map(({ host, txid }) => ({ host, txid }))).toEqual([
        { host: HOSTS[0], txid: first.txid },
      ]);
      expect((await client.queryAdvertisements(undefined, HOSTS[1])).length).toBe(0);

      const second = await client.anointHost(HOSTS[1]);
      const [current, ...others] = await client.queryAdvertisements();
      expect(others).toEqual([]);
      expect(current).toMatchObject({ host: HOSTS[1], txid: second.txid });
      expect(await client.resolveHostForRecipient(alice.identityKey)).toBe(HOSTS[1]);

      if (current === undefined) throw new Error('there is no advertisement');
      await client.revokeHostAdvertisement(current);
      expect(await advertised()).toEqual([]);
    });

    it('are the same at every instance, also of a host that was revoked before', async () => {
      await client.anointHost(HOSTS[0]);
      for (const url of at().overlays) {
        const query = { service: 'ls_messagebox', query: { identityKey: alice.identityKey } };
        const answer = await fetch(`${url}/lookup`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify(query),
        });
        expect(((await answer.json()) as { outputs: unknown[] }).outputs).toHaveLength(1);
      }
    });

    it('tell who sends here that the recipient is elsewhere, and what was sent is here', async () => {
      const recipient = new Person();
      const there = await openDeveloperWallet({ origin: overlay(1), privateKey: recipient.privateKey });
      const bob = new Person();
      const door = await openFrontDoor(at().apis[0]);
      const send = async (to: string | string[]) => {
        const messageId = typeof to === 'string' ? `m-${to}` : to.map((key) => `n-${key}`);
        const message = { recipient: to, messageBox: 'inbox', messageId, body: 'hello' };
        const { status, headers } = await bob.postForHeaders(`${door.url}/sendMessage`, { message });
        expect(status).toBe(200);
        const told = door.lastHeaders['x-messagebox-advertised-host'];
        // The same where `AuthFetch` shows it: it hides what is not signed.
        expect(headers.get('x-bsv-messagebox-advertised-host') ?? undefined).toBe(told);
        return told;
      };
      try {
        await there.fund(10_000);
        const advertiser = new MessageBoxClient({
          host: at().apis[0],
          walletClient: there.wallet,
          networkPreset: 'local',
        });
        await advertiser.init(at().apis[0]);
        await advertiser.anointHost(HOSTS[1]);

        expect(await send(recipient.key)).toBe(HOSTS[1]);
        expect(await send([recipient.key, bob.key])).toBe(`${recipient.key}=${HOSTS[1]}`);
        expect(await send(bob.key)).toBeUndefined();
        const page = await recipient.page(at().apis[1], 'inbox');
        expect(page.messages.map(({ sender, body }) => ({ sender, body }))).toEqual([
          { sender: bob.key, body: 'hello' },
          { sender: bob.key, body: 'hello' },
        ]);
      } finally {
        await there.close();
        await door.close();
      }
    });
  });
}
