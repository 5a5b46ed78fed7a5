import { serverNow } from '../api/server-clock.js';
import { findName } from '../identity/kept-identities.js';
import { Button } from '../ui/button.js';
import { formatListTime } from '../ui/format.js';
import { shortenKey } from '../ui/key-text.js';
import type { MailMessage } from './mail-message.js';
import type { Mailbox } from './mailbox.js';

/** As much of a text as a row can show. */
const MAX_SHOWN = 300;

export interface MessageRowProps {
  readonly mailbox: Mailbox;
  readonly message: MailMessage;
  readonly onOpen: () => void;
  readonly onAcknowledge: () => void;
}

/** One message in the list. Its text is decrypted when the row is first shown. */
export function MessageRow({ mailbox, message, onOpen, onAcknowledge }: MessageRowProps) {
  const { state, text, isEncrypted, payment } = mailbox.reader.read(message).value;
  const from = findName(message.sender) ?? shortenKey(message.sender);
  return (
    <div class="message-row">
      <button type="button" class="message-open" onClick={onOpen}>
        <span class="message-from">
          <span class="strong">{message.sender === mailbox.identity.identityKey ? 'You' : from}</span>
          {!isEncrypted && <span class="tag">not encrypted</span>}
          {payment !== undefined && <span class="tag">payment</span>}
          <time class="quiet" dateTime={new Date(message.storedAt).toISOString()}>
            {formatListTime(message.storedAt, serverNow())}
          </time>
        </span>
        <span class="message-text">
          {state === 'reading' && <span class="quiet">Decrypting …</span>}
          {state === 'failed' && <span class="danger">This could not be decrypted.</span>}
          {state === 'read' && text.slice(0, MAX_SHOWN)}
        </span>
      </button>
      <Button size="small" kind="quiet" onClick={onAcknowledge} label={`Acknowledge the message of ${from}`}>
        Acknowledge
      </Button>
    </div>
  );
}
