import { generateKeyPairSync } from 'node:crypto';
import {
  type FcmAnswer,
  type FcmServer,
  fcmError,
  startFcmServer,
  unregistered,
} from '../../../tests/support/fcm-server.js';
import { Fcm, type PushOutcome, readFirebaseProject } from '../src/push/index.js';

const push = { token: 'device-token', messageId: 'id-1', originator: `02${'a1'.repeat(32)}` };

describe('FCM HTTP v1', () => {
  let server: FcmServer;
  let fcm: Fcm;
  const never = new AbortController().signal;
  beforeEach(async () => {
    server = await startFcmServer();
    const { projectId, accountJson } = server;
    const project = await readFirebaseProject({
      projectId,
      serviceAccountJson: accountJson,
      serviceAccountPath: undefined,
    });
    fcm = new Fcm(project, server.url);
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
        notification: { title: 'New Message', body: 'id-1' },
        data: { messageId: 'id-1', originator: push.originator },
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

  test('an access token that is no longer taken is replaced', async () => {
    await fcm.send(push, never);
    server.revokeTokens();
    expect(await fcm.send(push, never)).toMatchObject({ kind: 'credentials', reason: expect.stringMatching(/401/) });
    expect(await fcm.send(push, never)).toEqual({ kind: 'sent' });
    expect(server.tokenRequests).toBe(2);
  });

  test.each<[string, FcmAnswer]>([
    ['unregistered', unregistered],
    ['unregistered, whatever the status', fcmError(400, 'INVALID_ARGUMENT', 'x', 'UNREGISTERED')],
    ['not found', fcmError(404, 'NOT_FOUND', 'Requested entity was not found.')],
    [
      'no token at all',
      fcmError(
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
    ['too big', fcmError(400, 'INVALID_ARGUMENT', 'Android message is too big', 'INVALID_ARGUMENT')],
    ['another project’s token', fcmError(403, 'PERMISSION_DENIED', 'SenderId mismatch', 'SENDER_ID_MISMATCH')],
    ['a page where there is no FCM', { status: 404, body: '<html>Not here.</html>' }],
  ])('refused, and the token stays: %s', async (_name, answer) => {
    expect(await outcomeOf(answer)).toMatchObject({ kind: 'refused' });
  });

  test('429 with retry-after in seconds: not before, and nobody else either', async () => {
    const answer = fcmError(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded', 'QUOTA_EXCEEDED');
    expect(await outcomeOf({ ...answer, headers: { 'retry-after': '120' } })).toEqual({
      kind: 'later',
      reason: 'FCM answered 429 QUOTA_EXCEEDED',
      afterMs: 120_000,
    });
    const next = (await fcm.send({ ...push, token: 'other' }, never)) as { kind: string; afterMs: number };
    expect(next.kind).toBe('later');
    expect(next.afterMs).toBeGreaterThan(110_000);
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
    expect(await outcomeOf(fcmError(403, 'PERMISSION_DENIED', 'Permission denied'))).toMatchObject({
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
    const project = await readFirebaseProject({
      projectId: server.projectId,
      serviceAccountJson: JSON.stringify(account),
      serviceAccountPath: undefined,
    });
    const outcome = await new Fcm(project, server.url).send(push, never);
    expect(outcome).toMatchObject({
      kind: 'credentials',
      reason: expect.stringMatching(/refused.*400.*invalid_grant/),
    });
    expect(JSON.stringify(outcome)).not.toMatch(/PRIVATE|assertion|device-token/);
    expect(server.received).toEqual([]);
  });
});
