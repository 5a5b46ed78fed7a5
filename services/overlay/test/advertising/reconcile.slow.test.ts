import { Transaction } from '@bsv/sdk';
import { RuleError } from '@messagebox/messages';
import { NamedLock } from '@messagebox/store';
import { parseBeef } from '@messagebox/transactions';
import type { ReconcileStep } from '../../src/advertising/reconciler.js';
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

/** Expects the same advertisements on the chain, in the lookup services and in the operator's list. */
async function expectAdvertised(expected: readonly string[]): Promise<void> {
  expect(await host.onChain()).toEqual(expected);
  expect(await host.found()).toEqual(expected);
  expect(await host.shown()).toEqual(expected);
}

/** Starts an instance that stops at a step as if it were killed there. */
async function interruptedAt(step: ReconcileStep, env: Record<string, string> = {}): Promise<Instance> {
  return await host.start(env, async (done) => {
    if (done === step) throw new Interrupted(step);
  });
}

/** Makes unsigned actions older than five minutes, after which the wallet aborts them. */
async function ageUnsignedActions(): Promise<void> {
  const { LocalDatabase } = await import('../../../../packages/devnet/src/chain/local-database.js');
  const database = LocalDatabase.createBeside(host.store, 'wallet');
  try {
    const old = new Date(Date.now() - 10 * 60_000).toISOString();
    const aged = await database.knex('transactions').where({ status: 'unsigned' }).update({ updated_at: old });
    expect(aged).toBe(1);
  } finally {
    await database.close();
  }
}

