import type { NewMessage } from '@messagebox/store';
import type { Charges } from './charges.js';
import { type DeliverMessagesOptions, deliverMessages } from './deliver-messages.js';
import type { SendCommand } from './parse-send.js';
import { QuotaExceededError } from './quotas/quota-limits.js';
import type { Reservation } from './quotas/storage-quotas.js';
import { type ReserveStorageOptions, reserveStorage } from './reserve-storage.js';

/** The options of {@link deliverFreeMessages}. */
export interface DeliverFreeMessagesOptions extends DeliverMessagesOptions, ReserveStorageOptions {}

/**
 * Delivers a send that costs nothing, as most sends do. The store itself finds out which messages are stored already.
 *
 * @throws {QuotaExceededError} nothing stored
 * @throws {MessageIdTakenError}, {StoreUnavailableError} nothing stored
 */
export async function deliverFreeMessages(
  options: DeliverFreeMessagesOptions,
  { messages, liveBody }: SendCommand,
  { allowsSender }: Charges,
): Promise<void> {
  const reserved = await reserveForNewMessages(options, messages, allowsSender);
  if (reserved === undefined) return;
  try {
    await deliverMessages(options, { messages: reserved.messages, liveBody });
  } catch (error) {
    reserved.reservation.release();
    throw error;
  }
  reserved.reservation.settle();
}

interface ReservedMessages {
  readonly messages: readonly NewMessage[];
  readonly reservation: Reservation;
}

/**
 * Reserves storage. Only when a quota is exceeded, this asks which messages are stored already. They need no room, and their
 * sender, who has missed the response, is answered with success.
 *
 * @returns undefined when all messages are stored already
 */
async function reserveForNewMessages(
  options: DeliverFreeMessagesOptions,
  messages: readonly NewMessage[],
  allowsSender: readonly boolean[],
): Promise<ReservedMessages | undefined> {
  const requests = messages.map((message, i) => ({ message, isAllowed: allowsSender[i] === true }));
  try {
    return { messages, reservation: await reserveStorage(options, requests) };
  } catch (error) {
    if (!(error instanceof QuotaExceededError)) throw error;
    const stored = await options.store.areStored(messages);
    const pending = requests.filter((_, i) => stored[i] !== true);
    if (pending.length === 0) return undefined;
    if (pending.length === messages.length) throw error;
    return { messages: pending.map(({ message }) => message), reservation: await reserveStorage(options, pending) };
  }
}
