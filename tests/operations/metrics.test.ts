import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { AuthFetch, CompletedProtoWallet, PrivateKey } from '@bsv/sdk';
import { type ServiceProcess, startService } from '../support/service-process.js';

describe('the internal port', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'messagebox-metrics-'));
  let service: ServiceProcess;
  let internal: string;
  beforeAll(async () => {
    service = await startService({
      name: 'standalone',
      env: { DATA_DIR: folder, HOST: '127.0.0.1', INTERNAL_PORT: '0', INTERNAL_HOST: '127.0.0.1' },
    });
    internal = JSON.parse(await service.waitForLog('metrics and health')).url;
  });
  afterAll(async () => {
    await service.stop();
    rmSync(folder, { recursive: true });
  });

  const metrics = async () => (await fetch(`${internal}/metrics`)).text();

  test('reports which secp256k1 runs', async () => {
    expect(await metrics()).toMatch(/^messagebox_info\{.*secp256k1="(native|wasm)".*\} 1$/m);
  });

  test('counts requests by route and outcome, without identities', async () => {
    const wallet = new CompletedProtoWallet(PrivateKey.fromRandom());
    const { publicKey } = await wallet.getPublicKey({ identityKey: true });
    const post = (route: string, body: unknown) =>
      new AuthFetch(wallet).fetch(`${service.url}${route}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const message = { recipient: publicKey, messageBox: 'secret-box', messageId: 'secret-id', body: 'secret-body' };
    await post('/sendMessage', { message });
    await post('/sendMessage', { message });
    await post('/listMessages', { messageBox: 'secret-box' });
    await post('/no/such/route', {});
    const text = await metrics();
    expect(text).toMatch(
      /^messagebox_http_request_duration_seconds_count\{.*method="POST".*route="\/sendMessage".*code="200".*\} 2$/m,
    );
    expect(text).toMatch(/^messagebox_http_request_duration_seconds_count\{.*route="other".*code="404".*\} 1$/m);
    expect(text).toMatch(/^messagebox_auth_outcomes_total\{.*transport="http",outcome="ok".*\} 4$/m);
    expect(text).toMatch(/^messagebox_messages_total\{outcome="stored".*\} 1$/m);
    expect(text).toMatch(/^messagebox_messages_total\{outcome="duplicate".*\} 1$/m);
    expect(text).toMatch(/^messagebox_messages_total\{outcome="listed".*\} 1$/m);
    for (const secret of [publicKey, 'secret', 'such']) expect(text).not.toContain(secret);
  });

  test('answers health and metrics only', async () => {
    expect(await (await fetch(`${internal}/health/ready`)).json()).toEqual({
      status: 'ready',
      checks: { database: 'ok' },
    });
    expect((await fetch(`${internal}/sendMessage`)).status).toBe(404);
    expect((await fetch(`${service.url}/metrics`)).status).toBe(401);
  });
});
