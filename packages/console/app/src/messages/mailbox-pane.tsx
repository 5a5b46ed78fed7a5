import type { Signal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { CurrentIdentity } from '../identity/current-identity.js';
import { findName } from '../identity/kept-identities.js';
import { QrCode } from '../identity/qr-code.js';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { KeyText } from '../ui/key-text.js';
import { ComposeForm } from './compose-form.js';
import { ConnectionBadge } from './connection-badge.js';
import { ConnectionNotice } from './connection-notice.js';
import { Mailbox } from './mailbox.js';
import { MessageList } from './message-list.js';

export interface MailboxPaneProps {
  readonly identity: CurrentIdentity;
  readonly messageBox: string;
  /** To whom the next message goes. */
  readonly recipient: Signal<string>;
}

/** One identity at work: its key, what it writes and what it gets. */
export function MailboxPane({ identity, messageBox, recipient }: MailboxPaneProps) {
  const [isShowingCode, setIsShowingCode] = useState(false);
  const mailbox = useMemo(() => new Mailbox(identity, messageBox), [identity, messageBox]);
  useEffect(() => {
    mailbox.open();
    return () => mailbox.close();
  }, [mailbox]);
  const status = mailbox.connection.status.value;
  const name = identity.kind === 'wallet' ? 'Your wallet' : (findName(identity.identityKey) ?? 'Your identity');
  return (
    <section class="pane" aria-label={name}>
      <div class="card stack pane-top">
        <div class="pane-head">
          <h2>{name}</h2>
          <ConnectionBadge status={status} />
        </div>
        <div class="row pane-key">
          <KeyText value={identity.identityKey} what={`key of ${name}`} />
          <Button size="small" kind="quiet" onClick={() => setIsShowingCode(true)} label={`QR code of ${name}`}>
            QR code
          </Button>
        </div>
        <ComposeForm key={identity.identityKey} mailbox={mailbox} recipient={recipient} />
      </div>
      <div class="card pane-list stack">
        <ConnectionNotice status={status} />
        <MessageList
          mailbox={mailbox}
          onReply={(sender) => {
            recipient.value = sender;
          }}
        />
      </div>
      {isShowingCode && (
        <Dialog title={`Key of ${name}`} onClose={() => setIsShowingCode(false)}>
          <QrCode text={identity.identityKey} label={`QR code of the key of ${name}`} />
          <KeyText value={identity.identityKey} what={`key of ${name}`} full />
        </Dialog>
      )}
    </section>
  );
}
