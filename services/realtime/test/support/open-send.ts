import { createKnex, type NewMessage, type StoreConfig } from '@messagebox/store';

/** A message that was inserted, so that it has its row id, and is not committed. */
export interface OpenSend {
  commit(): Promise<void>;
  close(): Promise<void>;
}

/** Inserts a message into a box that exists, in a transaction that stays open. */
export async function openSend(config: StoreConfig, message: NewMessage): Promise<OpenSend> {
  const knex = createKnex(config);
  const transaction = await knex.transaction();
  const bytes = (text: string) => Buffer.from(text);
  const { recipient, messageBox, sender, messageId, body } = message;
  await transaction.raw(
    `INSERT INTO messages (messageBoxId, recipient, sender, messageId, body, body_bytes)
     SELECT messageBoxId, identityKey, ?, ?, ?, ? FROM messageBox WHERE identityKey = ? AND type = ?`,
    [bytes(sender), bytes(messageId), body, Buffer.byteLength(body), bytes(recipient), bytes(messageBox)],
  );
  return {
    commit: async () => void (await transaction.commit()),
    close: () => knex.destroy(),
  };
}
