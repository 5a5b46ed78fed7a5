import type { Signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { type Explanation, explainError } from '../api/explain-error.js';
import { serverNow } from '../api/server-clock.js';
import { findKeyProblem } from '../identity/identity-key.js';
import { keptIdentities } from '../identity/kept-identities.js';
import { Button } from '../ui/button.js';
import { Field, TextField } from '../ui/field.js';
import { formatTime } from '../ui/format.js';
import { Notice } from '../ui/notice.js';
import type { Mailbox } from './mailbox.js';
import { QuoteLine } from './quote-line.js';
import { sendMessage } from './send-message.js';
import { useQuote } from './use-quote.js';

export interface ComposeFormProps {
  readonly mailbox: Mailbox;
  /** Shared with who wants to fill it in, to answer a message for example. */
  readonly recipient: Signal<string>;
}

/** Writes and sends a message. It goes into the box of the same name at the recipient. */
export function ComposeForm({ mailbox, recipient }: ComposeFormProps) {
  const { identity, messageBox } = mailbox;
  const [text, setText] = useState('');
  const [isEncrypted, setIsEncrypted] = useState(true);
  const [isSending, setIsSending] = useState(false);
  const [wasTried, setWasTried] = useState(false);
  const [problem, setProblem] = useState<Explanation>();
  const [sentAt, setSentAt] = useState<number>();
  const to = recipient.value.trim().toLowerCase();
  const [quote, askAgain] = useQuote(identity, to, messageBox);
  const keyProblem = findKeyProblem(to);
  const others = keptIdentities.value.filter(
    ({ identityKey }) => identityKey !== identity.identityKey && identityKey !== to,
  );
  const submit = async () => {
    setWasTried(true);
    setProblem(undefined);
    setSentAt(undefined);
    if (keyProblem !== undefined || text.trim() === '') return;
    const price = quote.kind === 'known' ? quote.quote : { deliveryFee: 0, recipientFee: 0 };
    if (price.deliveryFee + price.recipientFee > 0 && identity.kind !== 'wallet') {
      setProblem({
        title: 'This identity has no money for it.',
        advice: 'Connect a wallet on the page Identity to pay.',
      });
      return;
    }
    setIsSending(true);
    try {
      await sendMessage(mailbox, { recipient: to, messageBox, text, isEncrypted }, price);
      // What was written meanwhile is the next message.
      setText((current) => (current === text ? '' : current));
      setWasTried(false);
      setSentAt(serverNow());
    } catch (error) {
      setProblem(explainError(error));
      askAgain();
    } finally {
      setIsSending(false);
    }
  };
  return (
    <form
      class="compose stack"
      aria-label="New message"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <TextField
        label="To"
        mono
        value={recipient.value}
        placeholder="Identity key, 66 characters"
        error={wasTried ? keyProblem : undefined}
        onInput={(value) => {
          recipient.value = value;
        }}
      />
      {others.length > 0 && (
        <div class="row recipients">
          <span class="quiet small">Here in this browser:</span>
          {others.map(({ identityKey, name }) => (
            <Button
              key={identityKey}
              size="small"
              onClick={() => {
                recipient.value = identityKey;
              }}
            >
              {name}
            </Button>
          ))}
        </div>
      )}
      <Field
        label="Message"
        error={wasTried && text.trim() === '' && !isSending ? 'A message needs a text.' : undefined}
      >
        {(control) => (
          <textarea
            {...control}
            rows={2}
            value={text}
            onFocus={askAgain}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        )}
      </Field>
      <div class="compose-end">
        <label class="choice">
          <input
            type="checkbox"
            checked={isEncrypted}
            onChange={(event) => setIsEncrypted(event.currentTarget.checked)}
          />
          <span>
            Encrypt
            <span class="field-help block">
              {isEncrypted ? 'Only the recipient can read it.' : 'The server can read it.'}
            </span>
          </span>
        </label>
        <Button kind="primary" type="submit" disabled={isSending}>
          {isSending ? 'Sending …' : 'Send'}
        </Button>
      </div>
      <div class="compose-foot">
        <QuoteLine state={quote} canPay={identity.kind === 'wallet'} />
        <p class="sent small" role="status">
          {sentAt !== undefined && `Stored by the server at ${formatTime(sentAt)}.`}
        </p>
      </div>
      {problem !== undefined && (
        <Notice tone="danger" title={problem.title}>
          <p>{problem.advice}</p>
        </Notice>
      )}
    </form>
  );
}
