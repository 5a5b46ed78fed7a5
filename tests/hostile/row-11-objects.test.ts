import { World } from '../bad-input/refusals.ts';

/** JSON is bounded by nodes and depth before it is made into objects, since these take many times their text. */
const BYTES = 10_000_000;
let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

/** A send of 10 MB whose body is made of one piece of JSON, again and again. */
function send(piece: string, opening = '[', closing = ']'): string {
  const { message } = world.message();
  const head = JSON.stringify({ message: { ...message, body: undefined } }).slice(0, -2);
  return `${head},"body":{"many":${opening}${piece.repeat(Math.floor((BYTES - 1_000) / piece.length))}0${closing}}}}`;
}

const pieces: [string, () => string][] = [
  ['empty objects', () => send('{},')],
  ['empty lists', () => send('[],')],
  ['numbers', () => send('0,')],
  ['properties', () => send('"a":0,', '{"z":0,', ',"b":1}').replace(/,0,"b":1\}/, ',"b":1}')],
  ['brackets', () => `${'['.repeat(BYTES / 2)}${']'.repeat(BYTES / 2)}`],
];

test.each(pieces)('10 MB of %s are refused without being parsed', async (_name, make) => {
  const request = world.sendMessage(make());
  const parse = jest.spyOn(JSON, 'parse');
  try {
    await world.refused(request, 'ERR_JSON_TOO_COMPLEX');
    expect(parse.mock.calls.filter(([text]) => text.length > 1_000_000)).toHaveLength(0);
  } finally {
    parse.mockRestore();
  }
});

const taken: [string, unknown][] = [
  ['a text of 4 MB, which is one node', 't'.repeat(4_000_000)],
  ['brackets in a text, which are no nodes', '[{"a":'.repeat(300_000)],
  ['an object as deep as clients of today allow', JSON.parse(`${'{"a":'.repeat(60)}0${'}'.repeat(60)}`)],
];

test.each(taken)('%s is taken', async (_name, body) => {
  const answer = await world.send(world.sendMessage(world.message({ body })));
  expect(answer).toMatchObject({ status: 200 });
});
