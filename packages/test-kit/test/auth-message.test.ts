import { randomBytes } from 'node:crypto';
import { checkAuthMessage } from '../src/index.js';
import { createParty } from './support/wallets.js';

const base64 = (bytes: number) => randomBytes(bytes).toString('base64');

describe('the shape of a message', () => {
  const identityKey = createParty().key;
  const general = {
    version: '0.1',
    messageType: 'general',
    identityKey,
    nonce: base64(32),
    yourNonce: base64(48),
    payload: [1, 2, 3],
    signature: [4, 5, 6],
  };
  const response = {
    version: '0.1',
    messageType: 'initialResponse',
    identityKey,
    initialNonce: base64(48),
    yourNonce: base64(48),
    requestedCertificates: { certifiers: [], types: {} },
    signature: [4, 5, 6],
  };
  const request = { version: '0.1', messageType: 'initialRequest', identityKey, initialNonce: base64(48) };

  test.each([
    ['a general message', general],
    ['a general message with an empty payload', { ...general, payload: [] }],
    ['an initialResponse', response],
    ['an initialRequest', request],
    ['an unknown field', { ...request, more: { of: ['it'] } }],
  ])('%s is accepted', (_what, message) => {
    expect(checkAuthMessage(message)).toBe(message);
  });

  const sparse = [1, 2, 3];
  delete sparse[1];
  const deep = JSON.parse(`${'['.repeat(70)}null${']'.repeat(70)}`) as unknown;
  test.each([
    ['null', null, 'not an object'],
    ['an array', [], 'not an object'],
    ['another version', { ...general, version: '0.2' }, 'version'],
    ['another type', { ...general, messageType: 'certificateRequest' }, 'type'],
    ['a key in upper case', { ...general, identityKey: identityKey.toUpperCase() }, 'identityKey'],
    ['a key that is not a point', { ...general, identityKey: `02${'f'.repeat(64)}` }, 'identityKey'],
    ['a session nonce of 47 bytes', { ...response, initialNonce: base64(47) }, '47 bytes instead of 48'],
    ['a session nonce of 120 bytes', { ...response, initialNonce: base64(120) }, 'at most 128 characters'],
    ['a message nonce of 48 bytes', { ...general, nonce: base64(48) }, '48 bytes instead of 32'],
    ['no nonce', { ...general, nonce: undefined }, 'general.nonce'],
    ['base64 of the URL-safe alphabet', { ...general, yourNonce: '_'.repeat(64) }, 'canonical base64'],
    ['base64 with unused bits', { ...general, nonce: `${'A'.repeat(42)}B=` }, 'canonical base64'],
    ['a payload with a hole', { ...general, payload: sparse }, 'payload'],
    ['a payload with a number that is not a byte', { ...general, payload: [1, 256] }, 'payload'],
    ['a payload that is an object', { ...general, payload: { 0: 1 } }, 'payload'],
    ['no signature', { ...general, signature: [] }, 'signature'],
    ['a signature of 1,025 bytes', { ...general, signature: Array(1_025).fill(1) }, 'signature'],
    ['certificates', { ...response, certificates: [{}] }, 'certificates'],
    [
      'a request for certificates',
      { ...request, requestedCertificates: { certifiers: [identityKey], types: {} } },
      'requests certificates',
    ],
    [
      'a request for certificates that is a string',
      { ...request, requestedCertificates: 'all' },
      'requestedCertificates',
    ],
    ['more than 100,000 values', { ...general, more: Array(100_001).fill('') }, '100000 values'],
    ['more than 64 levels', { ...general, more: deep }, '64 levels'],
    ['more than 16 MiB', { ...general, more: 'x'.repeat(16 * 1024 * 1024) }, 'weigh more'],
    ['a payload of more than 4 MiB', { ...general, payload: Array(4_200_000).fill(1) }, 'weigh more'],
    ['a field name that is an attack', JSON.parse('{"version": "0.1", "__proto__": {}}'), '__proto__'],
    ['a binary attachment', { ...general, more: new Uint8Array(1) }, 'JSON does not have'],
  ])('%s breaks rule 9.1', (_what, message, text) => {
    expect(failureOf(message)).toMatchObject({
      name: 'ProtocolViolationError',
      rule: '9.1',
      detail: expect.stringContaining(text),
    });
  });
});

function failureOf(message: unknown): unknown {
  try {
    checkAuthMessage(message);
    return undefined;
  } catch (error) {
    return error;
  }
}
