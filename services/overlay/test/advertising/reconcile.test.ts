import { Transaction } from '@bsv/sdk';
import { Exclusive, RuleError } from '@messagebox/shared';
import { parseBeef } from '@messagebox/wallet';
import type { ReconcileStep } from '../../src/advertising/reconcile.js';
import { Trackers } from '../../src/advertising/trackers.js';
import { type AdvertisingHost, type Instance, ORIGIN, openAdvertisingHost } from '../support/advertising-host.js';

const OTHER = 'https://messagebox-two.com';
const adsAt = (origin: string) => [`SHIP tm_messagebox ${origin}`, `SLAP ls_messagebox ${origin}`];
const STEPS: ReconcileStep[] = [
  'locked',
  'begun',
  'remembered',
  'signed',
  'recorded',
  'sent',
  'submitted',
  'shown',
  'accepted',
];

class Interrupted extends Error {}

let host: AdvertisingHost;
beforeEach(async () => {
  host = await openAdvertisingHost();
});
afterEach(() => host.close());

/** On the chain, in the lookup services and in the operator's list. */
async function expectAdvertised(expected: readonly string[]): Promise<void> {
  expect(await host.onChain()).toEqual(expected);
  expect(await host.found()).toEqual(expected);
  expect(await host.shown()).toEqual(expected);
}

/** An instance that ends at a step as if it were killed there: nothing of it runs after that. */
async function interruptedAt(step: ReconcileStep, env: Record<string, string> = {}): Promise<Instance> {
  return await host.start(env, async (done) => {
    if (done === step) throw new Interrupted(step);
  });
}

/** The wallet gives up unsigned actions that are older than five minutes: makes them so. */
async function ageUnsignedActions(): Promise<void> {
  const { LocalDatabase } = await import('../../../../packages/wallet/src/local/local-database.js');
  const database = LocalDatabase.beside(host.store, 'wallet');
  try {
    const old = new Date(Date.now() - 10 * 60_000).toISOString();
    const aged = await database.knex('transactions').where({ status: 'unsigned' }).update({ updated_at: old });
    expect(aged).toBe(1);
  } finally {
    await database.close();
  }
}

