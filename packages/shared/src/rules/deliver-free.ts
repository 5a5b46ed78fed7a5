import { QuotaExceededError, type Reservation } from '../quotas/index.js';
import type { NewMessage } from '../store/index.js';
import type { Charges } from './charges.js';
import { type DeliverParts, deliver } from './deliver.js';
import type { SendCommand } from './parse-send.js';
import { reserve, type StorageParts } from './storage.js';

export interface DeliverFreeParts extends DeliverParts, StorageParts {}

/**
 * Delivers what costs nothing, as most sends do: the store finds out by itself what is there already.
 *
 * @throws {QuotaExceededError} nothing stored, unless all of it is there already
 * @throws {MessageIdTakenError}, {StoreUnavailableError} nothing stored
 */
export async function deliverFree(
  parts: DeliverFreeParts,
  { messages, liveBody }: SendCommand,
  { allowsSender }: Charges,
): Promise<void> {
  const reserved = await reserveForNew(parts, messages, allowsSender);
  if (reserved === undefined) return;
  try {
    await deliver(parts, { messages: reserved.messages, liveBody });
  } catch (error) {
    reserved.reservation.release();
    throw error;
  }
  reserved.reservation.settle();
}

interface Reserved {
  readonly messages: readonly NewMessage[];
  readonly reservation: Reservation;
}

/**
 * Only a send for which there is no room is worth the question which of its messages are there already: those need none,
 * and their sender, who has missed the answer, is to get it.
 *
 * @returns undefined when all are there
 */
async function reserveForNew(
  parts: DeliverFreeParts,
  messages: readonly NewMessage[],
  allowsSender: readonly boolean[],
): Promise<Reserved | undefined> {
  const incoming = messages.map((message, i) => ({ message, isAllowed: allowsSender[i] === true }));
  try {
    return { messages, reservation: await reserve(parts, incoming) };
  } catch (error) {
    if (!(error instanceof QuotaExceededError)) throw error;
    const stored = await parts.store.areStored(messages);
    const pending = incoming.filter((_, i) => stored[i] !== true);
    if (pending.length === 0) return undefined;
    if (pending.length === messages.length) throw error;
    return { messages: pending.map(({ message }) => message), reservation: await reserve(parts, pending) };
  }
}
