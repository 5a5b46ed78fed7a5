import { excessOfJson, MAX_JSON } from '../src/json-structure.js';

const limits = { containers: 5, keys: 4, depth: 3 };
const judge = (json: string) => [excessOfJson(json, limits), excessOfJson(Buffer.from(json), limits)];
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
])('%s is judged by its objects, arrays, names and depth', (json, excess) => {
  expect(judge(json)).toEqual(both(excess));
});

test.each([
  ['brackets', '"[[[[{{{{"'],
  ['colons', '"::::::"'],
  ['quotes, which are escaped', String.raw`"\"[[[[\"[[[["`],
  ['a backslash at its end', String.raw`["\\",[[]],"\\"]`],
  ['letters of several bytes', '"📬ü[[[[["'],
])('what stands in a text with %s is no structure', (_what, json) => {
  expect(judge(json)).toEqual(both(undefined));
});

test('structure behind a text that ends in a backslash counts', () => {
  expect(judge(String.raw`["\\",[[[1]]]]`)).toEqual(both('depth'));
});

test.each(['"', String.raw`"\ `.trim(), '[[[', ']]]]', '}{', '"a', ':::::', '[[[['])(
  '%s, which is no JSON, is judged without trouble',
  (json) => {
    expect(() => judge(json)).not.toThrow();
  },
);

test('what clients send is within the usual limits', () => {
  const transaction = `{"tx":[${'255,'.repeat(2_000_000)}0]}`;
  const nested = `${'{"a":'.repeat(64)}1${'}'.repeat(64)}`;
  const text = JSON.stringify('[{"a":'.repeat(1_000_000));
  for (const json of [transaction, nested, text]) expect(excessOfJson(json)).toBeUndefined();
  expect(excessOfJson(`[${'{},'.repeat(MAX_JSON.containers)}0]`)).toBe('containers');
});
