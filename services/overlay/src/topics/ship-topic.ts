import type { Network } from '@messagebox/shared';
import { isServiceAd } from './service-ad.js';
import type { TokenSignatures } from './token-signatures.js';
import type { OverlayTopic } from './token-topic.js';

const documentation = `# tm_ship

Holds unspent SHIP advertisements (BRC-88): "this host serves this topic".

An output is admitted when it is a PushDrop token, key first, with exactly five fields:

1. \`SHIP\`;
2. the identity key: 33 bytes, a compressed point;
3. the host: a URL of at most 255 bytes, https and public on main and test, without credentials, query or fragment;
4. the name of the topic, which begins with \`tm_\` (BRC-87);
5. the identity's signature over the four, made for protocol \`[2, 'service host interconnect']\`, key id \`1\`, counterparty
   \`anyone\`.

It must be locked to the identity's key of the same derivation. Spending it revokes the advertisement.
`;

/** `tm_ship`: which hosts serve which topics. */
export function shipTopic(network: Network, signatures: TokenSignatures): OverlayTopic {
  const description = { name: 'tm_ship', shortDescription: 'Which hosts serve which topics.', documentation };
  return { description, isToken: (script) => isServiceAd(script, 'SHIP', network, signatures) };
}
