import { findDirectDependencies, readDependencyReasons } from '../../scripts/lib/dependency-tables.mjs';
import { readLeftOut, SERVICES } from '../../scripts/lib/production-closure.mjs';

const names = [...findDirectDependencies().keys()];
const reasons = readDependencyReasons();

test('docs/dependency-reasons.json says of each direct dependency why it is needed', () => {
  expect(names.length).toBeGreaterThan(40);
  expect(names.filter((name) => (reasons[name] ?? '').trim() === '')).toEqual([]);
});

test('docs/dependency-reasons.json has no line without a dependency', () => {
  expect(Object.keys(reasons).filter((name) => !names.includes(name))).toEqual([]);
});

test('docs/dependency-reasons.json is in alphabetical order', () => {
  expect(Object.keys(reasons)).toEqual(Object.keys(reasons).sort());
});

test('deploy/build/left-out.json names images that exist, and a reason each', () => {
  for (const { matches, images, because } of readLeftOut()) {
    expect(images.filter((image) => !(SERVICES as readonly string[]).includes(image))).toEqual([]);
    expect(() => new RegExp(matches)).not.toThrow();
    expect(because).toMatch(/\w.*\.$/);
  }
});
