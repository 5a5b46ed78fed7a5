import type { Header } from '@messagebox/test-support/raw-client';

/** A route, and valid requests to it. */
export interface FuzzedRoute {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  /** Fields of the query. */
  readonly queries: readonly Record<string, unknown>[];
  /** JSON bodies; none for a request without a body. */
  readonly bodies: readonly object[];
  readonly headers?: readonly Header[];
  /** Whether the request is sent without a signature. */
  readonly isPublic?: boolean;
  /** Whether it changes nothing, also when it succeeds. */
  readonly isReadOnly: boolean;
}

const TXID = 'ab'.repeat(32);

/** Every route of the api and of the overlay that takes input. @param keys of two identities */
export function listRoutes([first, second]: readonly [string, string]): FuzzedRoute[] {
  const message = { recipient: second, messageBox: 'inbox', messageId: 'id', body: 'hello' };
  const output = {
    outputIndex: 0,
    protocol: 'wallet payment',
    paymentRemittance: { derivationPrefix: 'AAAA', derivationSuffix: 'BBBB', senderIdentityKey: first },
  };
  const payment = { tx: [1, 1, 1, 1, 0, 0], outputs: [output], description: 'a payment', labels: ['fee'] };
  const signed = (method: FuzzedRoute['method'], path: string, bodies: readonly object[]): FuzzedRoute => ({
    method,
    path,
    queries: [{}],
    bodies,
    isReadOnly: false,
  });
  const reading = (path: string, queries: readonly Record<string, unknown>[]): FuzzedRoute => ({
    method: 'GET',
    path,
    queries,
    bodies: [],
    isReadOnly: true,
  });
  const open = (path: string, bodies: readonly object[], headers: readonly Header[] = []): FuzzedRoute => ({
    method: 'POST',
    path,
    queries: [{}],
    bodies,
    headers,
    isPublic: true,
    isReadOnly: true,
  });
  return [
    signed('POST', '/sendMessage', [
      { message },
      { message: { ...message, recipient: [first, second], messageId: ['a', 'b'], body: { text: 'hello' } } },
      { message: { ...message, recipients: [first], recipient: undefined } },
      { message: { ...message, messageBox: 'notifications' }, payment },
    ]),
    {
      ...signed('POST', '/listMessages', [
        { messageBox: 'inbox' },
        { messageBox: 'inbox', limit: 10, after: '1' },
        { messageBox: 'inbox', offset: 0, limit: 5, messageId: 'id' },
      ]),
      isReadOnly: true,
    },
    signed('POST', '/acknowledgeMessage', [{ messageIds: ['id', 'other'] }]),
    signed('POST', '/permissions/set', [
      { messageBox: 'inbox', sender: first, recipientFee: 10 },
      { messageBox: 'inbox', recipientFee: -1 },
    ]),
    reading('/permissions/get', [{ messageBox: 'inbox', sender: first }]),
    reading('/permissions/list', [
      { messageBox: 'inbox', limit: '10', offset: '0', createdAtOrder: 'desc' },
      { message_box: 'inbox' },
    ]),
    reading('/permissions/quote', [
      { recipient: second, messageBox: 'inbox' },
      { recipient: [first, second], messageBox: 'inbox' },
    ]),
    signed('POST', '/registerDevice', [{ fcmToken: 'a'.repeat(40), deviceId: 'phone', platform: 'ios' }]),
    signed('POST', '/unregisterDevice', [{ fcmToken: 'a'.repeat(40) }]),
    reading('/devices', [{ limit: '10', offset: '0' }]),
    reading('/admin/fees', [{}]),
    signed('PUT', '/admin/fees', [{ messageBox: 'inbox', deliveryFee: 0 }]),
    reading('/admin/boxes', [{ order: 'bytes', limit: '10', after: '5-1' }]),
    reading('/admin/senders', [{ order: 'messages', limit: '10', after: `5-${first}` }]),
    reading(`/admin/identities/${first}`, [{}]),
    signed('POST', `/admin/identities/${first}/block`, [{ reason: 'a reason' }]),
    signed('POST', `/admin/identities/${first}/purge`, [{ messageBox: 'inbox' }]),
    reading('/admin/jobs', [{ state: 'failed', limit: '10' }]),
    reading('/admin/audit', [{ limit: '10', after: '5' }]),
    {
      ...signed('POST', '/account/export', [{ after: Buffer.from('["messages","id"]').toString('base64url') }]),
      isReadOnly: true,
    },
    signed('POST', '/account/delete', [{ confirm: 'not a key', includePayments: false }]),
    reading('/overlay/ads', [{}]),
    reading(`/overlay/jobs/${TXID}`, [{}]),
    open('/.well-known/auth', [
      {
        version: '0.1',
        messageType: 'initialRequest',
        identityKey: first,
        initialNonce: Buffer.alloc(48, 1).toString('base64'),
        requestedCertificates: { certifiers: [], types: {} },
      },
    ]),
    open('/lookup', [
      { service: 'ls_messagebox', query: { identityKey: first } },
      { service: 'ls_ship', query: { topics: ['tm_messagebox'], limit: 5, skip: 0 } },
      { service: 'ls_slap', query: { service: 'ls_messagebox', domain: 'https://a.example' } },
    ]),
    open('/requestSyncResponse', [{ version: 1, since: 0, limit: 10 }], [['x-bsv-topic', 'tm_messagebox']]),
    open('/requestForeignGASPNode', [{ graphID: `${TXID}.0`, txid: TXID, outputIndex: 0, metadata: false }]),
  ];
}
