import type { Network } from '@messagebox/shared';
import { isMessageBoxAd } from './message-box-ad.js';
import type { TokenSignatures } from './token-signatures.js';
import type { OverlayTopic } from './token-topic.js';

const documentation = `# tm_messagebox

Holds unspent message box advertisements: "this identity receives messages at this host".

An output is admitted when it is a PushDrop token, key first, with exactly three fields:

1. the identity key: 33 bytes, a compressed point;
2. the host: a URL of at most 255 bytes, https and public on main and test, without credentials, query or fragment;
3. the identity's signature over the two, made for protocol \`[1, 'messagebox advertisement']\`, key id \`1\`, counterparty
   \`anyone\`.

It must be locked to the identity's key of the same derivation. Spending it revokes the advertisement.
`;

/** Creates `tm_messagebox`, which holds message box advertisements. */
export function createMessageBoxTopic(network: Network, signatures: TokenSignatures): OverlayTopic {
  const description = {
    name: 'tm_messagebox',
    shortDescription: 'Where identities receive their messages.',
    documentation,
  };
  return { description, isToken: (script) => isMessageBoxAd(script, network, signatures) };
}
