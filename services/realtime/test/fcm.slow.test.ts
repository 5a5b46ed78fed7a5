import { generateKeyPairSync } from 'node:crypto';
import { waitUntil } from '@messagebox/test-kit';
import {
  createFcmError,
  createThrottledAnswer,
  type FcmAnswer,
  type FcmServer,
  startFcmServer,
  UNREGISTERED_ANSWER,
} from '@messagebox/test-support/fcm-server';
import { Fcm, type PushOutcome, readFirebaseProject } from '../src/push/index.js';

const push = {
  token: 'device-token',
  webPushKeys: undefined,
  createdAt: 0,
  expiresAt: undefined,
  title: 'Payment received',
  text: 'Open the app to view it.',
  messageId: 'id-1',
  messageBox: 'payment_inbox',
  recipient: `03${'b2'.repeat(32)}`,
  originator: `02${'a1'.repeat(32)}`,
};

describe('FCM HTTP v1', () => {
  let server: FcmServer;
  let fcm: Fcm;
  const never = new AbortController().signal;
  const projectOf = (accountJson = server.accountJson) =>
    readFirebaseProject({
      projectId: server.projectId,
      serviceAccountJson: accountJson,
      serviceAccountPath: undefined,
    });
  beforeEach(async () => {
    server = await startFcmServer();
    fcm = new Fcm(await projectOf(), { endpoint: server.url });
  });
  afterEach(() => server.close());

  const outcomeOf = (answer: FcmAnswer): Promise<PushOutcome> => {
    server.answer = () => answer;
    return fcm.send(push, never);
  };

  test('a push, to the letter', async () => {
    expect(await fcm.send(push, never)).toEqual({ kind: 'sent' });
    expect(server.received.map(({ message }) => message)).toEqual([
      {
        token: 'device-token',
        notification: { title: 'Payment received', body: 'Open the app to view it.' },
        data: {
          messageId: 'id-1',
          messageBox: 'payment_inbox',
          recipient: push.recipient,
          sender: push.originator,
          originator: push.originator,
        },
        android: { priority: 'high' },
        apns: {
          headers: { 'apns-push-type': 'alert', 'apns-priority': '10' },
          payload: { aps: { 'mutable-content': 1 } },
        },
      },
    ]);
  });

  test('one access token serves many, also those who ask at once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => fcm.send(push, never)));
    await fcm.send(push, never);
    expect(server.received).toHaveLength(21);
    expect(server.tokenRequests).toBe(1);
  });

  test('a token near its end is not used', async () => {
    server.answerToken = () => ({ status: 200, body: { access_token: 'old', expires_in: 60, token_type: 'Bearer' } });
    expect(await fcm.send(push, never)).toMatchObject({ kind: 'credentials' });
    server.answerToken = () => undefined;
    expect(await fcm.send(push, never)).toEqual({ kind: 'sent' });
  });

  test('an access token that is no longer taken is replaced at once, for all who had it', async () => {
    await fcm.send(push, never);
    server.revokeTokens();
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => fcm.send(push, never)));
    expect(outcomes).toEqual(Array.from({ length: 5 }, () => ({ kind: 'sent' })));
    expect(server.tokenRequests).toBe(2);
  });

  test('a fresh one that is not taken either: the credentials', async () => {
    const answer = createFcmError(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.');
    expect(await outcomeOf(answer)).toMatchObject({
      kind: 'credentials',
      reason: 'FCM answered 401 UNAUTHENTICATED',
    });
    expect(server.received).toHaveLength(2);
    expect(server.tokenRequests).toBe(2);
  });

  test('what Apple or a browser’s push service does not accept is no matter of the access token', async () => {
    const answer = createFcmError(401, 'UNAUTHENTICATED', 'Auth error from APNS', 'THIRD_PARTY_AUTH_ERROR');
    expect(await outcomeOf(answer)).toEqual({
      kind: 'refused',
      reason:
        'FCM answered 401 THIRD_PARTY_AUTH_ERROR: see to the APNs key and the web push key in the Firebase console',
      fault: 'server',
    });
    server.answer = () => undefined;
    expect(await fcm.send(push, never)).toEqual({ kind: 'sent' });
    expect(server.received).toHaveLength(2);
    expect(server.tokenRequests).toBe(1);
  });

  test.each<[string, FcmAnswer]>([
    ['unregistered', UNREGISTERED_ANSWER],
    ['unregistered, whatever the status', createFcmError(400, 'INVALID_ARGUMENT', 'x', 'UNREGISTERED')],
    [
      'no token at all',
      createFcmError(
        400,
        'INVALID_ARGUMENT',
        'The registration token is not a valid FCM registration token',
        'INVALID_ARGUMENT',
      ),
    ],
    [
      'a violation of the token',
      {
        status: 400,
        body: {
          error: {
            status: 'INVALID_ARGUMENT',
            message: 'Invalid value',
            details: [{ fieldViolations: [{ field: 'message.token', description: 'Invalid registration' }] }],
          },
        },
      },
    ],
  ])('a dead token: %s', async (_name, answer) => {
    expect(await outcomeOf(answer)).toMatchObject({ kind: 'dead_token' });
  });

  test.each<[string, FcmAnswer]>([
    [
      'a violation elsewhere',
      {
        status: 400,
        body: {
          error: {
            status: 'INVALID_ARGUMENT',
            message: 'Invalid value at message.data[0].value, see registration token',
            details: [{ fieldViolations: [{ field: 'message.data[0].value' }] }, { errorCode: 'INVALID_ARGUMENT' }],
          },
        },
      },
    ],
    ['too big', createFcmError(400, 'INVALID_ARGUMENT', 'Android message is too big', 'INVALID_ARGUMENT')],
    ['a page where there is no FCM', { status: 404, body: '<html>Not here.</html>' }],
  ])('refused, and the token stays: %s', async (_name, answer) => {
    expect(await outcomeOf(answer)).toMatchObject({ kind: 'refused', fault: 'server' });
  });

  test('another project’s token: refused, and its owner’s doing', async () => {
    const answer = createFcmError(403, 'PERMISSION_DENIED', 'SenderId mismatch', 'SENDER_ID_MISMATCH');
    expect(await outcomeOf(answer)).toMatchObject({ kind: 'refused', fault: 'device' });
  });

  test('404 without a code may be the project, and so every device: none is given up', async () => {
    const answer = createFcmError(404, 'NOT_FOUND', 'Requested entity was not found.');
    expect(await outcomeOf(answer)).toMatchObject({
      kind: 'refused',
      reason: 'FCM answered 404 NOT_FOUND: is FIREBASE_PROJECT_ID right?',
      fault: 'server',
    });
  });

  const to = (token: string) => fcm.send({ ...push, token }, never);

  test('429: not before its retry-after, and nobody else waits', async () => {
    expect(await outcomeOf(createThrottledAnswer(undefined, 120))).toEqual({
      kind: 'later',
      reason: 'FCM answered 429 QUOTA_EXCEEDED',
      afterMs: 120_000,
      fault: 'device',
    });
    for (let n = 0; n < 20; n++) expect(await to('device-token')).toMatchObject({ kind: 'later' });
    server.answer = () => undefined;
    expect(await to('other')).toEqual({ kind: 'sent' });
  });

  test('429 to three devices in a row: nobody is tried until it is over, then all are', async () => {
    fcm = new Fcm(await projectOf(), { endpoint: server.url, quotaPauseMs: 2_000 });
    server.answer = () => createThrottledAnswer();
    const from = Date.now();
    for (const token of ['a', 'b', 'a', 'c']) expect(await to(token)).toMatchObject({ kind: 'later', afterMs: 2_000 });
    const held = (await to('d')) as { kind: string; afterMs: number };
    expect(held.kind).toBe('deferred');
    expect(held.afterMs).toBeLessThanOrEqual(2_000);
    expect(server.received).toHaveLength(4);
    await waitUntil('it is over', async () => (await to('d')).kind !== 'deferred');
    expect(Date.now() - from).toBeGreaterThanOrEqual(1_995);
    // It was counted once: one more is one.
    expect(await to('e')).toMatchObject({ kind: 'later' });
    server.answer = () => undefined;
    expect(await to('f')).toEqual({ kind: 'sent' });
  });

  test('429 to many devices, with a success between: nobody else waits', async () => {
    for (const token of ['a', 'b', 'c', 'd', 'e', 'f']) {
      server.answer = () => createThrottledAnswer();
      expect(await to(token)).toMatchObject({ kind: 'later' });
      expect(await to('busy')).toMatchObject({ kind: 'later' });
      server.answer = () => undefined;
      expect(await to('calm')).toEqual({ kind: 'sent' });
    }
  });

  test('429 that names the device: nobody else waits, however many there are', async () => {
    server.answer = () => createThrottledAnswer('device');
    for (let n = 0; n < 20; n++) expect(await to(`busy-${n}`)).toMatchObject({ kind: 'later', afterMs: 60_000 });
    server.answer = () => undefined;
    expect(await to('other')).toEqual({ kind: 'sent' });
  });

  test('503 with retry-after: nobody is tried before', async () => {
    expect(await outcomeOf({ status: 503, headers: { 'retry-after': '120' } })).toMatchObject({ afterMs: 120_000 });
    const held = (await to('other')) as { kind: string; afterMs: number };
    expect(held.kind).toBe('deferred');
    expect(held.afterMs).toBeGreaterThan(110_000);
    expect(server.received).toHaveLength(1);
  });

  test('503 with retry-after as a date', async () => {
    const headers = { 'retry-after': new Date(Date.now() + 90_000).toUTCString() };
    const outcome = (await outcomeOf({ status: 503, headers })) as { kind: string; afterMs: number };
    expect(outcome.kind).toBe('later');
    expect(outcome.afterMs).toBeGreaterThan(80_000);
    expect(outcome.afterMs).toBeLessThanOrEqual(90_000);
  });

  test('a retry-after of years is an hour; one that says nothing is none', async () => {
    expect(await outcomeOf({ status: 503, headers: { 'retry-after': 'soon' } })).toMatchObject({ afterMs: 0 });
    expect(await outcomeOf({ status: 503, headers: { 'retry-after': '99999999' } })).toMatchObject({
      afterMs: 3_600_000,
    });
  });

  test('429 without retry-after: a minute', async () => {
    expect(await outcomeOf({ status: 429 })).toMatchObject({ kind: 'later', afterMs: 60_000 });
  });

  test.each([500, 502, 503])('%i: later, as the job’s backoff says', async (status) => {
    expect(await outcomeOf({ status, body: '<html>' })).toMatchObject({ kind: 'later', afterMs: 0 });
    server.answer = () => undefined;
    expect(await fcm.send(push, never)).toEqual({ kind: 'sent' });
  });

  test('nobody there: later', async () => {
    await fcm.send(push, never);
    await server.close();
    expect(await fcm.send(push, never)).toMatchObject({ kind: 'later', reason: expect.stringMatching(/reached/) });
    server = await startFcmServer();
  });

  test('given up: rejects', async () => {
    const stop = new AbortController();
    server.answer = async () => {
      stop.abort(new Error('closing'));
      return undefined;
    };
    await expect(fcm.send(push, stop.signal)).rejects.toThrow('closing');
  });

  test('a forbidden account', async () => {
    expect(await outcomeOf(createFcmError(403, 'PERMISSION_DENIED', 'Permission denied'))).toMatchObject({
      kind: 'credentials',
      reason: 'FCM answered 403 PERMISSION_DENIED',
    });
  });

  test('a token endpoint that fails is asked once for all, and again later', async () => {
    server.answerToken = () => ({ status: 500, body: 'no' });
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => fcm.send(push, never)));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'later' });
    expect(server.tokenRequests).toBe(1);
  });

  test('a key that Google does not know: no secret in the reason', async () => {
    const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    });
    const account = { ...JSON.parse(server.accountJson), private_key: foreign };
    const project = await projectOf(JSON.stringify(account));
    const outcome = await new Fcm(project, { endpoint: server.url }).send(push, never);
    expect(outcome).toMatchObject({
      kind: 'credentials',
      reason: expect.stringMatching(/refused.*400.*invalid_grant/),
    });
    expect(JSON.stringify(outcome)).not.toMatch(/PRIVATE|assertion|device-token/);
    expect(server.received).toEqual([]);
  });
});
