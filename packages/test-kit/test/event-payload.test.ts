import { decodeEvent, encodeEvent, MAX_CLIENT_EVENT_BYTES } from '../src/index.js';

const encoded = (event: unknown) => Buffer.from(JSON.stringify(event));

describe('the payload of an event', () => {
  test('is decoded as it was encoded', () => {
    const data = { roomId: 'a room', list: [1, true, null, 'text'] };
    expect(decodeEvent(encodeEvent('joinRoom', data))).toEqual({ eventName: 'joinRoom', data });
    expect(decodeEvent(encodeEvent('joinRoom', undefined))).toEqual({ eventName: 'joinRoom', data: undefined });
  });

  test('may have exactly 1,048,576 bytes', () => {
    const overhead = encoded({ eventName: 'x', data: '' }).length;
    const largest = encoded({ eventName: 'x', data: 'a'.repeat(MAX_CLIENT_EVENT_BYTES - overhead) });
    expect(largest).toHaveLength(MAX_CLIENT_EVENT_BYTES);
    expect(decodeEvent(largest).eventName).toBe('x');
  });

  test.each([
    ['with one byte more', encoded({ eventName: 'x', data: 'a'.repeat(MAX_CLIENT_EVENT_BYTES) })],
    ['with too many numbers for its weight', encoded({ eventName: 'x', data: Array(43_691).fill(1) })],
    ['with more than 100,000 values', encoded({ eventName: 'x', data: Array(100_001).fill('') })],
    ['with more than 64 levels', Buffer.from(`{"eventName":"x","data":${'['.repeat(70)}1${']'.repeat(70)}}`)],
    ['with a field name that is an attack', Buffer.from('{"eventName":"x","data":{"constructor":1}}')],
    ['with the number -0', Buffer.from('{"eventName":"x","data":-0}')],
  ])('%s breaks rule 9.9', (_what, payload) => {
    expect(() => decodeEvent(payload)).toThrow(expect.objectContaining({ rule: '9.9' }));
  });

  test.each([
    ['empty', ''],
    ['of 257 bytes', 'é'.repeat(129)],
    ['that is reserved', 'disconnect'],
    ['with a control character', 'join\u0007Room'],
    ['with a C1 control character', 'join\u0085Room'],
    ['with a character that changes the direction', 'join\u202eRoom'],
    ['that is a number', 7],
  ])('with a name %s breaks rule 9.10', (_what, eventName) => {
    expect(() => decodeEvent(encoded({ eventName }))).toThrow(expect.objectContaining({ rule: '9.10' }));
    expect(() => encodeEvent(eventName as string, {})).toThrow(TypeError);
  });

  test.each([
    ['that is not JSON', Buffer.from('{')],
    ['that is not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['that is an array', encoded(['x'])],
    ['without a name', encoded({ data: 1 })],
    ['with a field other than eventName and data', encoded({ eventName: 'x', data: 1, id: 7 })],
  ])('%s breaks rule 5', (_what, payload) => {
    expect(() => decodeEvent(payload)).toThrow(expect.objectContaining({ rule: '5' }));
  });

  test('is not sent when clients would not accept it', () => {
    expect(() => encodeEvent('sendMessage', { body: 'a'.repeat(MAX_CLIENT_EVENT_BYTES) })).toThrow(TypeError);
  });
});
