import { Utils } from '@bsv/sdk';
import { parseJson } from '../wire/auth-message.js';
import { decodeUtf8, fromBase64 } from '../wire/bytes.js';
import { type LabelledBytes, LabelledBytesBuilder } from '../wire/labelled-bytes.js';
import type { ExplainSources } from './explain-signature.js';
import { code, type Step, text } from './steps.js';

/** An encrypted body, as @bsv/message-box-client writes it. */
export interface EncryptedBody {
  readonly ciphertext: Uint8Array;
  /** The other party of the encryption, where the message names one. */
  readonly counterparty: string | undefined;
}

/** How many encrypted bodies of one answer are explained. A list can hold hundreds. */
const MAX_BODIES = 10;
const MAX_DEPTH = 8;
/** AES-256-GCM in @bsv/sdk: the initialisation vector, the ciphertext, the authentication tag. */
const IV_BYTES = 32;
const TAG_BYTES = 16;
/** The key with which @bsv/message-box-client encrypts. */
const BODY_PROTOCOL: [1, string] = [1, 'messagebox'];
const BODY_KEY_ID = '1';

/** Finds encrypted bodies in a message of any shape: objects `{encryptedMessage}`, also as JSON inside texts. */
export function findEncryptedBodies(value: unknown): EncryptedBody[] {
  const found: EncryptedBody[] = [];
  const visit = (item: unknown, counterparty: string | undefined, depth: number): void => {
    if (depth > MAX_DEPTH || found.length > MAX_BODIES) return;
    if (typeof item === 'string') {
      if (item.includes('encryptedMessage')) visit(parseJson(item), counterparty, depth + 1);
    } else if (Array.isArray(item)) {
      for (const part of item as unknown[]) visit(part, counterparty, depth + 1);
    } else if (typeof item === 'object' && item !== null) {
      const { encryptedMessage, recipient, sender } = item as Readonly<Record<string, unknown>>;
      const named = [recipient, sender].find((key) => typeof key === 'string') as string | undefined;
      const ciphertext = typeof encryptedMessage === 'string' ? fromBase64(encryptedMessage) : undefined;
      if (ciphertext !== undefined) found.push({ ciphertext, counterparty });
      else for (const part of Object.values(item)) visit(part, named ?? counterparty, depth + 1);
    }
  };
  visit(value, undefined, 0);
  return found;
}

/** Explains each encrypted body, and what was in it where an identity of this page can decrypt it. */
export async function explainEncryption(
  bodies: readonly EncryptedBody[],
  direction: 'received' | 'sent',
  ownKey: string | undefined,
  sources: ExplainSources,
): Promise<Step[]> {
  const steps = await Promise.all(
    bodies.slice(0, MAX_BODIES).map((body) => explainBody(body, direction, ownKey, sources)),
  );
  if (bodies.length <= MAX_BODIES) return steps;
  return [
    ...steps,
    {
      title: 'More encrypted messages follow',
      text: `The inspector explains the first ${MAX_BODIES} of them.`,
      facts: [],
      verified: undefined,
    },
  ];
}

async function explainBody(
  { ciphertext, counterparty }: EncryptedBody,
  direction: 'received' | 'sent',
  ownKey: string | undefined,
  { calls, keys }: ExplainSources,
): Promise<Step> {
  const encrypted = calls.find('encrypt', ciphertext)[0];
  const decrypted = calls.find('decrypt', ciphertext).at(-1);
  const call = encrypted ?? decrypted;
  const peer = call?.counterparty ?? counterparty;
  const use = {
    protocolID: (call?.protocolID ?? BODY_PROTOCOL) as [0 | 1 | 2, string],
    keyID: call?.keyID ?? BODY_KEY_ID,
    counterparty: peer ?? 'self',
  };
  const identityKey = call?.identityKey ?? ownKey;
  // What the client worked on is known. Otherwise the wallet is asked.
  const plaintext =
    encrypted?.input?.bytes ??
    (decrypted?.error === undefined ? decrypted?.output?.bytes : undefined) ??
    (identityKey === undefined ? undefined : await keys.decrypt(identityKey, use, ciphertext));
  return {
    title: direction === 'sent' && encrypted !== undefined ? 'Your wallet encrypts the body' : 'The body is encrypted',
    text: 'The server cannot read the body: AES-256-GCM under a key that only sender and recipient can derive (BRC-2, with the keys of BRC-42). Protocol and key id are the same for all messages, so the pair of identities decides the key. The wire carries the ciphertext alone, in base64; the longer form of BRC-78 names the keys as well.',
    facts: [
      text('Security level and protocol', `${use.protocolID[0]}, ${use.protocolID[1]}`),
      text('Key id', use.keyID),
      code('Counterparty', peer ?? 'not known'),
      plaintext === undefined
        ? text('Decrypted', 'No identity of this page can decrypt it.')
        : code('Decrypted', describe(plaintext)),
    ],
    bytes: [{ title: 'Encrypted body', content: labelCiphertext(ciphertext) }],
    verified: plaintext === undefined ? (decrypted?.error === undefined ? undefined : false) : true,
  };
}

function labelCiphertext(ciphertext: Uint8Array): LabelledBytes {
  const tagAt = Math.max(IV_BYTES, ciphertext.length - TAG_BYTES);
  return new LabelledBytesBuilder()
    .add(
      ciphertext.subarray(0, IV_BYTES),
      'random',
      'initialisation vector',
      '32 random bytes, so that equal messages look different',
    )
    .add(ciphertext.subarray(IV_BYTES, tagAt), 'body', 'ciphertext', 'The message, as long as its plain text')
    .add(ciphertext.subarray(tagAt), 'mac', 'authentication tag', 'Decryption fails when one bit was changed')
    .build();
}

const describe = (plaintext: Uint8Array): string => decodeUtf8(plaintext) ?? Utils.toBase64([...plaintext]);