describe('the reconciler', () => {
  test('advertises topic and service once when it runs several times', async () => {
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
    ['find its ancestors too large', 'ERR_INVALID_TRANSACTION', 400],
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

  test('announces a transaction with its merkle path once it has one', async () => {
    const show = jest.spyOn(Trackers.prototype, 'announce');
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

  test('submits to the own topics again what they have lost, with the merkle path', async () => {
    const { reconciler, engine } = await host.start();
    await reconciler.reconcile();
    const applied = jest.spyOn(engine, 'apply');
    await reconciler.reconcile();
    const [beef] = applied.mock.lastCall ?? [];
    expect(Transaction.fromAtomicBEEF([...(beef ?? [])]).merklePath).toBeDefined();
    applied.mockRestore();
  });

  test('revokes the old address and advertises the new one in one transaction', async () => {
    await (await host.start()).reconciler.reconcile();
    const moved = await host.start({ HOSTING_DOMAIN: OTHER });
    const result = await moved.reconciler.reconcile();
    expect(result).toMatchObject({ created: adsAt(OTHER), revoked: adsAt(ORIGIN) });
    expect(result.transactions).toHaveLength(1);
    await expectAdvertised(adsAt(OTHER));
  });

  test('revokes its advertisements when the address is removed', async () => {
    await (await host.start()).reconciler.reconcile();
    const result = await (await host.start({ HOSTING_DOMAIN: '' })).reconciler.reconcile();
    expect(result).toMatchObject({ advertised: [], created: [], revoked: adsAt(ORIGIN) });
    await expectAdvertised([]);
  });

  test('advertises nothing after a revocation until the operator asks for it', async () => {
    const { reconciler, ownTransactions } = await host.start();
    await reconciler.reconcile();
    await ownTransactions.recordDecision(false, new Date());
    expect(await reconciler.reconcile()).toMatchObject({ revoked: adsAt(ORIGIN) });
    await expectAdvertised([]);
    const restarted = await host.start();
    expect(await restarted.reconciler.reconcile()).toMatchObject({ created: [] });
    await expectAdvertised([]);
    await restarted.ownTransactions.recordDecision(true, new Date(Date.now() + 1));
    await restarted.reconciler.reconcile();
    await expectAdvertised(adsAt(ORIGIN));
  });

  test('follows the latest decision when they arrive in another order', async () => {
    const { ownTransactions } = await host.start();
    const at = (seconds: number) => new Date(1_800_000_000_000 + seconds * 1_000);
    expect(await ownTransactions.isAdvertisingWanted()).toBe(true);
    for (const [wanted, seconds, counts] of [
      [false, 10, false],
      [true, 5, false],
      [true, 20, true],
      [false, 10, true],
      [false, 20, true],
      [false, 21, false],
    ] as const) {
      await ownTransactions.recordDecision(wanted, at(seconds));
      expect(await ownTransactions.isAdvertisingWanted()).toBe(counts);
    }
  });

  test('stores the latest of several decisions that are recorded at the same time', async () => {
    const { ownTransactions } = await host.start();
    const now = Date.now();
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => ownTransactions.recordDecision(n !== 19, new Date(now + n))),
    );
    expect(await ownTransactions.isAdvertisingWanted()).toBe(false);
  });

  describe.each(STEPS)('interrupted after %s', (step) => {
    const reached = (of: readonly ReconcileStep[]) => of.includes(step);

    test('advertises one of each, by the same transaction when that was recorded', async () => {
      const interrupted = await interruptedAt(step);
      const run = interrupted.reconciler.reconcile();
      // Nothing is revoked, so the wallet signs by itself, and the steps before don't exist.
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

    test.each(['revoking', 'moving'])('%s removes the old address', async (how) => {
      const first = await host.start();
      await first.reconciler.reconcile();
      const env = { HOSTING_DOMAIN: how === 'moving' ? OTHER : '' };
      const interrupted = await interruptedAt(step, env);
      await expect(interrupted.reconciler.reconcile()).rejects.toThrow(Interrupted);
      await interrupted.close();
      const { reconciler } = await host.start(env);
      if (step === 'begun') {
        // The wallet's reference is not stored, so only the wallet itself can abort the action.
        await expect(reconciler.reconcile()).rejects.toThrow(
          'An interrupted action of the wallet locks 2 advertisements',
        );
        await expectAdvertised(adsAt(ORIGIN));
        await ageUnsignedActions();
      }
      await reconciler.reconcile();
      await expectAdvertised(how === 'moving' ? adsAt(OTHER) : []);
      expect(await (await host.start(env)).reconciler.reconcile()).toMatchObject({ transactions: [] });
    });
  });

  test('makes a transaction again that the wallet has aborted', async () => {
    const interrupted = await interruptedAt('recorded');
    await expect(interrupted.reconciler.reconcile()).rejects.toThrow(Interrupted);
    const [txid = ''] = await transactions();
    await (await interrupted.bsv.wallet.getWallet()).abortAction({ reference: txid });
    const { reconciler, ownTransactions } = await host.start();
    await expect(reconciler.reconcile()).rejects.toThrow(`Transaction ${txid} cannot be sent any more.`);
    expect(await ownTransactions.getState(txid)).toBe('refused');
    expect(await host.shown()).toEqual([]);
    await reconciler.reconcile();
    await expectAdvertised(adsAt(ORIGIN));
  });

  test('revokes a superfluous advertisement, and keeps the oldest', async () => {
    const { reconciler, bsv } = await host.start();
    const { transactions: first } = await reconciler.reconcile();
    // Another program with the same wallet has made one more.
    const { AdWallet } = await import('../../src/advertising/ad-wallet.js');
    const wallet = new AdWallet(await bsv.wallet.getWallet());
    const ad = { protocol: 'SHIP', name: 'tm_messagebox', domain: ORIGIN } as const;
    const made = await wallet.createTransaction([ad], [], (await wallet.listUnspent()).beef, async () => undefined);
    await wallet.send(made.txid);
    expect(await host.onChain()).toHaveLength(3);
    expect(await reconciler.reconcile()).toMatchObject({ created: [], revoked: [adsAt(ORIGIN)[0]] });
    await expectAdvertised(adsAt(ORIGIN));
    expect((await wallet.listUnspent()).ads.map(({ txid }) => txid)).toEqual([first[0], first[0]]);
  });

  test('fills a lost database from the wallet', async () => {
    const { reconciler } = await host.start();
    const { transactions: made } = await reconciler.reconcile();
    for (const table of ['overlay_own_ads', 'overlay_own_transactions', 'overlay_settings']) {
      await host.sql.write({ text: `DELETE FROM ${table}`, kind: 'dynamic' }, []);
    }
    expect(await reconciler.reconcile()).toMatchObject({ created: [], transactions: made });
    await expectAdvertised(adsAt(ORIGIN));
  });

  test('does not open the wallet while there is nothing to advertise', async () => {
    const { reconciler, bsv } = await host.start({ HOSTING_DOMAIN: 'http://messagebox-one.com' });
    const open = jest.spyOn(bsv.wallet, 'getWallet');
    const maintain = jest.spyOn(bsv.wallet, 'maintain');
    expect(await reconciler.reconcile()).toMatchObject({ advertised: [], transactions: [] });
    expect(open).not.toHaveBeenCalled();
    expect(maintain).not.toHaveBeenCalled();
  });

  test('makes nothing after it has lost the lock', async () => {
    const lost = jest.spyOn(NamedLock.prototype, 'withLock').mockImplementation(async (_name, work) =>
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
      { text: 'SELECT txid FROM overlay_own_transactions ORDER BY id', kind: 'dynamic' },
      [],
    );
    return rows.map((row) => (row['txid'] as Buffer).toString('hex'));
  }
});
