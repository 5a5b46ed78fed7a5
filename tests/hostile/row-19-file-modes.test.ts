import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTemporaryFolder } from '@messagebox/test-support/managed-process';
import { startService } from '../support/service-process.js';

/** Other users of the machine cannot read the files of standalone. */
const folders: { remove(): void }[] = [];
afterAll(() => {
  for (const folder of folders) folder.remove();
});

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

async function modesAfterStart(prepare: (dataDir: string) => void): Promise<Record<string, string>> {
  const folder = createTemporaryFolder();
  folders.push(folder);
  const dataDir = join(folder.path, 'data');
  prepare(dataDir);
  const service = await startService({ name: 'standalone', env: { HOST: '127.0.0.1', DATA_DIR: dataDir } });
  try {
    // While it runs: the write-ahead log holds messages, too.
    const files = readdirSync(dataDir, { recursive: true, encoding: 'utf8' });
    return Object.fromEntries([['.', mode(dataDir)], ...files.map((file) => [file, mode(join(dataDir, file))])]);
  } finally {
    await service.kill();
  }
}

test('a new DATA_DIR is 0700, and its files are 0600', async () => {
  const modes = await modesAfterStart(() => undefined);
  expect(Object.keys(modes)).toEqual(
    expect.arrayContaining(['.', 'messagebox.sqlite', 'messagebox.sqlite-wal', 'vapid-private-key']),
  );
  const { '.': folder, ...files } = modes;
  expect(folder).toBe('700');
  expect(Object.entries(files).filter(([, is]) => is !== '600')).toEqual([]);
});

test('files in a DATA_DIR that anybody could enter are 0600 all the same', async () => {
  const modes = await modesAfterStart((dataDir) => {
    mkdirSync(dataDir);
    chmodSync(dataDir, 0o755);
  });
  const { '.': _folder, ...files } = modes;
  expect(Object.entries(files).filter(([, is]) => is !== '600')).toEqual([]);
});

test('files that an earlier version left open to others are closed to them', async () => {
  const modes = await modesAfterStart((dataDir) => {
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'messagebox.sqlite'), '', { mode: 0o644 });
    chmodSync(join(dataDir, 'messagebox.sqlite'), 0o644);
  });
  expect(modes['messagebox.sqlite']).toBe('600');
  expect(modes['messagebox.sqlite-wal']).toBe('600');
});

test('a DATA_DIR that exists keeps its mode', async () => {
  const modes = await modesAfterStart((dataDir) => {
    mkdirSync(dataDir);
    chmodSync(dataDir, 0o750);
  });
  expect(modes['.']).toBe('750');
});
