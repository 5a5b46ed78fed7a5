import { readAppEvent, readAuthMessage } from '../../app/src/inspector/wire/auth-message.js';
import { encodeUtf8 } from '../../app/src/inspector/wire/bytes.js';
import { parsePacket } from '../../app/src/inspector/wire/parse-packet.js';

const event = { layer: 'socket.io', type: 'event', namespace: '/', ackId: undefined } as const;

describe('a packet', () => {
  it.each([
    ['0{"sid":"a"}', { layer: 'engine.io', type: 'open', text: '{"sid":"a"}' }],
    ['2probe', { layer: 'engine.io', type: 'ping', text: 'probe' }],
    ['5', { layer: 'engine.io', type: 'upgrade', text: '' }],
    ['bAAAA', { layer: 'engine.io', type: 'bytes', text: 'AAAA' }],
    ['40', { layer: 'socket.io', type: 'connect', namespace: '/', ackId: undefined, event: undefined, args: [] }],
    ['42["name",{"a":1}]', { ...event, event: 'name', args: [{ a: 1 }] }],
    ['42/other,17["name"]', { ...event, namespace: '/other', ackId: 17, event: 'name', args: [] }],
    [
      '451-["name",{"_placeholder":true,"num":0}]',
      { ...event, type: 'binary event', event: 'name', args: [{ _placeholder: true, num: 0 }] },
    ],
    [
      '44{"message":"no"}',
      {
        layer: 'socket.io',
        type: 'connect error',
        namespace: '/',
        ackId: undefined,
        event: undefined,
        args: [{ message: 'no' }],
      },
    ],
  ])('%s is read', (text, packet) => {
    expect(parsePacket(text)).toEqual(packet);
  });

  it.each([
    ['', 'It does not begin with a packet type of engine.io.'],
    ['x', 'It does not begin with a packet type of engine.io.'],
    ['9', 'It does not begin with a packet type of engine.io.'],
    ['4', 'It does not begin with a packet type of socket.io.'],
    ['49', 'It does not begin with a packet type of socket.io.'],
    ['42["name"', 'Its content is not JSON.'],
    ['42{"a":1}', 'It is an event without a name.'],
    ['42[1]', 'It is an event without a name.'],
    ['42', 'It is an event without a name.'],
  ])('%j is named unreadable, with the reason', (text, reason) => {
    expect(parsePacket(text)).toEqual({ layer: 'unreadable', reason });
  });
});

describe('a message of BRC-103', () => {
  const general = {
    version: '0.1',
    messageType: 'general',
    identityKey: '02aa',
    nonce: 'bm9uY2U=',
    yourNonce: 'eW91cg==',
    payload: [123, 125],
    signature: [48, 0],
  };

  it('is read with its bytes', () => {
    expect(readAuthMessage(general)).toEqual({
      messageType: 'general',
      identityKey: '02aa',
      nonce: 'bm9uY2U=',
      yourNonce: 'eW91cg==',
      payload: Uint8Array.of(123, 125),
      signature: Uint8Array.of(48, 0),
    });
  });

  it.each([
    ['no object', null],
    ['a text', 'general'],
    ['another type', { ...general, messageType: 'certificateRequest' }],
    ['no identity', { ...general, identityKey: undefined }],
    ['no nonce', { ...general, nonce: 7 }],
    ['a payload that is a text', { ...general, payload: '{}' }],
    ['a number that is no byte', { ...general, payload: [256] }],
    ['a fraction', { ...general, signature: [0.5] }],
    ['an initialRequest without a nonce', { messageType: 'initialRequest', identityKey: '02aa' }],
    ['an initialResponse without a signature', { ...general, messageType: 'initialResponse', signature: undefined }],
  ])('is not made of %s', (_what, value) => {
    expect(readAuthMessage(value)).toBeUndefined();
  });

  it.each([
    ['text that is not UTF-8', Uint8Array.of(0xff)],
    ['text that is not JSON', encodeUtf8('{')],
    ['a list', encodeUtf8('[]')],
    ['a name that is a number', encodeUtf8('{"eventName":1}')],
  ])('holds no event in %s', (_what, payload) => {
    expect(readAppEvent(payload)).toBeUndefined();
  });
});
