import type { Network } from '@messagebox/shared';
import { isServiceAd } from './service-ad.js';
import type { TokenSignatures } from './token-signatures.js';
import type { OverlayTopic } from './token-topic.js';

const documentation = `# tm_slap

Holds unspent SLAP advertisements (BRC-88): "this host serves this lookup service".

An output is admitted when it is a PushDrop token, key first, with exactly five fields:

1. \`SLAP\`;
2. the identity key: 33 bytes, a compressed point;
3. the host: a URL of at most 255 bytes, https and public on main and test, without credentials, query or fragment;
4. the name of the lookup service, which begins with \`ls_\` (BRC-87);
5. the identity's signature over the four, made for protocol \`[2, 'service lookup availability']\`, key id \`1\`, counterparty
   \`anyone\`.

It must be locked to the identity's key of the same derivation. Spending it revokes the advertisement.
`;

/** `tm_slap`: which hosts serve which lookup services. */
export function slapTopic(network: Network, signatures: TokenSignatures): OverlayTopic {
  const description = { name: 'tm_slap', shortDescription: 'Which hosts serve which lookup services.', documentation };
  return { description, isToken: (script) => isServiceAd(script, 'SLAP', network, signatures) };
}
