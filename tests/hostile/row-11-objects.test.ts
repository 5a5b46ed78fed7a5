import { HttpTestBed } from '../bad-input/refusals.ts';

/** JSON is bounded by objects, properties and depth before it is parsed, since objects take many times their text. */
const BYTES = 10_000_000;
let world: HttpTestBed;
beforeAll(async () => {
  world = await HttpTestBed.start();
});
afterAll(() => world.close());

/** A send of 10 MB whose body holds one piece of JSON again and again. */
function send(piece: string, opening: string, closing: string): string {
  const { message } = world.message();
  const head = JSON.stringify({ message: { ...message, body: undefined } }).slice(0, -2);
  const many = piece.repeat(Math.floor((BYTES - 1_000) / piece.length));
  return `${head},"body":${opening}${many}${closing}}}`;
}

const pieces: [string, () => string][] = [
  ['empty objects', () => send('{},', '[', '0]')],
  ['empty lists', () => send('[],', '[', '0]')],
  ['properties', () => send('"a":0,', '{', '"b":1}')],
  ['brackets that open', () => `${'['.repeat(BYTES / 2)}${']'.repeat(BYTES / 2)}`],
];

test.each(pieces)('10 MB of %s are refused without being parsed', async (_name, make) => {
  const request = world.sendMessage(make());
  const parse = jest.spyOn(JSON, 'parse');
  try {
    await world.expectRefused(request, 'ERR_INVALID_JSON');
    expect(parse.mock.calls.filter(([text]) => text.length > 1_000_000)).toEqual([]);
  } finally {
    parse.mockRestore();
  }
});

test('too much structure is found after the signature was verified', async () => {
  const request = world.sendMessage(send('{},', '[', '0]'));
  const tampered = { ...request, body: Buffer.concat([request.body ?? Buffer.alloc(0), Buffer.from(' ')]) };
  const headers = request.headers.map(([name, value]) =>
    name.toLowerCase() === 'content-length'
      ? ([name, String(tampered.body.length)] as const)
      : ([name, value] as const),
  );
  await world.expectRefused({ ...tampered, headers }, 'ERR_AUTH_FAILED');
});

const taken: [string, unknown][] = [
  ['a text of 4 MB', 't'.repeat(4_000_000)],
  ['brackets in a text', '[{"a":'.repeat(300_000)],
  ['a transaction as a list of 2,000,000 numbers', { tx: Array.from({ length: 2_000_000 }, (_, i) => i % 256) }],
  ['an object of depth 64', JSON.parse(`${'{"a":'.repeat(62)}0${'}'.repeat(62)}`)],
  ['99,000 objects', { many: Array.from({ length: 99_000 }, () => ({})) }],
];

test.each(taken)('%s is taken', async (_name, body) => {
  const answer = await world.send(world.sendMessage(world.message({ body })));
  expect(answer).toMatchObject({ status: 200 });
});

test('a text that is JSON of too many objects is stored without being parsed', async () => {
  const body = `{"message":[${'{},'.repeat(200_000)}0],"more":1}`;
  const messageId = 'json-in-a-text';
  const request = world.sendMessage(world.message({ body, messageId, messageBox: 'texts' }));
  const parse = jest.spyOn(JSON, 'parse');
  try {
    expect(await world.send(request)).toMatchObject({ status: 200 });
    expect(parse.mock.calls.filter(([text]) => text === body)).toEqual([]);
  } finally {
    parse.mockRestore();
  }
  // Wrapped, since a client would take its `message` for the whole of it.
  expect(await world.list('texts')).toMatchObject([{ messageId, body: JSON.stringify({ message: body }) }]);
});
