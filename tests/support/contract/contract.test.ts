import { createAsyncApiDocument, createOpenApiDocument } from '@messagebox/api-description';
import type { HttpExchange } from '@messagebox/test-kit/wire-observers';
import { HttpContract } from './http-contract.ts';
import { LiveContract } from './live-contract.ts';
import { DocumentSchemas } from './schemas.ts';

const KEY = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';

describe('HttpContract', () => {
  const contract = new HttpContract(new DocumentSchemas(createOpenApiDocument()));
  const SIGNED = {
    'x-bsv-auth-version': '0.1',
    'x-bsv-auth-identity-key': KEY,
    'x-bsv-auth-nonce': 'A'.repeat(44),
    'x-bsv-auth-your-nonce': 'A'.repeat(64),
    'x-bsv-auth-signature': '30',
    'x-bsv-auth-request-id': `${'A'.repeat(43)}=`,
  };
  const jsonType = { 'content-type': 'application/json; charset=utf-8' };
  const exchange = (fields: Partial<Omit<HttpExchange, 'body'>> & { readonly body: unknown }): HttpExchange => ({
    method: 'POST',
    target: '/acknowledgeMessage',
    requestHeaders: SIGNED,
    requestBody: Buffer.from('{"messageIds":["one"]}'),
    status: 200,
    headers: { ...jsonType, ...SIGNED },
    ...fields,
    body: typeof fields.body === 'string' ? Buffer.from(fields.body) : Buffer.from(JSON.stringify(fields.body)),
  });
  const refusal = (code: string, more: object = {}) => ({ status: 'error', code, description: 'No.', ...more });

  test.each([
    ['a described answer', exchange({ body: { status: 'success' } })],
    ['the same below a prefix', exchange({ target: '/api/v1/acknowledgeMessage', body: { status: 'success' } })],
    ['a described error', exchange({ status: 400, body: refusal('ERR_MESSAGE_ID_REQUIRED') })],
    [
      'a slash inside of a parameter',
      exchange({ target: '/admin/identities/..%2Fx/block', status: 400, body: refusal('ERR_INVALID_PUBLIC_KEY') }),
    ],
    ['HEAD, which has no body', exchange({ method: 'HEAD', target: '/devices?limit=2', body: '' })],
    ['a route that does not exist', exchange({ target: '/nothing', status: 404, body: refusal('ERR_NOT_FOUND') })],
    ['an answer of another server', exchange({ target: '/v1/token', body: { access_token: 'x' } })],
    ['OPTIONS', exchange({ method: 'OPTIONS', headers: { 'access-control-allow-origin': '*' }, body: {} })],
    [
      'OPTIONS of socket.io',
      exchange({
        method: 'OPTIONS',
        target: '/socket.io/?EIO=4',
        headers: { 'access-control-allow-origin': '*' },
        body: '',
      }),
    ],
  ])('accepts %s', (_what, given) => {
    expect(contract.findProblems(given)).toEqual([]);
  });

  test.each([
    ['a field that is not described', exchange({ body: { status: 'success', more: 1 } }), /additional/],
    ['a missing field', exchange({ body: {} }), /required/],
    ['a status that is not described', exchange({ status: 201, body: { status: 'success' } }), /201/],
    ['a code of another route', exchange({ status: 400, body: refusal('ERR_INVALID_LIMIT') }), /constant/],
    ['a code with another status', exchange({ status: 403, body: refusal('ERR_MESSAGE_ID_REQUIRED') }), /constant/],
    [
      'a detail of no such code',
      exchange({ status: 400, body: refusal('ERR_MESSAGE_ID_REQUIRED', { limit: 1 }) }),
      /additional/,
    ],
    ['an answer that is not JSON', exchange({ body: '<html>' }), /nothing/],
    ['another content type', exchange({ headers: { ...SIGNED, 'content-type': 'text/html' }, body: {} }), /text\/html/],
    [
      'an unsigned success',
      exchange({ headers: jsonType, body: { status: 'success' } }),
      /x-bsv-auth-signature is missing/,
    ],
    [
      'an accepted request of another form',
      exchange({ requestBody: Buffer.from('{}'), body: { status: 'success' } }),
      /accepted request/,
    ],
    [
      'an accepted parameter of another form',
      exchange({
        method: 'GET',
        target: '/devices?limit=many',
        body: { status: 'success', limit: 1, offset: 0, devices: [] },
      }),
      /query parameter limit/,
    ],
    [
      'an error of no route that is not described',
      exchange({ target: '/x', status: 418, body: refusal('ERR_X') }),
      /418/,
    ],
  ])('finds %s', (_what, given, problem) => {
    expect(contract.findProblems(given).join('\n')).toMatch(problem);
  });
});

describe('LiveContract', () => {
  const contract = new LiveContract(new DocumentSchemas(createAsyncApiDocument()));
  const frame = (eventName: string, data: unknown) => ({
    version: '0.1',
    messageType: 'general',
    identityKey: KEY,
    nonce: 'AAAA',
    yourNonce: 'AAAA',
    payload: [...Buffer.from(JSON.stringify({ eventName, data }))],
    signature: [1],
  });
  const received = (eventName: string, data: unknown, socket: object = {}) =>
    contract.findProblems({ socket, direction: 'received', name: 'authMessage', data: frame(eventName, data) });

  test('accepts described events', () => {
    expect(received('joinedRoom', { roomId: `${KEY}-inbox` })).toEqual([]);
    const message = { sender: KEY, messageId: 'one', body: '', messageBox: 'a-b', after: '7' };
    expect(received(`sendMessage-${KEY}-a-b`, message)).toEqual([]);
  });

  test.each([
    ['an event that is not described', 'joinedRooms', {}, /joinedRooms is not described/],
    ['a field that is not described', 'joinedRoom', { roomId: `${KEY}-inbox`, more: 1 }, /additional/],
    ['a missing field', 'leftRoom', {}, /required/],
    ['a code of another event', 'leaveFailed', { reason: 'No.', code: 'ERR_TOO_MANY_ROOMS' }, /allowed values/],
    ['a detail of no such code', 'messageFailed', { reason: 'No.', code: 'ERR_INTERNAL', limit: 1 }, /additional/],
  ])('finds %s', (_what, name, data, problem) => {
    expect(received(name, data).join('\n')).toMatch(problem);
  });

  test('finds a frame of another form', () => {
    const data = { ...frame('joinedRoom', { roomId: `${KEY}-inbox` }), more: 1 };
    expect(contract.findProblems({ socket: {}, direction: 'received', name: 'authMessage', data })).toHaveLength(1);
  });

  test('finds an event that was accepted, and should not have been', () => {
    const socket = {};
    const sent = { roomId: `${KEY}-inbox`, message: { messageId: 'one', body: 7 } };
    contract.findProblems({ socket, direction: 'sent', name: 'authMessage', data: frame('sendMessage', sent) });
    const problems = received(`sendMessageAck-${KEY}-inbox`, { status: 'success', messageId: 'one' }, socket);
    expect(problems.join('\n')).toMatch(/the accepted sendMessage: the data: .*body/);
  });
});
