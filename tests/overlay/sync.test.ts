import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { MessageBoxClient } from '@bsv/message-box-client';
import { openDeveloperWallet } from '@messagebox/devnet';
import { decodeMessageBoxAd } from '@messagebox/overlay';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { parseBeef } from '@messagebox/transactions';
import { redirectLocalPreset } from '../acceptance/local-preset.js';
import { type ServiceProcess, startService } from '../support/service-process.js';

const ADVERTISED = 'https://alice.messagebox-host.com';
/** The file in standalone's data directory. */
const CHAIN = 'messagebox-local-chain.sqlite';

describe('an overlay host that joins another', () => {
  const closers: (() => unknown)[] = [];
  const chain = createTemporaryFolder();
  let first: ServiceProcess;
  let alice: string;

  beforeAll(async () => {
    const data = createTemporaryFolder();
    first = await standalone(data.path);
    closers.push(() => data.remove());
    alice = await advertiseAt(first.url);
    // Both hosts need the same chain. It does not change while it is copied.
    await first.stop();
    copyFileSync(join(data.path, CHAIN), join(chain.path, CHAIN));
    await first.restart();
  }, 60_000);
  afterAll(async () => {
    for (const close of closers.splice(0)) await close();
    chain.remove();
  });

  async function standalone(folder: string, env: Record<string, string> = {}): Promise<ServiceProcess> {
    const common = { HOST: '127.0.0.1', DATA_DIR: folder, LOGGING_ENABLED: 'true' };
    const service = await startService({ name: 'standalone', env: { ...common, ...env } });
    closers.push(() => service.kill());
    return service;
  }

  test.each(['messagebox-two.com', 'x.com:8443', 'not a host'])(
    'copies its advertisements in one synchronisation (HOSTING_DOMAIN=%s)',
    async (domain) => {
      const data = createTemporaryFolder();
      copyFileSync(join(chain.path, CHAIN), join(data.path, CHAIN));
      const joining = await standalone(data.path, { HOSTING_DOMAIN: domain, OVERLAY_PEERS: first.url });
      closers.push(() => data.remove());
      const ended = JSON.parse(await joining.waitForLog('"job":"sync"'));
      expect(ended).toMatchObject({ msg: 'job ended', outcome: 'completed' });
      expect(await hostsOf(alice, joining.url)).toEqual([ADVERTISED]);
    },
    60_000,
  );
});

/** Advertises with the real client. @returns the identity key */
async function advertiseAt(url: string): Promise<string> {
  const end = redirectLocalPreset(url);
  const wallet = await openDeveloperWallet({ origin: url });
  try {
    await wallet.fund(10_000);
    const client = new MessageBoxClient({ host: url, walletClient: wallet.wallet, networkPreset: 'local' });
    await client.init(url);
    await client.anointHost(ADVERTISED);
    return wallet.identityKey;
  } finally {
    await wallet.close();
    await end();
  }
}

async function hostsOf(identityKey: string, url: string): Promise<(string | undefined)[]> {
  const response = await fetch(`${url}/lookup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ service: 'ls_messagebox', query: { identityKey } }),
  });
  const { outputs } = (await response.json()) as { outputs: { beef: number[]; outputIndex: number }[] };
  return outputs.map(({ beef, outputIndex }) => {
    const script = parseBeef(Uint8Array.from(beef)).subject.outputs[outputIndex]?.script;
    return script === undefined ? undefined : decodeMessageBoxAd(script)?.host;
  });
}
