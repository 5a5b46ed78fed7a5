import path from 'node:path';
import { startProcess } from '@messagebox/test-support/managed-process';

test('a process that has closed its servers ends by itself, and they have printed nothing', async () => {
  const child = startProcess(process.execPath, [path.join(import.meta.dirname, 'support/embed.mjs')]);
  try {
    expect(await child.closed).toEqual({ code: 0, signal: null });
    expect(child.lines).toEqual(['hello']);
  } finally {
    await child.terminate('SIGKILL');
  }
});
