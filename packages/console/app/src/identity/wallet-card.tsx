import { useState } from 'preact/hooks';
import { Button } from '../ui/button.js';
import { Notice } from '../ui/notice.js';
import { useCurrentIdentity } from './current-identity.js';
import { actAsWallet } from './switch-identity.js';

/** Offers to act as the wallet of this machine. Nothing is asked before the visitor wants it. */
export function WalletCard() {
  const identity = useCurrentIdentity();
  const [state, setState] = useState<'idle' | 'asking' | 'failed'>('idle');
  const connect = async () => {
    setState('asking');
    try {
      await actAsWallet();
      setState('idle');
    } catch {
      setState('failed');
    }
  };
  return (
    <section class="card stack" aria-labelledby="wallet">
      <h2 id="wallet">Use your wallet instead</h2>
      {identity?.kind === 'wallet' ? (
        <p>This tab acts as the wallet of this machine. It signs, encrypts and pays, and its key never comes here.</p>
      ) : (
        <>
          <p class="quiet">
            A BRC-100 wallet on this machine can act for you. It keeps its key to itself, asks you before it signs, and
            can pay for messages that cost something.
          </p>
          <div>
            <Button onClick={connect} disabled={state === 'asking'}>
              {state === 'asking' ? 'Asking the wallet …' : 'Connect a wallet'}
            </Button>
          </div>
        </>
      )}
      {state === 'failed' && (
        <Notice tone="warning" title="No wallet answered.">
          <p>
            Start a BRC-100 wallet on this machine, unlock it, and try again. If it asked you and you refused, nothing
            has changed: this tab goes on as before.
          </p>
        </Notice>
      )}
    </section>
  );
}
