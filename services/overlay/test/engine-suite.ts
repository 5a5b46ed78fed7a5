import { Beef, LockingScript, Transaction } from '@bsv/sdk';
import { MessageBoxAdvertisements, type StoreConfig } from '@messagebox/store';
import { type BeefTransaction, parseBeef, parseTransaction, serializeBeef } from '@messagebox/transactions';
import { addFunding, TestChain, toBeefBytes } from './support/chain.js';
import { type Host, startHost } from './support/host.js';
import { Person, PROTOCOLS } from './support/person.js';

const A = 'https://a.mailboxes.org';
const B = 'https://b.mailboxes.org';
const TOPIC = ['tm_messagebox'];
const NOTHING = { outputsToAdmit: [], coinsToRetain: [] };

/** The contract of the engine, on every database. */
export function engineSuite(
  name: string,
  createFixture: () => Promise<{ config: StoreConfig; drop(): Promise<void> }>,
) {
  describe(name, () => {
    let fixture: Awaited<ReturnType<typeof createFixture>>;
    const chain = new TestChain();
    let host: Host;
    /** Another process on the same database. */
    let other: Host;

    beforeAll(async () => {
      fixture = await createFixture();
      host = await startHost(chain, { store: fixture.config });
      other = await startHost(chain, { store: fixture.config });
    });
    afterAll(async () => {
      await other.close();
      await host.close();
      await fixture.drop();
    });

    const submit = (transaction: Transaction, topics = TOPIC, to = host) =>
      to.engine.apply(toBeefBytes(transaction), topics);

    async function expectRefused(work: Promise<unknown>, code: string, status: number): Promise<void> {
      const error = await work.then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(error).toMatchObject({ name: 'RuleError', code, status });
    }

    async function changesNothing(work: () => Promise<void>): Promise<void> {
      const before = await host.rows();
      await work();
      expect(await host.rows()).toEqual(before);
    }

    test('admits an advertisement, and finds it by identity and host', async () => {
      const alice = new Person();
      const steak = await submit(await alice.advertise(chain, A));
      expect(steak).toEqual({ tm_messagebox: { outputsToAdmit: [0], coinsToRetain: [], coinsRemoved: [] } });
      expect(await host.found({ identityKey: alice.identityKey })).toEqual([`${alice.identityKey} ${A}`]);
      expect(await host.found({ identityKey: alice.identityKey.toUpperCase() })).toHaveLength(1);
      expect(await host.found({ identityKey: alice.identityKey, host: A })).toHaveLength(1);
      expect(await host.found({ identityKey: alice.identityKey, host: B })).toEqual([]);
      expect(await host.found({ host: A })).toContain(`${alice.identityKey} ${A}`);
      expect(await host.found({})).toContain(`${alice.identityKey} ${A}`);
      expect(await other.found({ identityKey: alice.identityKey })).toHaveLength(1);
    });

    test('finds the newest advertisement first', async () => {
      const alice = new Person();
      await submit(await alice.advertise(chain, A));
      await submit(await alice.advertise(chain, B));
      const hosts = (await host.found({ identityKey: alice.identityKey })).map((found) => found.split(' ')[1]);
      expect(hosts).toEqual([B, A]);
    });

    test('lists each host of an identity once', async () => {
      const [alice, bob] = [new Person(), new Person()];
      for (const url of [A, B, A]) await submit(await alice.advertise(chain, url));
      await submit(await bob.advertise(chain, B));
      const ads = new MessageBoxAdvertisements(host.sql);
      // Anybody can submit the second copy of A, so it does not make A newer.
      expect(await ads.listHosts(alice.identityKey)).toEqual([B, A]);
      expect(await ads.listHosts(new Person().identityKey)).toEqual([]);
    });

    test('removes a spent advertisement with everything that is stored for it', async () => {
      const alice = new Person();
      const before = await host.rows();
      const ad = await alice.advertise(chain, A);
      await submit(ad);
      const revocation = await alice.transaction(chain, [], [{ transaction: ad, index: 0 }]);
      expect(await submit(revocation)).toEqual({
        tm_messagebox: { outputsToAdmit: [], coinsToRetain: [], coinsRemoved: [1] },
      });
      expect(await host.found({ identityKey: alice.identityKey })).toEqual([]);
      const { overlay_applied: applied, overlay_spends: spends, ...held } = await host.rows();
      expect(held).toEqual(expect.objectContaining({ overlay_outputs: before['overlay_outputs'] }));
      expect(held['overlay_transactions']).toBe(before['overlay_transactions']);
      expect(held['overlay_message_box_ads']).toBe(before['overlay_message_box_ads']);
      expect(applied).toBe((before['overlay_applied'] ?? 0) + 2);
      expect(spends).toBe((before['overlay_spends'] ?? 0) + 3);
    });

    test('replaces an advertisement by another one in one transaction', async () => {
      const alice = new Person();
      const first = await alice.advertise(chain, A);
      await submit(first);
      const second = await alice.advertise(chain, B, [{ transaction: first, index: 0 }]);
      expect(await submit(second)).toEqual({
        tm_messagebox: { outputsToAdmit: [0], coinsToRetain: [], coinsRemoved: [1] },
      });
      expect(await host.found({ identityKey: alice.identityKey })).toEqual([`${alice.identityKey} ${B}`]);
    });

    test('admits nothing and verifies nothing when a transaction is submitted again', async () => {
      const ad = await new Person().advertise(chain, A);
      await submit(ad);
      await changesNothing(async () => {
        chain.down = true;
        expect(await submit(ad)).toEqual({ tm_messagebox: NOTHING });
        chain.down = false;
      });
    });

    test('stores no row for a transaction that does not concern the topic', async () => {
      const plain = await new Person().transaction(chain, []);
      await changesNothing(async () => {
        expect(await submit(plain)).toEqual({ tm_messagebox: { ...NOTHING, coinsRemoved: [] } });
      });
    });

    test('applies one transaction to several topics', async () => {
      const server = new Person();
      const transaction = await server.transaction(chain, [
        await server.serviceAd('SHIP', A, 'tm_messagebox'),
        await server.serviceAd('SLAP', A, 'ls_messagebox'),
      ]);
      const steak = await submit(transaction, ['tm_slap', 'tm_ship', 'tm_slap']);
      expect(Object.keys(steak).sort()).toEqual(['tm_ship', 'tm_slap']);
      expect(steak['tm_ship']?.outputsToAdmit).toEqual([0]);
      expect(steak['tm_slap']?.outputsToAdmit).toEqual([1]);
      const count = async (service: string, query: unknown) =>
        (await host.engine.lookup({ service, query })).outputs.length;
      const { identityKey } = server;
      expect(await count('ls_ship', { topics: ['tm_messagebox', 'tm_x'], identityKey })).toBe(1);
      expect(await count('ls_ship', { topics: [], identityKey })).toBe(0);
      expect(await count('ls_ship', { topics: ['tm_x'], identityKey })).toBe(0);
      expect(await count('ls_ship', { domain: A, identityKey })).toBe(1);
      expect(await count('ls_ship', 'findAll')).toBeGreaterThan(0);
      expect(await count('ls_slap', { service: 'ls_messagebox', identityKey })).toBe(1);
      expect(await count('ls_slap', { service: 'ls_x', identityKey })).toBe(0);
      expect(await count('ls_slap', { domain: B, identityKey })).toBe(0);

      const revoked = await server.transaction(
        chain,
        [],
        [
          { transaction, index: 0, protocol: PROTOCOLS.SHIP },
          { transaction, index: 1, protocol: PROTOCOLS.SLAP },
        ],
      );
      const removal = await submit(revoked, ['tm_ship', 'tm_slap']);
      expect([removal['tm_ship']?.coinsRemoved, removal['tm_slap']?.coinsRemoved]).toEqual([[1], [2]]);
      expect(await count('ls_ship', { identityKey })).toBe(0);
      expect(await count('ls_slap', { identityKey })).toBe(0);
    });

    test('changes no topic when one of them refuses the transaction', async () => {
      const server = new Person();
      const first = await server.transaction(chain, [await server.serviceAd('SHIP', A, 'tm_messagebox')]);
      await submit(first, ['tm_ship']);
      const spent = { transaction: first, index: 0, protocol: PROTOCOLS.SHIP };
      await submit(await server.transaction(chain, [], [spent]), ['tm_ship']);
      const rival = await server.transaction(chain, [await server.messageBoxAd(A)], [spent]);
      await changesNothing(() => expectRefused(submit(rival, ['tm_messagebox', 'tm_ship']), 'ERR_DOUBLE_SPEND', 409));
    });

    describe('double spends', () => {
      test('refuses a second spender of an advertisement', async () => {
        const alice = new Person();
        const ad = await alice.advertise(chain, A);
        await submit(ad);
        const spent = [{ transaction: ad, index: 0 }];
        const [first, second] = [await alice.advertise(chain, B, spent), await alice.advertise(chain, A, spent)];
        await submit(first);
        await changesNothing(() => expectRefused(submit(second), 'ERR_DOUBLE_SPEND', 409));
        expect(await host.found({ identityKey: alice.identityKey })).toEqual([`${alice.identityKey} ${B}`]);
      });

      test('refuses a second advertisement that is funded by the same output', async () => {
        const alice = new Person();
        const funding = chain.fund();
        await submit(await alice.transaction(chain, [await alice.messageBoxAd(A)], [], funding));
        const second = await alice.transaction(chain, [await alice.messageBoxAd(B)], [], funding);
        await changesNothing(() => expectRefused(submit(second), 'ERR_DOUBLE_SPEND', 409));
      });

      test('prefers the spender in a block, and undoes the other one with its descendants', async () => {
        const alice = new Person();
        const ad = await alice.advertise(chain, A);
        await submit(ad);
        const spent = [{ transaction: ad, index: 0 }];
        const [loser, winner] = [await alice.advertise(chain, B, spent), await alice.advertise(chain, A, spent)];
        await submit(loser);
        const child = await alice.advertise(chain, `${B}/child`, [{ transaction: loser, index: 0 }]);
        await submit(child);
        chain.mine(winner);
        expect(await submit(winner)).toEqual({
          tm_messagebox: { outputsToAdmit: [0], coinsToRetain: [], coinsRemoved: [1] },
        });
        expect(await host.found({ identityKey: alice.identityKey })).toEqual([`${alice.identityKey} ${A}`]);
        await changesNothing(() => expectRefused(submit(loser), 'ERR_DOUBLE_SPEND', 409));
        expect(await submit(winner)).toEqual({ tm_messagebox: NOTHING });
      });

      test('admits again what only the loser had spent', async () => {
        const alice = new Person();
        const [kept, both] = [await alice.advertise(chain, A), await alice.advertise(chain, A)];
        await submit(kept);
        await submit(both);
        const loser = await alice.transaction(
          chain,
          [],
          [
            { transaction: kept, index: 0 },
            { transaction: both, index: 0 },
          ],
        );
        await submit(loser);
        expect(await host.found({ identityKey: alice.identityKey })).toEqual([]);
        await submit(chain.mine(await alice.advertise(chain, B, [{ transaction: both, index: 0 }])));
        expect((await submit(kept))['tm_messagebox']?.outputsToAdmit).toEqual([0]);
        expect((await submit(both))['tm_messagebox']?.outputsToAdmit).toEqual([]);
        const hosts = (await host.found({ identityKey: alice.identityKey })).map((found) => found.split(' ')[1]);
        expect(hosts).toEqual([B, A]);
      });

      describe('of one of two advertisements of a transaction', () => {
        const rowsOf = async (txid: string) => [
          (await host.storage.outputs.listIndexes(txid, TOPIC[0] ?? '')).sort(),
          (await host.storage.applied.find(txid, TOPIC[0] ?? '')) !== undefined,
        ];
        const hostsOf = async (alice: Person) =>
          (await host.found({ identityKey: alice.identityKey })).map((found) => found.split(' ')[1]);

        test('restores what only the loser had spent, and keeps the transaction known', async () => {
          const alice = new Person();
          const two = await alice.transaction(chain, [await alice.messageBoxAd(A), await alice.messageBoxAd(B)]);
          const txid = two.id('hex');
          await submit(two);
          const funding = chain.fund();
          await submit(await alice.transaction(chain, [], [{ transaction: two, index: 0 }], funding));
          expect(await hostsOf(alice)).toEqual([B]);
          const winner = await alice.transaction(chain, [await alice.messageBoxAd(`${A}/new`)], [], funding);
          await submit(chain.mine(winner));
          expect((await hostsOf(alice)).sort()).toEqual([A, `${A}/new`, B]);
          expect(await rowsOf(txid)).toEqual([[0, 1], true]);
          // The transaction is in no block, so it can be removed as a whole.
          expect(await host.engine.removeUnproven(txid, TOPIC[0] ?? '')).toBe(true);
          expect(await hostsOf(alice)).toEqual([`${A}/new`]);
          expect(await rowsOf(txid)).toEqual([[], false]);
        });

        test('does not restore what the winner spends as well', async () => {
          const alice = new Person();
          const two = await alice.transaction(chain, [await alice.messageBoxAd(A), await alice.messageBoxAd(B)]);
          await submit(two);
          const spent = [{ transaction: two, index: 0 }];
          await submit(await alice.transaction(chain, [], spent));
          const winner = await alice.advertise(chain, `${A}/new`, spent);
          expect((await submit(chain.mine(winner)))['tm_messagebox']).toMatchObject({ coinsRemoved: [1] });
          expect((await hostsOf(alice)).sort()).toEqual([`${A}/new`, B]);
          expect(await rowsOf(two.id('hex'))).toEqual([[1], true]);
        });

        test('keeps 100 advertisements when restored ones push out others, one of which the winner spends', async () => {
          const alice = new Person();
          const [oldest, second] = [
            await alice.advertise(chain, `${A}/oldest`),
            await alice.advertise(chain, `${A}/2nd`),
          ];
          for (const ad of [oldest, second]) await submit(ad);
          const scripts = await Promise.all([A, `${A}/a`, B].map((url) => alice.messageBoxAd(url)));
          const three = await alice.transaction(chain, scripts);
          await submit(three);
          const funding = chain.fund();
          const spent = [0, 1].map((index) => ({ transaction: three, index }));
          await submit(await alice.transaction(chain, [], spent, funding));
          const urls = Array.from({ length: 97 }, (_, index) => `${A}/many/${index}`);
          await submit(await alice.transaction(chain, await Promise.all(urls.map((url) => alice.messageBoxAd(url)))));
          const held = async () =>
            (await new MessageBoxAdvertisements(host.sql).find({ identityKey: alice.identityKey }, 1_000)).map(
              (found) => found.host,
            );
          expect(await held()).toHaveLength(100);
          const winner = await alice.transaction(chain, [], [{ transaction: oldest, index: 0 }], funding);
          expect((await submit(chain.mine(winner)))['tm_messagebox']).toMatchObject({ coinsRemoved: [1] });
          const hosts = await held();
          expect(hosts).toHaveLength(100);
          expect(hosts).toEqual(expect.arrayContaining([A, `${A}/a`, B]));
          for (const gone of ['oldest', '2nd']) expect(hosts).not.toContain(`${A}/${gone}`);
        });
      });

      test('stores a merkle path that arrives later', async () => {
        const alice = new Person();
        const funding = chain.fund();
        const first = await alice.transaction(chain, [await alice.messageBoxAd(A)], [], funding);
        await submit(first);
        chain.mine(first);
        expect(await submit(first)).toEqual({ tm_messagebox: NOTHING });
        const [output] = (
          await host.engine.lookup({ service: 'ls_messagebox', query: { identityKey: alice.identityKey } })
        ).outputs;
        expect(Transaction.fromBEEF(output?.beef ?? []).merklePath).toBeDefined();
        const rival = chain.mine(await alice.transaction(chain, [await alice.messageBoxAd(B)], [], funding));
        await changesNothing(() => expectRefused(submit(rival), 'ERR_DOUBLE_SPEND', 409));
      });

      test('does not admit an advertisement that arrives after its spender', async () => {
        const alice = new Person();
        const first = await alice.advertise(chain, A);
        const second = await alice.advertise(chain, B, [{ transaction: first, index: 0 }]);
        await submit(second);
        await changesNothing(async () => {
          expect((await submit(first))['tm_messagebox']?.outputsToAdmit).toEqual([]);
        });
        expect(await host.found({ identityKey: alice.identityKey })).toEqual([`${alice.identityKey} ${B}`]);
      });
    });

    test('does not admit an advertisement that arrives after its revocation', async () => {
      const alice = new Person();
      const ad = await alice.advertise(chain, A);
      const revocation = await alice.transaction(chain, [], [{ transaction: ad, index: 0 }]);
      await submit(revocation);
      expect((await submit(ad))['tm_messagebox']?.outputsToAdmit).toEqual([]);
      expect(await host.found({ identityKey: alice.identityKey })).toEqual([]);
    });

    test('remembers a mined revocation when it contains its advertisement, and else accepts it again', async () => {
      for (const comesAlong of [true, false]) {
        const alice = new Person();
        const ad = chain.mine(await alice.advertise(chain, A));
        const revocation = chain.mine(await alice.transaction(chain, [], [{ transaction: ad, index: 0 }]));
        const beef = new Beef();
        if (comesAlong) beef.mergeTransaction(ad);
        beef.mergeTransaction(revocation);
        expect(beef.txs).toHaveLength(comesAlong ? 2 : 1);
        const submitIt = async () =>
          (await host.engine.apply(Uint8Array.from(beef.toBinaryAtomic(revocation.id('hex'))), TOPIC))[TOPIC[0] ?? ''];
        expect(await submitIt()).toMatchObject({ outputsToAdmit: [], coinsRemoved: [] });
        expect((await submit(ad))['tm_messagebox']?.outputsToAdmit).toEqual(comesAlong ? [] : [0]);
        if (!comesAlong) expect(await submitIt()).toMatchObject({ coinsRemoved: [1] });
        expect(await host.found({ identityKey: alice.identityKey })).toEqual([]);
      }
    });

    describe('when a block is replaced', () => {
      const keptOf = async (alice: Person) => {
        const query = { identityKey: alice.identityKey };
        const [output] = (await host.engine.lookup({ service: 'ls_messagebox', query })).outputs;
        return Transaction.fromBEEF([...(output?.beef ?? [])]);
      };

      test('replaces a merkle path that is not valid any more', async () => {
        const alice = new Person();
        const ad = chain.mine(await alice.advertise(chain, A));
        await submit(ad);
        chain.replaceBlockOf(ad);
        await expect((await keptOf(alice)).verify(chain)).rejects.toThrow('Invalid merkle path');
        expect(await submit(chain.mine(ad))).toEqual({ tm_messagebox: NOTHING });
        expect(await (await keptOf(alice)).verify(chain)).toBe(true);
      });

      test('refuses a merkle path that is not valid', async () => {
        const alice = new Person();
        const ad = chain.mine(await alice.advertise(chain, A));
        await submit(ad);
        const elsewhere = new TestChain();
        await changesNothing(() => expectRefused(submit(elsewhere.mine(ad)), 'ERR_INVALID_TRANSACTION', 400));
        expect(await (await keptOf(alice)).verify(chain)).toBe(true);
      });

      test('prefers a transaction in the new block to one in the old block', async () => {
        const alice = new Person();
        const funding = chain.fund();
        const old = chain.mine(await alice.transaction(chain, [await alice.messageBoxAd(A)], [], funding));
        await submit(old);
        const rival = await alice.transaction(chain, [await alice.messageBoxAd(B)], [], funding);
        await changesNothing(() => expectRefused(submit(rival), 'ERR_DOUBLE_SPEND', 409));
        chain.mine(rival);
        await changesNothing(() => expectRefused(submit(rival), 'ERR_DOUBLE_SPEND', 409));
        chain.replaceBlockOf(old);
        expect((await submit(rival))['tm_messagebox']?.outputsToAdmit).toEqual([0]);
        expect(await host.found({ identityKey: alice.identityKey })).toEqual([`${alice.identityKey} ${B}`]);
      });
    });

    describe('for one identity', () => {
      const hostsOf = async (alice: Person) =>
        (await host.found({ identityKey: alice.identityKey })).map((found) => found.split(' ')[1]);
      const many = async (alice: Person, count: number, name: string) => {
        const urls = Array.from({ length: count }, (_, index) => `${A}/${name}/${index}`);
        const scripts = await Promise.all(urls.map((url) => alice.messageBoxAd(url)));
        return await alice.transaction(chain, scripts);
      };

      test('holds 100 advertisements, and removes the oldest with everything that is stored for them', async () => {
        const [alice, bob] = [new Person(), new Person()];
        await submit(await bob.advertise(chain, B));
        const oldest = await alice.advertise(chain, `${A}/oldest`);
        await submit(oldest);
        const before = await host.rows();
        await submit(await many(alice, 50, 'old'));
        await submit(await many(alice, 60, 'new'));
        const ads = new MessageBoxAdvertisements(host.sql);
        const held = (await ads.find({ identityKey: alice.identityKey }, 1_000)).map(({ host: url }) => url);
        expect(held).toHaveLength(100);
        expect(held.filter((url) => url.includes('/new/'))).toHaveLength(60);
        expect(held).toContain(`${A}/old/49`);
        expect(held).not.toContain(`${A}/oldest`);
        expect(held).not.toContain(`${A}/old/9`);
        const after = await host.rows();
        expect(after['overlay_outputs']).toBe((before['overlay_outputs'] ?? 0) + 99);
        expect(after['overlay_transactions']).toBe((before['overlay_transactions'] ?? 0) + 1);
        expect(await host.found({ identityKey: bob.identityKey })).toHaveLength(1);
      });

      test('removes advertisements in a block last', async () => {
        const alice = new Person();
        await submit(chain.mine(await alice.advertise(chain, `${A}/mined`)));
        await submit(await many(alice, 60, 'old'));
        await submit(await many(alice, 60, 'new'));
        expect(await hostsOf(alice)).toContain(`${A}/mined`);
      });
    });

    test('reads the database equally often for many results and for one', async () => {
      const [alice, bob] = [new Person(), new Person()];
      await submit(await alice.advertise(chain, A));
      for (let i = 0; i < 5; i++) await submit(await bob.advertise(chain, `${A}/${i}`));
      const read = jest.spyOn(host.sql, 'read');
      const readsFor = async ({ identityKey }: Person) => {
        read.mockClear();
        await host.engine.lookup({ service: 'ls_messagebox', query: { identityKey } });
        return read.mock.calls.length;
      };
      expect(await readsFor(bob)).toBe(await readsFor(alice));
      read.mockRestore();
    });

    describe('at the same time', () => {
      test('never lists an advertisement whose spender arrives at another process', async () => {
        const alice = new Person();
        for (let round = 0; round < 40; round++) {
          const ad = await alice.advertise(chain, `${A}/${round}`);
          const revocation = await alice.transaction(chain, [], [{ transaction: ad, index: 0 }]);
          const [first, second] = round % 2 === 0 ? [ad, revocation] : [revocation, ad];
          await Promise.all([submit(first, TOPIC, host), submit(second, TOPIC, other)]);
        }
        expect(await host.found({ identityKey: alice.identityKey })).toEqual([]);
      });

      test('finds a restored output while another process spends its sibling', async () => {
        const alice = new Person();
        for (let round = 0; round < 20; round++) {
          const [back, spent] = [`${A}/back/${round}`, `${A}/other/${round}`];
          const two = await alice.transaction(chain, [await alice.messageBoxAd(back), await alice.messageBoxAd(spent)]);
          await submit(two);
          const funding = chain.fund();
          await submit(await alice.transaction(chain, [], [{ transaction: two, index: 0 }], funding));
          const winner = chain.mine(await alice.transaction(chain, [await alice.messageBoxAd(A)], [], funding));
          const revocation = await alice.transaction(chain, [], [{ transaction: two, index: 1 }]);
          const [first, second] = round % 2 === 0 ? [winner, revocation] : [revocation, winner];
          await Promise.all([submit(first, TOPIC, host), submit(second, TOPIC, other)]);
          // When the revocation was first, the BEEF was gone, so the transaction can be submitted again.
          await submit(two);
          expect(await host.found({ identityKey: alice.identityKey, host: back })).toHaveLength(1);
          expect(await host.found({ identityKey: alice.identityKey, host: spent })).toEqual([]);
        }
      });

      test('leaves nothing when one process restores an output and another removes its transaction', async () => {
        const alice = new Person();
        for (let round = 0; round < 4; round++) {
          const two = await alice.transaction(chain, [await alice.messageBoxAd(A), await alice.messageBoxAd(A)]);
          const txid = two.id('hex');
          await submit(two);
          const funding = chain.fund();
          await submit(await alice.transaction(chain, [], [{ transaction: two, index: 0 }], funding));
          const winner = chain.mine(await alice.transaction(chain, [await alice.messageBoxAd(B)], [], funding));
          // Starts the removal after the verification, so that both change the database at the same time.
          const change = host.storage.transaction.bind(host.storage);
          const both = jest.spyOn(host.storage, 'transaction').mockImplementationOnce(async (work) => {
            const [changed] = await Promise.all([change(work), other.engine.removeUnproven(txid, TOPIC[0] ?? '')]);
            return changed;
          });
          await submit(winner);
          both.mockRestore();
          expect(await host.storage.outputs.listIndexes(txid, TOPIC[0] ?? '')).toEqual([]);
          expect(await host.storage.beefs.find(txid)).toBeUndefined();
        }
      });

      test('admits a transaction once when two processes get it 20 times', async () => {
        const alice = new Person();
        const ad = await alice.advertise(chain, A);
        const steaks = await Promise.all(
          Array.from({ length: 20 }, (_, index) => submit(ad, TOPIC, index % 2 === 0 ? host : other)),
        );
        const admitted = steaks.filter((steak) => steak['tm_messagebox']?.outputsToAdmit.length === 1);
        expect(admitted).toHaveLength(1);
        expect(await host.found({ identityKey: alice.identityKey })).toHaveLength(1);
      });

      test('admits one of 20 spenders of the same advertisement', async () => {
        const alice = new Person();
        const ad = await alice.advertise(chain, A);
        await submit(ad);
        const spenders = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            alice.advertise(chain, `${B}/${index}`, [{ transaction: ad, index: 0 }]),
          ),
        );
        const outcomes = await Promise.allSettled(
          spenders.map((spender, index) => submit(spender, TOPIC, index % 2 === 0 ? host : other)),
        );
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'ERR_DOUBLE_SPEND' });
        }
        expect(await host.found({ identityKey: alice.identityKey })).toHaveLength(1);
      });

      test('admits 20 advertisements of one identity', async () => {
        const alice = new Person();
        const ads = await Promise.all(
          Array.from({ length: 20 }, (_, index) => alice.advertise(chain, `${A}/${index}`)),
        );
        await Promise.all(ads.map((ad, index) => submit(ad, TOPIC, index % 2 === 0 ? host : other)));
        expect(await host.found({ identityKey: alice.identityKey })).toHaveLength(20);
      });
    });

    describe('refusals', () => {
      test('refuses an unknown topic, also together with a known one', async () => {
        const ad = await new Person().advertise(chain, A);
        for (const topics of [['tm_other'], [...TOPIC, 'tm_other'], ['__proto__'], ['constructor'], ['']]) {
          await changesNothing(() => expectRefused(submit(ad, topics), 'ERR_UNKNOWN_TOPIC', 400));
        }
      });

      test('throws ChainUnavailableError when the chain does not answer, and works again afterwards', async () => {
        const ad = await new Person().advertise(chain, A);
        chain.down = true;
        await changesNothing(async () => {
          await expect(submit(ad)).rejects.toMatchObject({ name: 'ChainUnavailableError' });
        });
        chain.down = false;
        expect((await submit(ad))['tm_messagebox']?.outputsToAdmit).toEqual([0]);
      });

      test.each<[string, (alice: Person) => Promise<Uint8Array>]>([
        ['an empty body', async () => new Uint8Array(0)],
        ['bytes that are not a BEEF', async () => new TextEncoder().encode('{"beef": "no"}')],
        ['a truncated BEEF', async (alice) => toBeefBytes(await alice.advertise(chain, A)).slice(0, -5)],
        [
          'bytes after the end',
          async (alice) => Buffer.concat([toBeefBytes(await alice.advertise(chain, A)), Buffer.of(0)]),
        ],
        ['a BEEF that claims 2^53 transactions', async () => Buffer.from('0100beef00ffffffffffffff1f00', 'hex')],
        ['a BEEF that claims 2^53 merkle paths', async () => Buffer.from('0200beefffffffffffffff1f00', 'hex')],
        [
          'a merkle path of another block',
          async (alice) => {
            const ad = await alice.advertise(chain, A);
            const elsewhere = new TestChain();
            elsewhere.mine(ad);
            return toBeefBytes(ad);
          },
        ],
        [
          'an ancestor that is missing',
          async (alice) => {
            const funding = chain.fund();
            const ad = await alice.transaction(chain, [await alice.messageBoxAd(A)], [], funding);
            delete funding.merklePath;
            return Uint8Array.from(ad.toBEEF(true));
          },
        ],
        [
          'a script that fails',
          async (alice) => {
            const ad = await alice.advertise(chain, A);
            await submit(ad);
            const stolen = new Transaction();
            addFunding(stolen, chain.fund());
            stolen.addInput({
              sourceTransaction: ad,
              sourceOutputIndex: 0,
              unlockingScriptTemplate: {
                sign: async () => (await new Person().transaction(chain, [])).inputs[0]?.unlockingScript ?? fail(),
                estimateLength: async () => 0,
              },
            });
            stolen.addOutput({ lockingScript: LockingScript.fromASM('OP_1'), satoshis: 1 });
            await stolen.sign();
            return toBeefBytes(stolen);
          },
        ],
        [
          'more bytes than an advertisement needs',
          async (alice) => {
            const funding = chain.fund(1, 131_072);
            return toBeefBytes(await alice.transaction(chain, [await alice.messageBoxAd(A)], [], funding));
          },
        ],
        [
          'outputs with more satoshis than the inputs',
          async (alice) => {
            const ad = await alice.advertise(chain, A);
            ad.addOutput({ lockingScript: LockingScript.fromASM('OP_1'), satoshis: 1_000_000 });
            return toBeefBytes(ad);
          },
        ],
      ])('refuses %s', async (_name, make) => {
        const beef = await make(new Person());
        await changesNothing(() => expectRefused(host.engine.apply(beef, TOPIC), 'ERR_INVALID_TRANSACTION', 400));
      });
    });

    test('ignores the size of transactions that are not needed', async () => {
      const alice = new Person();
      const beef = new Beef();
      beef.mergeTransaction(chain.fund(1, 131_072));
      const ad = await alice.advertise(chain, A);
      beef.mergeTransaction(ad);
      const steak = await host.engine.apply(Uint8Array.from(beef.toBinaryAtomic(ad.id('hex'))), TOPIC);
      expect(steak['tm_messagebox']?.outputsToAdmit).toEqual([0]);
    });

    test('accepts a BEEF of 1,000 transactions, needed or not, and refuses 1,001', async () => {
      const withUnneeded = async (count: number) => {
        const needed = parseBeef(toBeefBytes(await new Person().advertise(chain, A)));
        const unneeded = Array.from({ length: count - needed.transactions.size }, (_, n) => smallest(n));
        return serializeBeef([...unneeded, ...needed.transactions.values()]);
      };
      const most = await withUnneeded(1_000);
      expect((await host.engine.apply(most, TOPIC))['tm_messagebox']?.outputsToAdmit).toEqual([0]);
      const tooMany = await withUnneeded(1_001);
      await changesNothing(async () => {
        await expect(host.engine.apply(tooMany, TOPIC)).rejects.toMatchObject({
          code: 'ERR_INVALID_TRANSACTION',
          status: 400,
          message: 'The BEEF has more than 1000 transactions.',
        });
      });
    });

    test('throws StoreUnavailableError while the database is unavailable, and works again afterwards', async () => {
      const lost = await startHost(chain, { store: fixture.config });
      const ad = await new Person().advertise(chain, A);
      await lost.sql.close();
      await expect(submit(ad, TOPIC, lost)).rejects.toMatchObject({ name: 'StoreUnavailableError' });
      await expect(lost.engine.lookup({ service: 'ls_messagebox', query: {} })).rejects.toMatchObject({
        name: 'StoreUnavailableError',
      });
      await lost.close();
      expect((await submit(ad))['tm_messagebox']?.outputsToAdmit).toEqual([0]);
    });
  });
}

/** A transaction of 10 bytes, without inputs and outputs. Its lock time makes it unique. */
function smallest(lockTime: number): BeefTransaction {
  const raw = Buffer.alloc(10);
  raw.writeUInt32LE(1);
  raw.writeUInt32LE(lockTime, 6);
  return { ...parseTransaction(raw), proof: undefined };
}

function fail(): never {
  throw new Error('there is no script');
}
