import type { Network } from '@messagebox/shared';
import { isServiceAd, SERVICE_PROTOCOLS, type ServiceAd } from './service-ad.js';
import type { TokenSignatures } from './token-signatures.js';
import type { OverlayTopic } from './token-topic.js';

/** The words that differ between the two topics. */
const TEXTS = {
  SHIP: { name: 'tm_ship', served: 'topic', prefix: 'tm_' },
  SLAP: { name: 'tm_slap', served: 'lookup service', prefix: 'ls_' },
} as const;

/** Creates `tm_ship`, which holds the hosts of topics, or `tm_slap`, which holds the hosts of lookup services (BRC-88). */
export function createServiceTopic(
  protocol: ServiceAd['protocol'],
  network: Network,
  signatures: TokenSignatures,
): OverlayTopic {
  const { name, served } = TEXTS[protocol];
  return {
    description: {
      name,
      shortDescription: `Which hosts serve which ${served}s.`,
      documentation: writeDocumentation(protocol),
    },
    isToken: (script) => isServiceAd(script, protocol, network, signatures),
  };
}

function writeDocumentation(protocol: ServiceAd['protocol']): string {
  const { name, served, prefix } = TEXTS[protocol];
  return `# ${name}

Holds unspent ${protocol} advertisements (BRC-88): "this host serves this ${served}".

An output is admitted when it is a PushDrop token, key first, with exactly five fields:

1. \`${protocol}\`;
2. the identity key: 33 bytes, a compressed point;
3. the host: a URL of at most 255 bytes, https and public on main and test, without credentials, query or fragment;
4. the name of the ${served}, which begins with \`${prefix}\` (BRC-87);
5. the identity's signature over the four, made for protocol \`[2, '${SERVICE_PROTOCOLS[protocol].protocol}']\`, key id \`1\`, counterparty
   \`anyone\`.

It must be locked to the identity's key of the same derivation. Spending it revokes the advertisement.
`;
}
