import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { type Explanation, explainError } from '../api/explain-error.js';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { TextField } from '../ui/field.js';
import { formatNumber } from '../ui/format.js';
import { KeyText } from '../ui/key-text.js';
import { Notice } from '../ui/notice.js';
import { showToast } from '../ui/toast.js';
import type { OperatorApi } from './operator-api.js';

export interface IdentityDialogProps {
  readonly api: OperatorApi;
  readonly identityKey: string;
  readonly onClose: () => void;
  /** Reads the page again. */
  readonly onDone: () => unknown;
}

/** Asks before an identity is blocked. */
export function BlockDialog({ api, identityKey, onClose, onDone }: IdentityDialogProps) {
  const [reason, setReason] = useState('');
  const { run, isRunning, problem } = useAction(async () => {
    await api.block(identityKey, reason.trim());
    return 'The identity is blocked.';
  }, [onDone, onClose]);
  return (
    <Confirmation
      title="Block this identity?"
      identityKey={identityKey}
      actionLabel="Block"
      kind="danger"
      {...{ run, isRunning, problem, onClose }}
    >
      <ul class="plain-list">
        <li>It can no longer send, list, acknowledge or listen. Its connections end now, on all instances.</li>
        <li>Messages to it are stored as ever, and wait until it is unblocked.</li>
        <li>What it has sent stays with its recipients.</li>
      </ul>
      <TextField
        label="Reason"
        help="Optional. Operators see it here and in the audit log; the identity does not."
        value={reason}
        onInput={setReason}
        maxLength={500}
      />
    </Confirmation>
  );
}

/** Asks before a block ends. */
export function UnblockDialog({ api, identityKey, onClose, onDone }: IdentityDialogProps) {
  const { run, isRunning, problem } = useAction(async () => {
    await api.unblock(identityKey);
    return 'The identity is not blocked any more.';
  }, [onDone, onClose]);
  return (
    <Confirmation
      title="Unblock this identity?"
      identityKey={identityKey}
      actionLabel="Unblock"
      kind="primary"
      {...{ run, isRunning, problem, onClose }}
    >
      <p>It can use this server again at once, and finds the messages that came meanwhile.</p>
    </Confirmation>
  );
}

export interface PurgeDialogProps extends IdentityDialogProps {
  /** Undefined: all boxes. */
  readonly messageBox: string | undefined;
  readonly messages: number;
}

/** Asks before messages are removed for good. */
export function PurgeDialog({ api, identityKey, onClose, onDone, messageBox, messages }: PurgeDialogProps) {
  const { run, isRunning, problem } = useAction(async () => {
    const { removed, kept } = await api.purge(identityKey, messageBox);
    const keptText = kept === 0 ? '' : ` ${formatNumber(kept)} with a payment were kept.`;
    return `${formatNumber(removed)} ${removed === 1 ? 'message was' : 'messages were'} removed.${keptText}`;
  }, [onDone, onClose]);
  return (
    <Confirmation
      title={messageBox === undefined ? 'Purge all boxes?' : `Purge the box “${messageBox}”?`}
      identityKey={identityKey}
      actionLabel={`Remove ${formatNumber(messages)} ${messages === 1 ? 'message' : 'messages'}`}
      kind="danger"
      {...{ run, isRunning, problem, onClose }}
    >
      <ul class="plain-list">
        <li>
          Messages that this identity has not acknowledged are removed. Nobody can bring them back, and neither it nor
          their senders are told.
        </li>
        <li>Messages that carry a payment are kept, because the money would be lost.</li>
      </ul>
    </Confirmation>
  );
}

/** Runs an action once at a time, and closes the dialog when it is done. @param whenDone called in this order */
function useAction(action: () => Promise<string>, whenDone: readonly (() => unknown)[]) {
  const [isRunning, setIsRunning] = useState(false);
  const [problem, setProblem] = useState<Explanation>();
  const run = async () => {
    setIsRunning(true);
    setProblem(undefined);
    try {
      showToast(await action());
      for (const call of whenDone) call();
    } catch (error) {
      setProblem(explainError(error));
      setIsRunning(false);
    }
  };
  return { run, isRunning, problem };
}

interface ConfirmationProps {
  readonly title: string;
  readonly identityKey: string;
  readonly actionLabel: string;
  readonly kind: 'danger' | 'primary';
  readonly run: () => Promise<void>;
  readonly isRunning: boolean;
  readonly problem: Explanation | undefined;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

function Confirmation(props: ConfirmationProps) {
  const { title, identityKey, actionLabel, kind, run, isRunning, problem, onClose, children } = props;
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind={kind} disabled={isRunning} onClick={run}>
            {actionLabel}
          </Button>
        </>
      }
    >
      <KeyText value={identityKey} plain />
      {children}
      {problem && (
        <Notice tone="danger" title={problem.title}>
          <p>{problem.advice}</p>
        </Notice>
      )}
    </Dialog>
  );
}
