import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startProcess } from '@messagebox/test-support/managed-process';

const root = join(__dirname, '..', '..');

/** The modules that a service's process loads at its start. */
async function loadedBy(service: string): Promise<string[]> {
  const tell = pathToFileURL(join(__dirname, 'tell-modules.mjs')).href;
  const main = pathToFileURL(join(root, 'services', service, 'dist', 'start.js')).href;
  const code = `import(${JSON.stringify(main)}).then(() => console.log('all loaded'))`;
  const process = startProcess(globalThis.process.execPath, ['--import', tell, '--eval', code]);
  await process.waitForLine((line) => line === 'all loaded');
  await process.exited;
  return process.lines.filter((line) => line.startsWith('loads '));
}

test.each(['api', 'standalone'])('%s loads nothing of the SDK for the storage of uploads', async (service) => {
  const loaded = await loadedBy(service);
  expect(loaded.some((url) => url.includes('/packages/uploads/dist/upload-service.js'))).toBe(true);
  expect(loaded.filter((url) => /@(aws-sdk|smithy)[/+]/.test(url))).toEqual([]);
});

test.each(['api', 'realtime'])('%s loads nothing of wallets and chains before there is a payment', async (service) => {
  const loaded = await loadedBy(service);
  expect(loaded.some((url) => url.includes('/packages/payments/dist/payment-service.js'))).toBe(true);
  expect(loaded.filter((url) => /@bsv[/+]/.test(url))).toEqual([]);
});
