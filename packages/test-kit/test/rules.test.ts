import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RULES } from '../src/index.js';

describe('the rules', () => {
  const folder = join(__dirname, '..');
  const sources = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('rules.ts'))
    .map((name) => readFileSync(join(folder, 'src', name), 'utf8'))
    .join('\n');

  test('are all enforced, and all listed in the README', () => {
    const rows = readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/^\| ([\d.]+) \|/gm);
    expect([...rows].map(([, rule]) => rule).sort()).toEqual(Object.keys(RULES).sort());
    for (const rule of Object.keys(RULES)) expect(sources).toContain(`'${rule}'`);
  });
});
