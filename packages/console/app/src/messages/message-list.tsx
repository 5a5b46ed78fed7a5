import { useState } from 'preact/hooks';
import { explainError } from '../api/explain-error.js';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { EmptyState } from '../ui/empty-state.js';
import { formatNumber } from '../ui/format.js';
import { Notice } from '../ui/notice.js';
import { showToast } from '../ui/toast.js';
import { VirtualList } from '../ui/virtual-list.js';
import type { MailMessage } from './mail-message.js';
import type { Mailbox } from './mailbox.js';
import { MessageDetails } from './message-details.js';
import { MessageRow } from './message-row.js';
import { parseStoredBody } from './stored-body.js';

/** As in messages.css. */
const ROW_HEIGHT = 68;

export interface MessageListProps {
  readonly mailbox: Mailbox;
  readonly onReply: (sender: string) => void;
}

/** The messages of a box, and what can be done with them. */
export function MessageList({ mailbox, onReply }: MessageListProps) {
  const [opened, setOpened] = useState<MailMessage>();
  const [isAsking, setIsAsking] = useState(false);
  const messages = mailbox.messages.value;
  const fetched = mailbox.fetched.value;
  const problem = mailbox.problem.value;
  const acknowledge = async (messageIds: readonly string[]) => {
    try {
      await mailbox.acknowledge(messageIds);
    } catch (error) {
      const { title, advice } = explainError(error);
      showToast(`Not acknowledged. ${title} ${advice}`, 'danger');
    }
  };
  const acknowledgeAll = async () => {
    setIsAsking(false);
    await acknowledge(
      messages.filter(({ body }) => parseStoredBody(body).payment === undefined).map(({ messageId }) => messageId),
    );
  };
  return (
    <section class="messages" aria-label={`Messages in ${mailbox.messageBox}`}>
      <div class="messages-head">
        <span role="status" class="quiet small">
          {fetched !== undefined && fetched > 0 && messages.length === 0
            ? `Fetching: ${formatNumber(fetched)} so far …`
            : `${formatNumber(messages.length)} ${messages.length === 1 ? 'message' : 'messages'}`}
        </span>
        {messages.length > 0 && (
          <Button size="small" kind="quiet" onClick={() => setIsAsking(true)}>
            Acknowledge all
          </Button>
        )}
      </div>
      {problem !== undefined && mailbox.connection.status.value.kind !== 'offline' && (
        <Notice tone="danger" title={problem.title}>
          <p>{problem.advice}</p>
          <Button size="small" onClick={() => mailbox.refresh()}>
            Fetch again
          </Button>
        </Notice>
      )}
      {messages.length > 0 ? (
        <VirtualList label="Messages" items={messages} itemKey={({ messageId }) => messageId} rowHeight={ROW_HEIGHT}>
          {(message) => (
            <MessageRow
              mailbox={mailbox}
              message={message}
              onOpen={() => setOpened(message)}
              onAcknowledge={() => void acknowledge([message.messageId])}
            />
          )}
        </VirtualList>
      ) : (
        <EmptyState title={fetched === undefined ? 'No messages here' : 'Looking for messages …'}>
          <p>
            Messages to this key in the box “<bdi>{mailbox.messageBox}</bdi>” appear here the moment they arrive.
          </p>
        </EmptyState>
      )}
      {opened && (
        <MessageDetails
          mailbox={mailbox}
          message={opened}
          onClose={() => setOpened(undefined)}
          onReply={() => {
            onReply(opened.sender);
            setOpened(undefined);
          }}
          onAcknowledge={() => {
            setOpened(undefined);
            void acknowledge([opened.messageId]);
          }}
        />
      )}
      {isAsking && (
        <Dialog
          title={`Acknowledge ${formatNumber(messages.length)} ${messages.length === 1 ? 'message' : 'messages'}?`}
          onClose={() => setIsAsking(false)}
          actions={
            <>
              <Button onClick={() => setIsAsking(false)}>Keep them</Button>
              <Button kind="primary" onClick={acknowledgeAll}>
                Acknowledge all
              </Button>
            </>
          }
        >
          <p>The server deletes what is acknowledged. Messages that carry a payment stay.</p>
        </Dialog>
      )}
    </section>
  );
}
