import type { InitialRequest, InitialResponse } from '../wire/auth-message.js';
import { fromBase64 } from '../wire/bytes.js';
import { type LabelledBytes, LabelledBytesBuilder } from '../wire/labelled-bytes.js';
import { explainNonceCheck, explainOwnNonce, labelServerNonce } from './explain-nonce.js';
import { type ExplainSources, explainSignature } from './explain-signature.js';
import { code, type Step, text } from './steps.js';

/** Explains the first message of a handshake (BRC-103). */
export async function explainInitialRequest(
  message: InitialRequest,
  sender: 'own' | 'peer',
  sources: ExplainSources,
): Promise<Step[]> {
  if (sender === 'peer') {
    return [
      {
        title: 'The server asks for a new session',
        text: 'The server sends its identity and a new nonce on a connection that is already verified. It renews the session this way before the client forgets it, and learns from the answer that the client has worked off all frames before.',
        facts: [code('Identity of the server', message.identityKey), code('Nonce of the server', message.initialNonce)],
        bytes: [{ title: 'Nonce of the server', content: labelServerNonce(message.initialNonce) }],
        verified: undefined,
      },
    ];
  }
  return [
    await explainOwnNonce(message.initialNonce, message.identityKey, sources),
    {
      title: 'Your client introduces itself',
      text: 'The initialRequest says who you are and names the session nonce. It is not signed yet, and gives no rights: only who has the private key can use the session that follows.',
      facts: [code('Your identity', message.identityKey), code('Session nonce', message.initialNonce)],
      verified: undefined,
    },
  ];
}

/** Explains the answer to it, and its signature. */
export async function explainInitialResponse(
  message: InitialResponse,
  sender: 'own' | 'peer',
  ownKey: string | undefined,
  sources: ExplainSources,
): Promise<Step[]> {
  const isOwn = sender === 'own';
  const signature = await explainSignature(
    {
      subject: 'the handshake',
      data: labelNonces(message, isOwn),
      signature: message.signature,
      keyID: `${message.yourNonce} ${message.initialNonce}`,
      keyIDParts: isOwn ? 'the server’s nonce, your session nonce' : 'your session nonce, the server’s nonce',
      signer: sender,
      ownKey: isOwn ? message.identityKey : ownKey,
      peerKey: isOwn ? undefined : message.identityKey,
    },
    sources,
  );
  const signed = text('What is signed', 'The bytes of both nonces, one after the other.');
  if (isOwn) {
    return [
      await explainOwnNonce(message.initialNonce, message.identityKey, sources),
      {
        title: 'Your client answers the server',
        text: 'The initialResponse names a new session nonce of your client and repeats the server’s, so that it cannot be an old answer.',
        facts: [
          code('Your session nonce', message.initialNonce),
          code('Nonce of the server', message.yourNonce),
          signed,
        ],
        verified: undefined,
      },
      ...signature,
    ];
  }
  return [
    {
      title: 'The server answers with its own nonce',
      text: 'The initialResponse names the server’s identity and a nonce of its own, and repeats yours, so that it cannot be an old answer. Each later request names the server’s nonce: that is the session.',
      facts: [
        code('Identity of the server', message.identityKey),
        code('Nonce of the server', message.initialNonce),
        code('Your session nonce', message.yourNonce),
        signed,
      ],
      bytes: [{ title: 'Nonce of the server', content: labelServerNonce(message.initialNonce) }],
      verified: undefined,
    },
    explainNonceCheck(message.yourNonce, sources),
    ...signature,
  ];
}

function labelNonces({ yourNonce, initialNonce }: InitialResponse, isOwn: boolean): LabelledBytes {
  const decode = (nonce: string) => fromBase64(nonce) ?? new Uint8Array();
  return new LabelledBytesBuilder()
    .add(decode(yourNonce), 'nonce', isOwn ? 'nonce of the server' : 'your session nonce', yourNonce)
    .add(decode(initialNonce), 'random', isOwn ? 'your session nonce' : 'nonce of the server', initialNonce)
    .build();
}