describe('reconciling what is advertised with what should be', () => {
  test('advertises topic and service once, however often it is asked', async () => {
    const { reconciler } = await host.start();
    const first = await reconciler.reconcile();
    expect(first).toMatchObject({ advertised: adsAt(ORIGIN), created: adsAt(ORIGIN), revoked: [], renewed: [] });
    expect(first.transactions).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
    await expectAdvertised(adsAt(ORIGIN));
    const again = await Promise.all([1, 2, 3, 4].map(() => reconciler.reconcile()));
    for (const result of again) {
      expect(result).toEqual({ advertised: adsAt(ORIGIN), created: [], revoked: [], renewed: [], transactions: [] });
    }
    await expectAdvertised(adsAt(ORIGIN));
  });

  test.each([
    ['have a rival that the network has dropped', 'ERR_DOUBLE_SPEND', 409],
    ['find what it rests on too large', 'ERR_INVALID_TRANSACTION', 400],
  ] as const)('our own topics %s: trackers get it, and the topics later', async (_what, code, status) => {
    const { reconciler, engine, log } = await host.start();
    const refusing = jest.spyOn(engine, 'apply').mockRejectedValue(new RuleError(code, 'Not like this.', status));
    expect(await reconciler.reconcile()).toMatchObject({ created: adsAt(ORIGIN), transactions: [expect.any(String)] });
    expect(await host.onChain()).toEqual(adsAt(ORIGIN));
    expect(await host.found()).toEqual([]);
    expect(log).toContainEqual(expect.objectContaining({ level: 40, reason: 'Not like this.' }));
    refusing.mockRestore();
    expect(await reconciler.reconcile()).toMatchObject({ created: [], transactions: [] });
    await expectAdvertised(adsAt(ORIGIN));
  });

  test('trackers are shown it with its merkle path once it has one, at first or again', async () => {
    const show = jest.spyOn(Trackers.prototype, 'show');
    const isShownProven = () =>
      show.mock.calls.flatMap(([transactions]) =>
        transactions.map(({ beef }) => parseBeef(beef).subject.proof !== undefined),
      );
    const interrupted = await interruptedAt('submitted');
    await expect(interrupted.reconciler.reconcile()).rejects.toThrow(Interrupted);
    const { reconciler } = await host.start();
    await reconciler.reconcile();
    await reconciler.reconcile(true);
    expect(isShownProven()).toEqual([true, true]);
    show.mockRestore();
  });

  test('what our own topics have lost they get again, with its merkle path', async () => {
    const { reconciler, engine } = await host.start();
    await reconciler.reconcile();
    const applied = jest.spyOn(engine, 'apply');
    await reconciler.reconcile();
    const [beef] = applied.mock.lastCall ?? [];
    expect(Transaction.fromAtomicBEEF([...(beef ?? [])]).merklePath).toBeDefined();
    applied.mockRestore();
  });

  test('another address: the old one is revoked and the new one made in one transaction', async () => {
    await (await host.start()).reconciler.reconcile();
    const moved = await host.start({ HOSTING_DOMAIN: OTHER });
    const result = await moved.reconciler.reconcile();
    expect(result).toMatchObject({ created: adsAt(OTHER), revoked: adsAt(ORIGIN) });
    expect(result.transactions).toHaveLength(1);
    await expectAdvertised(adsAt(OTHER));
  });

  test('no address any more: what was advertised is revoked', async () => {
    await (await host.start()).reconciler.reconcile();
    const result = await (await host.start({ HOSTING_DOMAIN: '' })).reconciler.reconcile();
    expect(result).toMatchObject({ advertised: [], created: [], revoked: adsAt(ORIGIN) });
    await expectAdvertised([]);
  });

  test('stays revoked until somebody advertises', async () => {
    const { reconciler, own } = await host.start();
    await reconciler.reconcile();
    await own.decide(false, new Date());
    expect(await reconciler.reconcile()).toMatchObject({ revoked: adsAt(ORIGIN) });
    await expectAdvertised([]);
    const restarted = await host.start();
    expect(await restarted.reconciler.reconcile()).toMatchObject({ created: [] });
    await expectAdvertised([]);
    await restarted.own.decide(true, new Date(Date.now() + 1));
    await restarted.reconciler.reconcile();
    await expectAdvertised(adsAt(ORIGIN));
  });

  test('the latest decision counts, in whatever order they come', async () => {
    const { own } = await host.start();
    const at = (seconds: number) => new Date(1_800_000_000_000 + seconds * 1_000);
    expect(await own.advertisingWanted()).toBe(true);
    for (const [wanted, seconds, counts] of [
      [false, 10, false],
      [true, 5, false],
      [true, 20, true],
      [false, 10, true],
      [false, 20, true],
      [false, 21, false],
    ] as const) {
      await own.decide(wanted, at(seconds));
      expect(await own.advertisingWanted()).toBe(counts);
    }
  });

  test('of decisions at the same time the latest is taken', async () => {
    const { own } = await host.start();
    const now = Date.now();
    await Promise.all(Array.from({ length: 20 }, (_, n) => own.decide(n !== 19, new Date(now + n))));
    expect(await own.advertisingWanted()).toBe(false);
  });

  describe.each(STEPS)('interrupted after %s', (step) => {
    const reached = (of: readonly ReconcileStep[]) => of.includes(step);

    test('advertising ends with one of each, by the same transaction if it was written down', async () => {
      const interrupted = await interruptedAt(step);
      const run = interrupted.reconciler.reconcile();
      // Nothing is revoked, so there is nothing to sign but by the wallet itself.
      if (reached(['begun', 'remembered'])) await run;
      else await expect(run).rejects.toThrow(Interrupted);
      const before = await transactions();
      await interrupted.close();
      await (await host.start()).reconciler.reconcile();
      await expectAdvertised(adsAt(ORIGIN));
      const after = await transactions();
      expect(after).toHaveLength(1);
      expect(after).toEqual(reached(['locked', 'signed']) ? [expect.anything()] : before);
      expect(await (await host.start()).reconciler.reconcile()).toMatchObject({ transactions: [] });
    });

    test.each(['revoking', 'moving'])('%s leaves nothing of the old address', async (how) => {
      const first = await host.start();
      await first.reconciler.reconcile();
      const env = { HOSTING_DOMAIN: how === 'moving' ? OTHER : '' };
      const interrupted = await interruptedAt(step, env);
      await expect(interrupted.reconciler.reconcile()).rejects.toThrow(Interrupted);
      await interrupted.close();
      const { reconciler } = await host.start(env);
      if (step === 'begun') {
        // The wallet has not told its reference to anybody, so it has to give the action up itself.
        await expect(reconciler.reconcile()).rejects.toThrow('The wallet holds back 2 advertisements');
        await expectAdvertised(adsAt(ORIGIN));
        await ageUnsignedActions();
      }
      await reconciler.reconcile();
      await expectAdvertised(how === 'moving' ? adsAt(OTHER) : []);
      expect(await (await host.start(env)).reconciler.reconcile()).toMatchObject({ transactions: [] });
    });
  });

  test('a transaction that the wallet has given up is made again', async () => {
    const interrupted = await interruptedAt('recorded');
    await expect(interrupted.reconciler.reconcile()).rejects.toThrow(Interrupted);
    const [txid = ''] = await transactions();
    await (await interrupted.money.wallet.wallet()).abortAction({ reference: txid });
    const { reconciler, own } = await host.start();
    await expect(reconciler.reconcile()).rejects.toThrow(`Transaction ${txid} can't be sent any more.`);
    expect(await own.state(txid)).toBe('refused');
    expect(await host.shown()).toEqual([]);
    await reconciler.reconcile();
    await expectAdvertised(adsAt(ORIGIN));
  });

  test('one too many is revoked, and the oldest stays', async () => {
    const { reconciler, money } = await host.start();
    const { transactions: first } = await reconciler.reconcile();
    // As if somebody had made another one, with the same wallet.
    const { AdWallet } = await import('../../src/advertising/ad-wallet.js');
    const wallet = new AdWallet(await money.wallet.wallet());
    const ad = { protocol: 'SHIP', name: 'tm_messagebox', domain: ORIGIN } as const;
    const made = await wallet.make([ad], [], (await wallet.held()).beef, async () => undefined);
    await wallet.send(made.txid);
    expect(await host.onChain()).toHaveLength(3);
    expect(await reconciler.reconcile()).toMatchObject({ created: [], revoked: [adsAt(ORIGIN)[0]] });
    await expectAdvertised(adsAt(ORIGIN));
    expect((await wallet.held()).ads.map(({ txid }) => txid)).toEqual([first[0], first[0]]);
  });

  test('a database that was lost is filled again from the wallet', async () => {
    const { reconciler } = await host.start();
    const { transactions: made } = await reconciler.reconcile();
    for (const table of ['overlay_own_ads', 'overlay_own_transactions', 'overlay_settings']) {
      await host.sql.write({ text: `DELETE FROM ${table}`, kind: 'varying' }, []);
    }
    expect(await reconciler.reconcile()).toMatchObject({ created: [], transactions: made });
    await expectAdvertised(adsAt(ORIGIN));
  });

  test('the wallet is not opened while there is nothing to advertise', async () => {
    const { reconciler, money } = await host.start({ HOSTING_DOMAIN: 'http://messagebox-one.com' });
    const open = jest.spyOn(money.wallet, 'wallet');
    const maintain = jest.spyOn(money.wallet, 'maintain');
    expect(await reconciler.reconcile()).toMatchObject({ advertised: [], transactions: [] });
    expect(open).not.toHaveBeenCalled();
    expect(maintain).not.toHaveBeenCalled();
  });

  test('a lock that was lost on the way keeps it from making anything', async () => {
    const lost = jest.spyOn(Exclusive.prototype, 'run').mockImplementation(async (_name, work) =>
      work({
        assertHeld: async () => {
          throw new Error('The lock was lost.');
        },
      }),
    );
    try {
      await expect((await host.start()).reconciler.reconcile()).rejects.toThrow('The lock was lost.');
    } finally {
      lost.mockRestore();
    }
    await expectAdvertised([]);
  });

  async function transactions(): Promise<string[]> {
    const rows = await host.sql.read(
      { text: 'SELECT txid FROM overlay_own_transactions ORDER BY id', kind: 'varying' },
      [],
    );
    return rows.map((row) => (row['txid'] as Buffer).toString('hex'));
  }
});
