/** A message as it waits in a box. Everything but the id and the time was chosen by its sender. */
export interface MailMessage {
  readonly messageId: string;
  /** 66 hex characters. */
  readonly sender: string;
  /** As it was stored: possibly encrypted, possibly with a payment around it. */
  readonly body: string;
  /** Milliseconds since 1970, by the server's clock. */
  readonly storedAt: number;
}

/**
 * Takes a message from an answer or an event.
 *
 * @param fallbackTime for events, which may have no time
 * @returns undefined when it has no id or no sender
 */
export function parseMessage(value: unknown, fallbackTime: number): MailMessage | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { messageId, sender, body, createdAt, created_at: createdAtToo } = value as Record<string, unknown>;
  if (typeof messageId !== 'string' || typeof sender !== 'string') return undefined;
  const time = Date.parse(String(createdAt ?? createdAtToo));
  return {
    messageId,
    sender,
    body: typeof body === 'string' ? body : (JSON.stringify(body) ?? ''),
    storedAt: Number.isNaN(time) ? fallbackTime : time,
  };
}
