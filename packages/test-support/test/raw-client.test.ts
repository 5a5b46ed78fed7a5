import { AuthFetch, CompletedProtoWallet, PrivateKey } from '@bsv/sdk';
import { encodeRequestPayload, type Header, RawClient, Session } from '@messagebox/test-support/raw-client';

/** The raw client is a second implementation; these hold it against the first. */
const privateKey = PrivateKey.fromRandom();
const raw = new RawClient(Uint8Array.from(privateKey.toArray('be', 32)));
const wallet = new CompletedProtoWallet(privateKey);
const server = new RawClient();

interface Serializer {
  serializeRequest(
    method: string,
    headers: Record<string, string>,
    body: unknown,
    url: URL,
    requestNonce: number[],
  ): Promise<{ toArray(): number[] }>;
}

test('is the same identity as the SDK', () => {
  expect(raw.identityKey).toBe(privateKey.toPublicKey().toString());
});

test.each<[string, string, readonly Header[], string | undefined]>([
  ['POST', '/sendMessage', [['content-type', 'application/json']], '{"message":{}}'],
  ['POST', '/a/b?c=d&e=%20', [['content-type', 'application/json']], 'x'.repeat(70_000)],
  ['GET', '/permissions/list?a=1', [], undefined],
  [
    'GET',
    '/devices',
    [
      ['x-bsv-b', '2'],
      ['x-bsv-a', '1'],
      ['authorization', 'Bearer x'],
    ],
    undefined,
  ],
])('signs %s %s as the SDK does', async (method, path, headers, body) => {
  const requestId = Array.from({ length: 32 }, (_, i) => i);
  const fetcher = new AuthFetch(wallet) as unknown as Serializer;
  const url = new URL(`http://127.0.0.1${path}`);
  const expected = await fetcher.serializeRequest(method, Object.fromEntries(headers), body, url, requestId);
  const actual = encodeRequestPayload(
    Uint8Array.from(requestId),
    method,
    path,
    headers,
    (body && Buffer.from(body)) || undefined,
  );
  expect(actual).toEqual(Buffer.from(expected.toArray()));
});

test('its signatures verify in the SDK, under the key of their nonces', async () => {
  const serverWallet = new CompletedProtoWallet(PrivateKey.fromHex(Buffer.from(server.privateKey).toString('hex')));
  const session = new Session(raw, server.identityKey, 'c2VydmVy', 'Y2xpZW50');
  const frame = session.event('joinRoom', 'room') as { payload: number[]; signature: number[]; nonce: string };
  const verify = (keyID: string) =>
    serverWallet.verifySignature({
      data: frame.payload,
      signature: frame.signature,
      protocolID: [2, 'auth message signature'],
      keyID,
      counterparty: raw.identityKey,
    });
  expect(await verify(`${frame.nonce} c2VydmVy`)).toEqual({ valid: true });
  await expect(verify(`${frame.nonce} Y2xpZW50`)).rejects.toThrow();
});
