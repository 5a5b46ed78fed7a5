import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess } from '@messagebox/test-support/managed-process';

const idle = "process.stdin.resume(); process.stdout.write('up\\nno newline'); setInterval(() => {}, 1 << 30)";

test('waits for a line, also for one printed before', async () => {
  const child = startProcess(process.execPath, ['-e', idle]);
  expect(await child.waitForLine((line) => line === 'up')).toBe('up');
  expect(await child.waitForLine((line) => line === 'up')).toBe('up');
  await expect(child.waitForLine(() => false, 50)).rejects.toThrow(/within 50 ms/);
  expect(await child.terminate('SIGTERM')).toEqual({ code: null, signal: 'SIGTERM' });
  expect(child.running).toBe(false);
  await expect(child.waitForLine((line) => line === 'never')).rejects.toThrow(/ended \(SIGTERM\)/);
});

test('kills a process that does not end when asked to', async () => {
  const child = startProcess(process.execPath, ['-e', `process.on('SIGTERM', () => {}); ${idle}`]);
  await child.waitForLine((line) => line === 'up');
  expect(await child.terminate('SIGTERM', 50)).toEqual({ code: null, signal: 'SIGKILL' });
});

test('a program that does not exist ends at once', async () => {
  const child = startProcess('/does/not/exist', []);
  await expect(child.waitForLine(() => false)).rejects.toThrow(/ENOENT/);
});

test('the reaper removes what a test process leaves behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'messagebox-test-'));
  writeFileSync(join(folder, 'file'), '');
  const left = startProcess(process.execPath, ['-e', idle]);
  const kept = startProcess(process.execPath, ['-e', idle]);
  await Promise.all([left, kept].map((child) => child.waitForLine((line) => line === 'up')));

  const reaper = spawn(process.execPath, [join(import.meta.dirname, '..', 'reaper.mjs')], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  for (const line of [
    ['process', left.pid, true],
    ['process', kept.pid, true],
    ['process', kept.pid, false],
    ['folder', folder, true],
  ]) {
    reaper.stdin.write(`${JSON.stringify(line)}\n`);
  }
  reaper.stdin.end();
  await once(reaper, 'exit');

  expect(await left.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(existsSync(folder)).toBe(false);
  expect(kept.running).toBe(true);
  await kept.terminate('SIGKILL');
});
