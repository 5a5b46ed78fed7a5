import { shortenKey } from '../ui/key-text.js';

/** Leads to the page about an identity. */
export function IdentityLink({ identityKey }: { readonly identityKey: string }) {
  return (
    <a href={`#/operator/identities/${identityKey}`} title={identityKey}>
      <code>{shortenKey(identityKey)}</code>
    </a>
  );
}
