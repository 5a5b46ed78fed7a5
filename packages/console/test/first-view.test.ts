import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MAX_FIRST_VIEW_BYTES, measureFirstView } from '../first-view.ts';

describe('the first view of the console', () => {
  test('has at most 200 KB, compressed', () => {
    const bytes = measureFirstView(path.join(__dirname, '../dist/app'));
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThanOrEqual(MAX_FIRST_VIEW_BYTES);
  });

  test('is measured with its styles and with what it imports, each file once', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'messagebox-first-view-'));
    const write = (name: string, bytes: number) => writeFileSync(path.join(folder, name), 'x'.repeat(bytes));
    write('index.html', 1);
    write('shell.js', 900);
    write('shell.js.gz', 20);
    write('shell.css', 300);
    write('view.js', 4_000);
    write('shared.js', 50_000);
    write('later.js', 600_000);
    const manifest = {
      'index.html': { file: 'shell.js', css: ['shell.css'], imports: ['_shared.js'] },
      'src/messages/messages-view.tsx': {
        file: 'view.js',
        imports: ['_shared.js', 'index.html'],
        dynamicImports: ['later.js'],
      },
      '_shared.js': { file: 'shared.js' },
      'later.js': { file: 'later.js' },
    };
    writeFileSync(path.join(folder, 'manifest.json'), JSON.stringify(manifest));
    expect(measureFirstView(folder)).toBe(54_321);
    rmSync(folder, { recursive: true });
  });
});
