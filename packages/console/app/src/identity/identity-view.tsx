import { NotifyCard } from '../notifications/notify-card.js';
import { KeyText } from '../ui/key-text.js';
import { useCurrentIdentity } from './current-identity.js';
import { KeptList } from './kept-list.js';
import { QrCode } from './qr-code.js';
import { ServerCard } from './server-card.js';
import { WalletCard } from './wallet-card.js';

/** The page about who acts in this tab. */
export default function IdentityView() {
  const identity = useCurrentIdentity();
  return (
    <div class="stack">
      <div class="view-head">
        <h1>Identity</h1>
      </div>
      <section class="card key-card" aria-labelledby="identity-key">
        <div class="stack">
          <h2 id="identity-key">Your identity key</h2>
          <p class="quiet">
            Others send messages to this key, and only you can read them. It is public: give it to whom you like.
          </p>
          {identity === undefined ? <p>Making your key …</p> : <KeyText value={identity.identityKey} full />}
        </div>
        {identity && <QrCode text={identity.identityKey} label="QR code of your identity key" />}
      </section>
      <KeptList />
      <NotifyCard />
      <WalletCard />
      <ServerCard />
    </div>
  );
}
