import { createFunding, createSpend, serializeTransaction, TestChain } from '@messagebox/test-kit';
import { encodeRequest, type Header, RawConnection, type WireRequest } from '@messagebox/test-support/raw-client';
import fc from 'fast-check';
import { HttpTestBed } from '../bad-input/refusals.js';
import { fuzzTest } from './support/fuzz-test.js';
import { Judge } from './support/judge.js';
import { mutatedBytes, mutatedJson, oddValues } from './support/mutations.js';
import { type FuzzedRoute, listRoutes } from './support/routes.js';

/** So high that no case is refused because of the ones before it. */
const RATE = '100000000/1s';
const RATES = {
  RATE_HANDSHAKES_PER_ADDRESS: RATE,
  RATE_FAILURES_PER_ADDRESS: RATE,
  RATE_REQUESTS_PER_IDENTITY: RATE,
  RATE_OVERLAY_SUBMISSIONS_PER_ADDRESS: RATE,
  RATE_OVERLAY_REQUESTS_PER_ADDRESS: RATE,
};
const KEYS = [
  `02${'79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'}`,
  `02${'c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5'}`,
] as const;
const ROUTES = listRoutes(KEYS);

let bed: HttpTestBed;
let judge: Judge;
beforeAll(async () => {
  bed = await HttpTestBed.start(RATES);
  judge = new Judge(bed.server);
});
afterAll(async () => {
  judge.finish();
  await bed.close();
});

/** Sends a request, judges its answer, and expects that a refusal, or a route that only reads, has changed nothing. */
async function check(
  request: WireRequest,
  { isReadOnly, isPublic }: Pick<FuzzedRoute, 'isReadOnly' | 'isPublic'>,
): Promise<void> {
  const rows = await bed.server.rows();
  const answer = await bed.send(request);
  const code = judge.judgeAnswer(answer);
  if (code !== undefined || isReadOnly) expect(await bed.server.rows()).toEqual(rows);
  if (!isPublic) expect(bed.sender.isSigned(request, answer)).toBe(true);
  judge.readLog();
}

/** Percent-encodes any text, also one that is no valid Unicode. */
function encodeQuery(fields: unknown): string {
  if (typeof fields !== 'object' || fields === null) return percentEncode(String(fields));
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map(
      (one: unknown) =>
        `${percentEncode(name)}=${percentEncode(typeof one === 'object' ? JSON.stringify(one) : String(one))}`,
    ),
  );
  return pairs.join('&');
}

const percentEncode = (text: string) => Buffer.from(text).toString('hex').replace(/../g, '%$&');

const JSON_TYPE: Header = ['Content-Type', 'application/json'];

/** Signs a request to a route, or leaves a public one as it is. */
function toRequest(
  { method, path, headers = [], isPublic }: FuzzedRoute,
  query: string,
  body: Uint8Array | undefined,
): WireRequest {
  const draft = { method, path: query === '' ? path : `${path}?${query}`, headers: [JSON_TYPE, ...headers], body };
  return isPublic ? draft : bed.sender.sign(draft);
}

const routesWithBody = ROUTES.filter(({ bodies }) => bodies.length > 0);
const anyBody = fc.constantFrom(...routesWithBody).chain((route) =>
  fc.record({
    route: fc.constant(route),
    body: fc.oneof(
      { weight: 5, arbitrary: mutatedJson(route.bodies).map((value) => Buffer.from(JSON.stringify(value) ?? '')) },
      { weight: 1, arbitrary: mutatedBytes(route.bodies.map((body) => Buffer.from(JSON.stringify(body)))) },
      { weight: 1, arbitrary: oddValues.map((value) => Buffer.from(JSON.stringify(value) ?? '')) },
    ),
  }),
);

fuzzTest('every route answers any body with success or a documented refusal', 700, anyBody, ({ route, body }) =>
  check(toRequest(route, '', body), route),
);

