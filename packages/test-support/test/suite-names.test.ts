import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '../../..');

/** Suites of packages and services, by their paths in the repository. */
const suites = ['packages', 'services'].flatMap((parent) =>
  readdirSync(path.join(root, parent)).flatMap((member) => {
    const folder = path.join(parent, member, 'test');
    return listFiles(folder).map((name) => path.join(folder, name));
  }),
);

function listFiles(folder: string): string[] {
  try {
    return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.test.ts'),
    );
  } catch {
    return []; // a member without tests
  }
}

test.each([
  ['mysql', 'describeWithMysql'],
  ['redis', 'describeWithRedis'],
])('the name of a suite says that it needs %s', (tag, marker) => {
  const needing = suites.filter((file) => readFileSync(path.join(root, file), 'utf8').includes(`${marker}(`));
  // A suite that needs both has both tags.
  const named = new RegExp(`\\.${tag}(\\.\\w+)?\\.test\\.ts$`);
  expect(needing.filter((file) => !named.test(file))).toEqual([]);
  expect(needing).not.toEqual([]);
});
