import { Utils } from '@bsv/sdk';
import { fromBase64, toHex } from '../wire/bytes.js';
import { type LabelledBytes, LabelledBytesBuilder } from '../wire/labelled-bytes.js';
import type { ExplainSources } from './explain-signature.js';
import { code, type Step, text } from './steps.js';

const RANDOM_BYTES = 16;
const NONCE_PROTOCOL: [2, string] = [2, 'server hmac'];

/** Names the parts of a session nonce that a client has made: 16 random bytes, and an HMAC of them. */
export function labelClientNonce(nonce: string): LabelledBytes {
  const bytes = fromBase64(nonce) ?? new Uint8Array();
  return new LabelledBytesBuilder()
    .add(bytes.subarray(0, RANDOM_BYTES), 'random', 'random', '16 random bytes')
    .add(
      bytes.subarray(RANDOM_BYTES),
      'mac',
      'HMAC',
      'HMAC-SHA256 of the random bytes, under a key that only your wallet can derive',
    )
    .build();
}

const SERVER_NONCE_BYTES = 48;
const SERVER_NONCE_FORMAT = 2;

/** Names the parts of a session nonce that this server has made. Nonces of other servers are one part. */
export function labelServerNonce(nonce: string): LabelledBytes {
  const bytes = fromBase64(nonce) ?? new Uint8Array();
  if (bytes.length !== SERVER_NONCE_BYTES || bytes[0] !== SERVER_NONCE_FORMAT) {
    return new LabelledBytesBuilder().add(bytes, 'nonce', 'nonce', 'The server’s nonce').build();
  }
  const issuedAt = bytes.subarray(2, 8).reduce((time, byte) => time * 256 + byte, 0);
  return new LabelledBytesBuilder()
    .add(bytes.subarray(0, 1), 'length', 'format', 'The format of the nonce')
    .add(bytes.subarray(1, 2), 'id', 'key', 'Which of the server’s keys made the code at the end')
    .add(bytes.subarray(2, 8), 'time', 'issued at', new Date(issuedAt).toISOString())
    .add(bytes.subarray(8, 24), 'random', 'random', '16 random bytes')
    .add(
      bytes.subarray(24),
      'mac',
      'code',
      'Proves that this server made the nonce, for your identity, without a look-up',
    )
    .build();
}

/** Explains how this page made its session nonce, and proves that it is its own. */
export async function explainOwnNonce(
  nonce: string,
  ownKey: string | undefined,
  { calls, keys }: ExplainSources,
): Promise<Step> {
  const content = labelClientNonce(nonce);
  const { random, hmac } = split(content);
  const made = calls.find('createHmac', hmac)[0];
  const identityKey = ownKey ?? made?.identityKey;
  const keyID = Utils.toUTF8([...random]);
  const use = { protocolID: NONCE_PROTOCOL, keyID, counterparty: 'self' };
  const checked = identityKey === undefined ? undefined : await keys.verifyHmac(identityKey, use, random, hmac);
  return {
    title: 'Your client makes a session nonce',
    text: 'A nonce is a number that is used once. This one is random, followed by an HMAC under a key that only your wallet can derive. So your client can tell later, without keeping a list, that an answer belongs to a session that it began itself.',
    facts: [
      code('Session nonce', nonce),
      text('Key of the HMAC', '2-server hmac-(the random bytes as text), counterparty: self'),
      text('Your wallet', made === undefined ? 'The call is not in the log any more.' : 'It made this HMAC.'),
      text(
        'Checked by the inspector',
        checked === undefined
          ? 'Not possible: the identity is not in this page.'
          : checked
            ? 'The HMAC is right.'
            : 'The HMAC is wrong.',
      ),
    ],
    bytes: [{ title: 'Your session nonce', content }],
    verified: checked ?? (made === undefined ? undefined : made.error === undefined),
  };
}

/** Explains the check that a message belongs to a session which this page began. */
export function explainNonceCheck(nonce: string, { calls }: ExplainSources): Step {
  const { hmac } = split(labelClientNonce(nonce));
  const checks = calls.find('verifyHmac', hmac);
  const last = checks.at(-1);
  return {
    title: 'The message belongs to your session',
    text: 'The message names the session nonce that your client made. Your wallet computes its HMAC again: only a nonce of its own passes. A recorded answer of another session would be refused here.',
    facts: [
      code('Your session nonce', nonce),
      code('HMAC in the nonce', toHex(hmac)),
      text(
        'Your wallet',
        last === undefined
          ? 'It was not asked to verify this nonce (yet).'
          : last.valid === true
            ? 'It recognised its own nonce.'
            : 'It did not recognise the nonce.',
      ),
    ],
    verified: last?.valid,
  };
}

function split({ bytes }: LabelledBytes): { random: Uint8Array; hmac: Uint8Array } {
  return { random: bytes.subarray(0, RANDOM_BYTES), hmac: bytes.subarray(RANDOM_BYTES) };
}
