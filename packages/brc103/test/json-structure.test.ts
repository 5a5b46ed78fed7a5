import { DEFAULT_JSON_LIMITS, findExceededJsonLimit } from '../src/json-limits.js';

const limits = { containers: 5, keys: 4, depth: 3 };
const judge = (json: string) => [findExceededJsonLimit(json, limits), findExceededJsonLimit(Buffer.from(json), limits)];
const both = (excess: string | undefined) => [excess, excess];

test.each([
  ['', undefined],
  ['7', undefined],
  ['[[[1]]]', undefined],
  ['[[[[1]]]]', 'depth'],
  ['{"a":{"b":{"c":1}}}', undefined],
  ['{"a":{"b":{"c":{}}}}', 'depth'],
  ['[{},{},{},{}]', undefined],
  ['[{},{},{},{},{}]', 'containers'],
  ['[[],[],[],[],[]]', 'containers'],
  ['{"a":1,"b":2,"c":3,"d":4}', undefined],
  ['{"a":1,"b":2,"c":3,"d":4,"e":5}', 'keys'],
  ['[1,2,3,4,5,6,7,8,9,"a","b","c","d"]', undefined],
])('findExceededJsonLimit counts the objects, arrays, names and depth of %s', (json, excess) => {
  expect(judge(json)).toEqual(both(excess));
});

test.each([
  ['brackets', '"[[[[{{{{"'],
  ['colons', '"::::::"'],
  ['quotes, which are escaped', String.raw`"\"[[[[\"[[[["`],
  ['a backslash at its end', String.raw`["\\",[[]],"\\"]`],
  ['letters of several bytes', '"📬ü[[[[["'],
])('the content of a string with %s does not count', (_what, json) => {
  expect(judge(json)).toEqual(both(undefined));
});

test('structure after a string that ends in a backslash counts', () => {
  expect(judge(String.raw`["\\",[[[1]]]]`)).toEqual(both('depth'));
});

test.each(['"', String.raw`"\ `.trim(), '[[[', ']]]]', '}{', '"a', ':::::', '[[[['])(
  '%s, which is not JSON, causes no error',
  (json) => {
    expect(() => judge(json)).not.toThrow();
  },
);

test('the requests of current clients are within the default limits', () => {
  const transaction = `{"tx":[${'255,'.repeat(2_000_000)}0]}`;
  const nested = `${'{"a":'.repeat(64)}1${'}'.repeat(64)}`;
  const text = JSON.stringify('[{"a":'.repeat(1_000_000));
  for (const json of [transaction, nested, text]) expect(findExceededJsonLimit(json)).toBeUndefined();
  expect(findExceededJsonLimit(`[${'{},'.repeat(DEFAULT_JSON_LIMITS.containers)}0]`)).toBe('containers');
});
