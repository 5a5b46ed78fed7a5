import type { WalletCall, WalletLog } from '../observe/wallet-log.js';
import { sha256, toHex } from '../wire/bytes.js';
import type { LabelledBytes } from '../wire/labelled-bytes.js';
import { checkSignature, findDifference, labelSignature } from './check-signature.js';
import type { KeyRing } from './key-ring.js';
import { code, type Fact, type Step, text } from './steps.js';

/** What explanations draw on. */
export interface ExplainSources {
  readonly calls: WalletLog;
  readonly keys: KeyRing;
}

/** A signature of BRC-103, and what it should cover. */
export interface SignatureToExplain {
  /** What is signed, in words that fit `the bytes of …`. */
  readonly subject: string;
  readonly data: LabelledBytes;
  /** DER. */
  readonly signature: Uint8Array;
  readonly keyID: string;
  /** What the key id is made of, in words. */
  readonly keyIDParts: string;
  readonly signer: 'own' | 'peer';
  /** The identity of this page, where known. */
  readonly ownKey: string | undefined;
  /** The other side's identity, where known. */
  readonly peerKey: string | undefined;
}

const PROTOCOL: [2, string] = [2, 'auth message signature'];
export const INVOICE_PREFIX = '2-auth message signature-';

/** Explains the derived key and the signature: two steps. The second says whether the signature is right. */
export async function explainSignature(given: SignatureToExplain, { calls, keys }: ExplainSources): Promise<Step[]> {
  const { signer, signature, data, keyID, keyIDParts, subject } = given;
  const isOwn = signer === 'own';
  const call = calls.find(isOwn ? 'createSignature' : 'verifySignature', signature)[0];
  const ownKey =
    given.ownKey ?? call?.identityKey ?? (keys.identityKeys.length === 1 ? keys.identityKeys[0] : undefined);
  const peerKey = given.peerKey ?? call?.counterparty;
  const derived =
    ownKey === undefined || peerKey === undefined
      ? undefined
      : await keys.derivePublicKey(
          ownKey,
          { protocolID: PROTOCOL, keyID, counterparty: peerKey },
          isOwn ? 'own' : 'counterparty',
        );
  const checked =
    derived === undefined || data.missingBytes > 0 ? undefined : checkSignature(data.bytes, signature, derived);

  const deriveStep: Step = {
    title: isOwn ? 'Your key for this message is derived' : 'The server’s key for this message is derived',
    text: isOwn
      ? 'Your identity key never signs by itself. Your wallet combines your private key with the server’s identity key to a secret that only you two share, and shifts your key by an HMAC of the invoice number under that secret (BRC-42). The invoice number names protocol and key id (BRC-43); the key id holds two nonces, so that no two messages have the same key.'
      : 'The server signs with a key that it derives for you and for this message alone. Your wallet computes the public half of it from the server’s identity key and the secret that you share (BRC-42), without any key of the server being sent. The key id holds two nonces (BRC-43), so that no two messages have the same key.',
    facts: [
      code(isOwn ? 'Signer (you)' : 'Signer (server)', (isOwn ? ownKey : peerKey) ?? 'not known'),
      code(isOwn ? 'Counterparty (server)' : 'Counterparty (you)', (isOwn ? peerKey : ownKey) ?? 'not known'),
      text('Security level and protocol', '2, auth message signature'),
      code(`Key id (${keyIDParts})`, keyID),
      code('Invoice number', INVOICE_PREFIX + keyID),
      derived === undefined
        ? text('Derived public key', 'The identity that could derive it is not in this page any more.')
        : code('Derived public key', derived),
    ],
    verified: undefined,
  };

  const difference = call?.input && findDifference(data, call.input);
  const isSame = call?.input === undefined ? undefined : difference === undefined;
  const hash = data.missingBytes > 0 ? undefined : await sha256(data.bytes);
  const signStep: Step = {
    title: isOwn ? 'Your wallet signs' : 'The server’s signature is verified',
    text: isOwn
      ? `Your wallet signed the bytes of ${subject}: ECDSA over their SHA-256. The inspector checks the signature against the bytes that it saw on the wire.`
      : `Your wallet verified the signature over the bytes of ${subject}. If a single bit had been changed on the way, or somebody else had answered, it would not match. The inspector checks it once more, over the bytes that it saw on the wire.`,
    facts: [
      ...(hash === undefined ? [] : [code('SHA-256 of the bytes', toHex(hash))]),
      code('Signature (DER)', toHex(signature)),
      describeWallet(isOwn, call),
      ...describeSameness(isOwn, call, data, difference),
      text('Checked by the inspector', describeCheck(checked, data)),
    ],
    bytes: [
      { title: `Signed: ${subject}`, content: data },
      { title: `Signature of ${subject}`, content: labelSignature(signature) },
    ],
    verified: decide(isOwn, checked, call, isSame),
  };
  return [deriveStep, signStep];
}

/** The inspector's own check counts most; without it, what the wallet said. Another signed content is never right. */
function decide(
  isOwn: boolean,
  checked: boolean | undefined,
  call: WalletCall | undefined,
  isSame: boolean | undefined,
): boolean | undefined {
  if (isSame === false || checked === false) return false;
  if (!isOwn && call?.valid === false) return false;
  if (checked === true) return true;
  if (call === undefined) return undefined;
  return isOwn ? call.error === undefined : call.valid;
}

function describeWallet(isOwn: boolean, call: WalletCall | undefined): Fact {
  const label = 'Your wallet';
  if (call === undefined) {
    return text(
      label,
      isOwn ? 'The call is not in the log any more.' : 'It was not asked to verify this signature (yet).',
    );
  }
  if (isOwn) return text(label, 'It made this signature.');
  return text(label, call.valid === true ? 'It accepted the signature.' : 'It refused the signature.');
}

function describeSameness(
  isOwn: boolean,
  call: WalletCall | undefined,
  data: LabelledBytes,
  difference: ReturnType<typeof findDifference>,
): Fact[] {
  if (call?.input === undefined) return [];
  const did = isOwn ? 'signed' : 'verified';
  if (difference === undefined) {
    return [text('Same bytes', `Yes: what the wallet ${did} is what was seen on the wire.`)];
  }
  const where = difference.range === undefined ? 'after the end' : `in “${difference.range.label}”`;
  return [
    text(
      'Same bytes',
      `No: what the wallet ${did} (${call.input.totalBytes ?? 'unknown'} bytes) differs from what was seen on the wire (${data.bytes.length + data.missingBytes} bytes) from byte ${difference.offset} on, ${where}.`,
    ),
  ];
}

function describeCheck(checked: boolean | undefined, data: LabelledBytes): string {
  if (checked === true) return 'The signature is right.';
  if (checked === false) return 'The signature does not match these bytes.';
  return data.missingBytes > 0
    ? 'Not possible: the body is longer than what the inspector keeps.'
    : 'Not possible: the keys that it takes are not in this page.';
}
