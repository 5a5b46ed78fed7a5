import { createOpenApiDocument, type JsonObject } from '@messagebox/api-description';
import { type Answer, RawClient, type Session, sendRaw, type WireRequest } from '@messagebox/test-support/raw-client';
import { startServer, type TestServer } from '../bad-input/server.ts';
import { HttpContract } from '../support/contract/http-contract.ts';
import { DocumentSchemas } from '../support/contract/schemas.ts';

/** Whose key the examples have: the first private key there is. */
const EXAMPLE_CLIENT = new RawClient(Buffer.from('1'.padStart(64, '0'), 'hex'));
/** Their bodies are bytes, or they need an output or a failed job that is there: tests of their own below. */
const WITHOUT_EXAMPLE = ['retryJob', 'submitTransaction', 'getTransactionOfOutput'];

interface Operation {
  readonly operationId: string;
  readonly security: readonly unknown[];
  readonly parameters?: readonly { readonly in?: string; readonly name?: string; readonly example?: unknown }[];
  readonly requestBody?: {
    readonly content: Record<string, { readonly examples?: Record<string, { readonly value: unknown }> }>;
  };
  readonly responses: Record<string, { readonly links?: Record<string, Link> }>;
}
interface Link {
  readonly operationId: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const document = createOpenApiDocument();
const contract = new HttpContract(new DocumentSchemas(document));
const operations = Object.entries(document['paths'] as Record<string, JsonObject>).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({
    path,
    method: method.toUpperCase(),
    operation: operation as unknown as Operation,
  })),
);

let server: TestServer;
let session: Session;
/** What links of earlier answers have given, by operation. */
const linked = new Map<string, Record<string, string>>();

beforeAll(async () => {
  server = await startServer({
    NETWORK: 'local',
    ADMIN_IDENTITY_KEYS: EXAMPLE_CLIENT.identityKey,
    MIGRATE_KEY: 'example-migrate-key',
    // To announce an upload, nobody is asked.
    UPLOAD_MAX_BYTES: '2000000',
    UPLOADS_S3_ENDPOINT: 'http://127.0.0.1:9',
    UPLOADS_S3_BUCKET: 'examples',
    UPLOADS_S3_ACCESS_KEY_ID: 'example',
    UPLOADS_S3_SECRET_ACCESS_KEY: 'example',
  });
  session = await EXAMPLE_CLIENT.shakeHands(server.port);
});
afterAll(() => server.close());

/** Sends a request, and holds the answer to the description. */
async function exchange(request: WireRequest): Promise<Answer> {
  const answer = await sendRaw(server.port, request);
  const { method, path, headers, body } = request;
  const requestHeaders = Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]));
  const problems = contract.findProblems({
    ...{ method, target: path, requestHeaders, requestBody: body },
    ...{ status: answer.status, headers: answer.headers, body: Buffer.from(answer.text) },
  });
  expect(problems).toEqual([]);
  return answer;
}

function createRequest({ path, method, operation }: (typeof operations)[number], body: unknown): WireRequest {
  const given = (operation.parameters ?? []).filter(({ example }) => example !== undefined);
  const query = new URLSearchParams(
    given
      .filter((parameter) => parameter.in === 'query')
      .flatMap(({ name = '', example }) => [example].flat().map((value): [string, string] => [name, String(value)])),
  );
  const values = {
    ...Object.fromEntries(
      given.filter((parameter) => parameter.in === 'path').map(({ name = '', example }) => [name, String(example)]),
    ),
    ...linked.get(operation.operationId),
  };
  const target = `${path.replaceAll(/\{(\w+)\}/g, (_all, name: keyof typeof values) => values[name] ?? 'missing')}${query.size > 0 ? `?${query}` : ''}`;
  const headers = given
    .filter((parameter) => parameter.in === 'header')
    .map(({ name = '', example }) => [name, String(example)] as const);
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const all = [...headers, ...(bytes === undefined ? [] : [['Content-Type', 'application/json'] as const])];
  const draft = { method, path: target, headers: all, body: bytes };
  return operation.security.length > 0 ? session.sign(draft) : draft;
}

/** Keeps what the links of an answer say, for the operations that they lead to. */
function follow({ operation }: (typeof operations)[number], answer: Answer): void {
  for (const link of Object.values(operation.responses[String(answer.status)]?.links ?? {})) {
    const body = JSON.parse(answer.text) as Record<string, string>;
    const values = Object.entries(link.parameters).map(([name, expression]) => [
      name,
      String(body[expression.replace('$response.body#/', '')]),
    ]);
    linked.set(link.operationId, Object.fromEntries(values) as Record<string, string>);
  }
}

test('the operations without an example are known', () => {
  const without = operations.filter(({ path, operation }) => {
    const isLinked = operations.some((one) =>
      JSON.stringify(one.operation).includes(`"operationId":"${operation.operationId}","parameters"`),
    );
    const needsPath =
      path.includes('{') &&
      !operation.parameters?.some(({ in: place, example }) => place === 'path' && example !== undefined);
    const needsBody = Object.values(operation.requestBody?.content ?? {}).some(
      ({ examples }) => examples === undefined,
    );
    return needsBody || (needsPath && !isLinked);
  });
  expect(without.map(({ operation }) => operation.operationId)).toEqual(WITHOUT_EXAMPLE);
});

const executable = operations.filter(({ operation }) => !WITHOUT_EXAMPLE.includes(operation.operationId));

test.each(executable.map((one) => [one.operation.operationId, one] as const))(
  'the examples of %s are accepted, and answered as described',
  async (_id, one) => {
    const examples = Object.values(one.operation.requestBody?.content['application/json']?.examples ?? {});
    const bodies = examples.length === 0 ? [undefined] : examples.map(({ value }) => value);
    for (const body of bodies) {
      const answer = await exchange(createRequest(one, body));
      expect([answer.status < 400, answer.text.slice(0, 200)]).toEqual([true, expect.anything()]);
      follow(one, answer);
    }
  },
);

test('a transaction of the faucet is submitted, and a topic that holds nothing of it admits nothing', async () => {
  const body = Buffer.from(JSON.stringify({ lockingScript: '51', satoshis: 1_000 }));
  const funding = await exchange({ method: 'POST', path: '/development/faucet', headers: [], body });
  const { atomicBeef } = JSON.parse(funding.text) as { atomicBeef: number[] };
  const answer = await exchange({
    method: 'POST',
    path: '/submit',
    headers: [
      ['Content-Type', 'application/octet-stream'],
      ['x-topics', '["tm_messagebox"]'],
    ],
    body: Uint8Array.from(atomicBeef),
  });
  expect(answer.status).toBe(200);
  expect(JSON.parse(answer.text)).toMatchObject({ tm_messagebox: { outputsToAdmit: [], coinsToRetain: [] } });
});

test('a job that does not exist is answered as described', async () => {
  const answer = await exchange(session.sign({ path: '/admin/jobs/nothing/retry' }));
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([404, { code: 'ERR_JOB_NOT_FOUND' }]);
});

test('an output that this host does not have is answered as described', async () => {
  const txid = 'ab'.repeat(32);
  const body = Buffer.from(JSON.stringify({ graphID: `${txid}.0`, txid, outputIndex: 0 }));
  const answer = await exchange({ method: 'POST', path: '/requestForeignGASPNode', headers: [], body });
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([404, { code: 'ERR_UNKNOWN_OUTPUT' }]);
});
