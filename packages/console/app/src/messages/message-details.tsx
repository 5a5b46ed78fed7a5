import { findName } from '../identity/kept-identities.js';
import { Button } from '../ui/button.js';
import { CopyButton } from '../ui/copy-button.js';
import { Dialog } from '../ui/dialog.js';
import { formatBytes, formatFullTime } from '../ui/format.js';
import { KeyText } from '../ui/key-text.js';
import { Notice } from '../ui/notice.js';
import type { MailMessage } from './mail-message.js';
import type { Mailbox } from './mailbox.js';

/** More of a body would make the page slow. */
const MAX_SHOWN = 20_000;

export interface MessageDetailsProps {
  readonly mailbox: Mailbox;
  readonly message: MailMessage;
  readonly onReply: () => void;
  readonly onAcknowledge: () => void;
  readonly onClose: () => void;
}

/** Everything that is known of a message. */
export function MessageDetails({ mailbox, message, onReply, onAcknowledge, onClose }: MessageDetailsProps) {
  const { state, text, isEncrypted, payment } = mailbox.reader.read(message).value;
  const name = findName(message.sender);
  return (
    <Dialog
      title="Message"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onReply}>Reply</Button>
          <Button kind="primary" onClick={onAcknowledge}>
            Acknowledge
          </Button>
        </>
      }
    >
      {state === 'failed' ? (
        <Notice tone="warning" title="This could not be decrypted.">
          <p>It was encrypted for somebody else, or in a way that the console does not know.</p>
        </Notice>
      ) : (
        <div class="message-body">{state === 'reading' ? 'Decrypting …' : shorten(text)}</div>
      )}
      {payment !== undefined && (
        <Notice tone="warning" title="A payment came along.">
          <p>
            Acknowledging deletes the message with its payment. Take the payment first, with the application that it is
            for.
          </p>
        </Notice>
      )}
      <dl class="facts">
        <dt>From</dt>
        <dd>
          {name !== undefined && <span class="strong">{name} </span>}
          <KeyText value={message.sender} what="sender’s key" />
        </dd>
        <dt>Box</dt>
        <dd>{mailbox.messageBox}</dd>
        <dt>Stored</dt>
        <dd>{formatFullTime(message.storedAt)}</dd>
        <dt>Encrypted</dt>
        <dd>{isEncrypted ? 'yes: the server has seen only what is below' : 'no: the server can read it'}</dd>
        <dt>Id</dt>
        <dd class="key">
          <code>{message.messageId}</code>
          <CopyButton text={message.messageId} what="message id" />
        </dd>
      </dl>
      <details>
        <summary>As it is stored, {formatBytes(new TextEncoder().encode(message.body).length)}</summary>
        <div class="message-body mono">{shorten(message.body)}</div>
      </details>
    </Dialog>
  );
}

function shorten(text: string): string {
  return text.length <= MAX_SHOWN
    ? text
    : `${text.slice(0, MAX_SHOWN)} … and ${text.length - MAX_SHOWN} characters more`;
}
