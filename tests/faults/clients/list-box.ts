import { encodeRequest, type RawClient } from '@messagebox/test-support/raw-client';
import { exchange } from './sender.ts';

const LIST_TIMEOUT_MS = 30_000;

export interface ListedMessage {
  readonly messageId: string;
  readonly sender: string;
  readonly body: string;
}

/**
 * All that is in a box, in order.
 *
 * @param port of an api
 * @throws {Error} when a page is refused
 */
export async function listBox(port: number, client: RawClient, messageBox: string): Promise<ListedMessage[]> {
  const session = await client.shakeHands(port);
  const all: ListedMessage[] = [];
  for (let after: object = {}; ; ) {
    const request = session.post('/listMessages', { messageBox, ...after });
    const answer = await exchange(port, encodeRequest(request), LIST_TIMEOUT_MS);
    if (answer.status !== 200)
      throw new Error(`a list was answered with ${answer.status} ${answer.text.slice(0, 200)}`);
    const page = JSON.parse(answer.text) as { messages: ListedMessage[]; hasMore?: boolean; next?: string };
    all.push(...page.messages);
    if (page.hasMore !== true) return all;
    after = { after: page.next };
  }
}
