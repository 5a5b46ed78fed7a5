import { randomBytes } from 'node:crypto';
import { deployScaled, useDeployment } from '../acceptance/deployments.js';
import { describeScaled } from '../acceptance/describe-scaled.js';
import { waitUntil } from '../acceptance/history.js';
import { createPeople } from '../acceptance/people.js';
import { type AddingEdge, startAddingEdge } from '../support/adding-edge.js';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.js';
import { toTraceTree } from './trace-tree.js';

/** A caller of which only the context is known. */
function createCaller(flags: '00' | '01' = '01') {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` };
}

describeScaled('traces', () => {
  let receiver: OtlpReceiver;
  let edge: AddingEdge;
  const person = createPeople();
  const deployment = useDeployment(async () => {
    receiver = await startOtlpReceiver();
    return await deployScaled({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=open%20sesame',
      OTEL_BSP_SCHEDULE_DELAY: '20',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    });
  });
  beforeAll(async () => {
    edge = await startAddingEdge(deployment().apis[0]);
  });
  afterAll(async () => {
    await edge.close();
    await receiver.close();
  });
  afterEach(() => {
    edge.headers = {};
  });

  const namesOf = (traceId: string) =>
    receiver.spans.filter((span) => span.traceId === traceId).map(({ name }) => name);

  test('one trace goes from the request of a client to the socket on another process', async () => {
    const [alice, bob] = [person(), person()];
    const socket = await bob.connect(deployment().realtimes[1]);
    const pushed = await socket.join('a private box');
    // The session is made before, so that the trace has one request.
    await alice.list(edge.url, 'inbox');

    const caller = createCaller();
    edge.headers = { traceparent: caller.traceparent, tracestate: 'vendor=1' };
    const message = {
      recipient: bob.key,
      messageBox: 'a private box',
      messageId: 'a private id',
      body: 'a private body',
    };
    expect(await alice.send(edge.url, message)).toMatchObject({ status: 200 });
    await pushed.waitFor((push) => push.messageId === 'a private id');

    await waitUntil('the trace has arrived', () => {
      const names = namesOf(caller.traceId);
      return names.includes('push to socket') && names.includes('POST /sendMessage');
    });
    expect(toTraceTree(receiver.spans, caller.traceId, caller.spanId)).toEqual({
      'api: POST /sendMessage': {
        'api: wait for turn': {},
        'api: authenticate': { 'api: claimRequest': {} },
        'api: check rates': {},
        'api: readPermissions': {},
        'api: storeMessages': {},
        'api: publish room event': { 'realtime: deliver room event': { 'realtime: push to socket': {} } },
      },
    });
    const send = receiver.spans.find((span) => span.name === 'POST /sendMessage' && span.traceId === caller.traceId);
    expect(send?.attributes).toMatchObject({ 'http.route': '/sendMessage', 'http.response.status_code': 200 });
    const stored = receiver.spans.find((span) => span.name === 'storeMessages' && span.traceId === caller.traceId);
    expect(stored?.attributes).toMatchObject({ 'messagebox.messages': 1, 'messagebox.stored': 1 });
    expect(receiver.headers).toMatchObject({ 'x-key': 'open sesame', 'content-type': 'application/json' });
    expect(receiver.text).toContain('"vendor=1"');
  });

  test('a live send is a trace of its own, on both instances', async () => {
    const [alice, bob] = [person(), person()];
    const [hers, his] = [await alice.connect(deployment().realtimes[0]), await bob.connect(deployment().realtimes[1])];
    const pushed = await his.join('inbox');
    await hers.send(bob.key, 'inbox', 'live', 'hello');
    await pushed.waitFor((push) => push.messageId === 'live');
    await waitUntil('the trace has arrived', () => {
      const root = receiver.spans.find(({ name }) => name === 'socket sendMessage');
      return root !== undefined && namesOf(root.traceId).includes('push to socket');
    });
    const root = receiver.spans.find(({ name }) => name === 'socket sendMessage');
    expect(root?.parentSpanId).toBe('');
    expect(toTraceTree(receiver.spans, root?.traceId ?? '', '')).toEqual({
      'realtime: socket sendMessage': {
        'realtime: readPermissions': {},
        'realtime: storeMessages': {},
        'realtime: publish room event': { 'realtime: deliver room event': { 'realtime: push to socket': {} } },
      },
    });
  });

  test('a refused request has its error code in its span, and its trace in its log line', async () => {
    const alice = person();
    await alice.list(edge.url, 'inbox');
    const caller = createCaller();
    edge.headers = { traceparent: caller.traceparent };
    const answer = await alice.send(edge.url, { recipient: 'nobody', messageBox: 'inbox', messageId: '1', body: 'x' });
    expect(answer).toMatchObject({ status: 400, body: { code: 'ERR_INVALID_RECIPIENT_KEY' } });
    await waitUntil('the span has arrived', () => namesOf(caller.traceId).includes('POST /sendMessage'));
    const span = receiver.spans.find(({ traceId, name }) => traceId === caller.traceId && name === 'POST /sendMessage');
    expect(span).toMatchObject({ attributes: { 'error.type': 'ERR_INVALID_RECIPIENT_KEY' } });
    // Not the server's fault.
    expect(span?.status).not.toBe(2);
    const line = await deployment().processes.apis[0].waitForLog(`"trace_id":"${caller.traceId}"`);
    expect(JSON.parse(line)).toMatchObject({ msg: 'request refused', code: 'ERR_INVALID_RECIPIENT_KEY' });
  });

  test('a caller that does not record its trace is followed', async () => {
    const [alice, bob] = [person(), person()];
    await alice.list(edge.url, 'inbox');
    const [silent, recorded] = [createCaller('00'), createCaller('01')];
    for (const [i, { traceparent }] of [silent, recorded].entries()) {
      edge.headers = { traceparent };
      const message = { recipient: bob.key, messageBox: 'inbox', messageId: `followed ${i}`, body: 'x' };
      expect(await alice.send(edge.url, message)).toMatchObject({ status: 200 });
    }
    await waitUntil('the second trace has arrived', () => namesOf(recorded.traceId).includes('POST /sendMessage'));
    expect(namesOf(silent.traceId)).toEqual([]);
  });

  test.each([
    'nonsense',
    `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`,
    `00-${'1'.repeat(32)}-${'0'.repeat(16)}-01`,
    `ff-${'1'.repeat(32)}-${'1'.repeat(16)}-01`,
    `00-${'A'.repeat(32)}-${'1'.repeat(16)}-01`,
    `00-${'1'.repeat(32)}-${'1'.repeat(16)}-01-more`,
  ])('a request with the traceparent %s is served, and begins a trace', async (traceparent) => {
    const [alice, bob] = [person(), person()];
    await alice.list(edge.url, 'inbox');
    const before = receiver.spans.length;
    edge.headers = { traceparent, tracestate: 'x'.repeat(600) };
    const message = { recipient: bob.key, messageBox: 'inbox', messageId: 'wrong', body: 'x' };
    expect(await alice.send(edge.url, message)).toMatchObject({ status: 200 });
    const find = () => receiver.spans.slice(before).find(({ name }) => name === 'POST /sendMessage');
    await waitUntil('the span has arrived', () => find() !== undefined);
    expect(find()).toMatchObject({ parentSpanId: '', traceId: expect.not.stringMatching(/^(1+|0+|A+)$/) });
  });

  test('no span holds a key, a box, an id, a body, or a secret of the server', async () => {
    const [alice, bob] = [person(), person()];
    const socket = await bob.connect(deployment().realtimes[0]);
    const pushed = await socket.join('b private box');
    const message = {
      recipient: bob.key,
      messageBox: 'b private box',
      messageId: 'b private id',
      body: 'b private body',
    };
    const before = receiver.spans.length;
    await alice.send(edge.url, message);
    await pushed.waitFor((push) => push.messageId === 'b private id');
    await bob.list(edge.url, 'b private box');
    await bob.acknowledge(edge.url, 'b private id');
    await waitUntil('the spans have arrived', () => {
      const names = receiver.spans.slice(before).map(({ name }) => name);
      return names.includes('push to socket') && names.includes('POST /acknowledgeMessage');
    });
    const { env } = deployment();
    const secrets = [alice.key, bob.key, alice.privateKey, 'private box', 'private id', 'private body', 'open sesame'];
    for (const secret of [...secrets, env['SERVER_PRIVATE_KEY'], env['REDIS_URL'], env['KNEX_DB_CONNECTION']]) {
      expect(receiver.text).not.toContain(secret);
    }
    // Identity keys of anybody.
    expect(receiver.text).not.toMatch(/0[23][0-9a-f]{64}/i);
  });
});
