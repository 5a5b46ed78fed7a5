import { closedObject, list, openObject, type Properties, schemaRef, text } from '../schema.js';

const nonce = text('Base64 of 32 or 48 bytes.');
const certificates = openObject({ certifiers: list({ type: 'string' }), types: { type: 'object' } });

/** The frames of BRC-103: what goes over the wire as the socket.io event `authMessage`. */
export const frameSchemas: Properties = {
  InitialRequest: closedObject(
    {
      version: { const: '0.1' },
      messageType: { const: 'initialRequest' },
      identityKey: schemaRef('IdentityKey'),
      initialNonce: nonce,
      requestedCertificates: certificates,
    },
    ['requestedCertificates'],
  ),
  InitialResponse: closedObject(
    {
      version: { const: '0.1' },
      messageType: { const: 'initialResponse' },
      identityKey: schemaRef('IdentityKey'),
      initialNonce: nonce,
      yourNonce: nonce,
      requestedCertificates: certificates,
      signature: schemaRef('Bytes', { description: 'DER, over both nonces.' }),
    },
    ['requestedCertificates'],
  ),
  General: closedObject({
    version: { const: '0.1' },
    messageType: { const: 'general' },
    identityKey: schemaRef('IdentityKey'),
    nonce,
    yourNonce: nonce,
    payload: schemaRef('Bytes', { description: 'UTF-8 JSON `{"eventName", "data"}`: one of the other messages.' }),
    signature: schemaRef('Bytes', { description: 'DER, over the payload.' }),
  }),
};

/** What each kind of frame is for. */
export const frameSummaries: Readonly<Record<keyof typeof frameSchemas, string>> = {
  InitialRequest: 'Begins a session. The server sends it as well, to refresh a session or to pace its events',
  InitialResponse: 'Answers it',
  General: 'Carries an event, signed for the session',
};