const anyQuery = fc.constantFrom(...ROUTES.filter(({ method }) => method === 'GET')).chain((route) =>
  fc.record({
    route: fc.constant(route),
    query: fc.oneof(
      { weight: 3, arbitrary: mutatedJson(route.queries).map(encodeQuery) },
      { weight: 1, arbitrary: fc.stringMatching(/^[!-~]{0,60}$/).filter((text) => !text.includes('#')) },
    ),
  }),
);

fuzzTest('every route answers any query with success or a documented refusal', 500, anyQuery, ({ route, query }) =>
  check(toRequest(route, query, undefined), route),
);

const anyChange = fc.record({
  route: fc.constantFrom(...ROUTES.filter(({ isPublic }) => !isPublic)),
  at: fc.nat(100),
  value: fc.oneof(fc.stringMatching(/^[ -~]{0,80}$/), fc.constantFrom('0.1', '', '00', `03${'00'.repeat(32)}`)),
  kind: fc.constantFrom('replace', 'remove', 'repeat'),
});

fuzzTest(
  'a signed request with changed auth headers is refused',
  400,
  anyChange,
  async ({ route, at, value, kind }) => {
    const request = toRequest(
      route,
      encodeQuery(route.queries[0]),
      route.bodies[0] && Buffer.from(JSON.stringify(route.bodies[0])),
    );
    const names = request.headers.map(([name]) => name).filter((name) => name.startsWith('x-bsv-auth-'));
    const name = names[at % names.length] ?? '';
    const headers = request.headers.flatMap((header): Header[] => {
      if (header[0] !== name) return [header];
      if (kind === 'remove') return [];
      return kind === 'repeat' ? [header, header] : [[name, value.trim() === header[1] ? 'x' : value]];
    });
    const rows = await bed.server.rows();
    const answer = await bed.send({ ...request, headers });
    expect([400, 401]).toContain(answer.status);
    judge.judgeAnswer(answer);
    expect(await bed.server.rows()).toEqual(rows);
    judge.readLog();
  },
);

const TEMPLATE = Buffer.from(
  'POST /listMessages HTTP/1.1\r\nHost: a.example\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}',
);

fuzzTest('any bytes on a connection are answered or end it', 300, mutatedBytes([TEMPLATE]), async (bytes) => {
  const rows = await bed.server.rows();
  const wire = await RawConnection.to(bed.server.port);
  wire.socket.end(bytes);
  try {
    const answer = await wire.answer('POST').catch(() => undefined);
    if (answer !== undefined) judge.judgeAnswer(answer);
  } finally {
    wire.destroy();
  }
  expect(await bed.server.rows()).toEqual(rows);
  judge.readLog();
});

const chain = new TestChain();
const funding = chain.mine(createFunding(['OP_1']));
const beef = Buffer.from(serializeTransaction(createSpend([{ from: funding }])));

fuzzTest('any BEEF is submitted or refused', 60, mutatedBytes([beef]), async (body) => {
  const headers: Header[] = [
    ['Content-Type', 'application/octet-stream'],
    ['x-topics', '["tm_messagebox"]'],
  ];
  await check({ method: 'POST', path: '/submit', headers, body }, { isPublic: true, isReadOnly: true });
});

fuzzTest('any payment is taken or refused', 100, mutatedBytes([beef]), async (bytes) => {
  const [recipient] = KEYS;
  const message = { recipient, messageBox: 'notifications', messageId: 'paid', body: 'hello' };
  const outputs = [
    {
      outputIndex: 0,
      protocol: 'wallet payment',
      paymentRemittance: {
        derivationPrefix: 'AAAA',
        derivationSuffix: 'AAAA',
        senderIdentityKey: bed.sender.client.identityKey,
      },
    },
  ];
  const body = { message, payment: { tx: [...bytes], outputs, description: 'a payment' } };
  await check(bed.sendMessage(body), { isReadOnly: true });
});

test('a request as it leaves the client is answered', async () => {
  const request = bed.sendMessage();
  expect(encodeRequest(request).length).toBeGreaterThan(300);
  await bed.expectAccepted(request);
});
