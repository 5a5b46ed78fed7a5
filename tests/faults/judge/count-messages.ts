import type { DeviceConnection } from '../clients/device.ts';
import type { SentMessage } from '../clients/load.ts';
import type { DeviceRecord, Evidence } from './evidence.ts';

/** What became of the messages of a trial. */
export interface MessageCounts {
  readonly sent: number;
  readonly acknowledged: number;
  /** Acknowledged to the sender, and not in the box at the end. */
  readonly lost: number;
  /** More than once in the box. */
  readonly twice: number;
  /** In the box or on a device of another identity, or with another sender or body, or never sent. */
  readonly misdelivered: number;
  /** In the box, and never pushed to a device whose connection lasted from before the send to the end. */
  readonly missedStayed: number;
  /** In the box, and never pushed to a device whose connection was lost meanwhile and came back. */
  readonly missedReconnected: number;
  /** Pushes of a message that the same connection had been pushed already. */
  readonly repeated: number;
  /** Messages that a device was pushed on more than one connection. */
  readonly again: number;
  /** Messages that a device got after a later one of the same sender, which had been sent when the earlier one was acknowledged. */
  readonly outOfOrder: number;
}

export function countMessages({ sent, devices, boxes }: Evidence): MessageCounts {
  const byId = new Map(sent.map((message) => [message.messageId, message]));
  const isAsSent = (key: string, { messageId, sender, body }: { messageId: string; sender: string; body: string }) => {
    const message = byId.get(messageId);
    return message?.recipient === key && message.sender === sender && message.body === body;
  };
  const listed = new Map<string, number>();
  let misdelivered = 0;
  for (const [key, messages] of boxes) {
    for (const message of messages) {
      if (isAsSent(key, message)) listed.set(message.messageId, (listed.get(message.messageId) ?? 0) + 1);
      else misdelivered += 1;
    }
  }
  const acknowledged = sent.filter(({ acknowledgedAt }) => acknowledgedAt !== undefined);
  let missedStayed = 0;
  let missedReconnected = 0;
  let repeated = 0;
  let again = 0;
  let outOfOrder = 0;
  for (const device of devices) {
    const heard = new Set<string>();
    for (const { pushes } of device.connections) {
      const onThisConnection = new Set<string>();
      for (const push of pushes) {
        if (!isAsSent(device.key, push)) misdelivered += 1;
        if (onThisConnection.has(push.messageId)) repeated += 1;
        else if (heard.has(push.messageId)) again += 1;
        onThisConnection.add(push.messageId);
      }
      for (const messageId of onThisConnection) heard.add(messageId);
    }
    for (const message of findMissed(device, sent, listed)) {
      if (hasStayed(device, message)) missedStayed += 1;
      else missedReconnected += 1;
    }
    outOfOrder += countOutOfOrder(device, byId);
  }
  return {
    sent: sent.length,
    acknowledged: acknowledged.length,
    lost: acknowledged.filter(({ messageId }) => !listed.has(messageId)).length,
    twice: [...listed.values()].filter((times) => times > 1).length,
    misdelivered,
    missedStayed,
    missedReconnected,
    repeated,
    again,
    outOfOrder,
  };
}

/** A line for each device that missed something: when that was sent, and when the device was connected; for people. */
export function describeMissed({ sent, devices, boxes, fault }: Evidence): string[] {
  const listed = new Map([...boxes.values()].flat().map(({ messageId }) => [messageId, 1]));
  const toSeconds = (at: number | undefined) => (at === undefined ? '' : ((at - fault.from) / 1_000).toFixed(1));
  return devices.flatMap((device) => {
    const missed = findMissed(device, sent, listed);
    if (missed.length === 0) return [];
    const connections = device.connections.map(({ from, until }) => `${toSeconds(from)}–${toSeconds(until)}`);
    return (
      `${device.label} missed ${missed.length}, sent ${toSeconds(missed[0]?.at)} to ${toSeconds(missed.at(-1)?.at)} s from ` +
      `the fault's start (its end: ${toSeconds(fault.until)} s); connected ${connections.join(', ')} s`
    );
  });
}

/** Messages in the box that a device was never pushed, in the order of sending. */
function findMissed(
  { key, connections }: DeviceRecord,
  sent: readonly SentMessage[],
  listed: ReadonlyMap<string, number>,
): SentMessage[] {
  const heard = new Set(connections.flatMap(({ pushes }) => pushes.map(({ messageId }) => messageId)));
  return sent.filter(({ recipient, messageId }) => recipient === key && listed.has(messageId) && !heard.has(messageId));
}

/** Messages that a device has not been pushed yet, of those that were acknowledged. */
export function countUnheard(sent: readonly SentMessage[], devices: readonly DeviceRecord[]): number {
  let unheard = 0;
  for (const { key, connections } of devices) {
    const heard = new Set(connections.flatMap(({ pushes }) => pushes.map(({ messageId }) => messageId)));
    for (const { recipient, messageId, acknowledgedAt } of sent) {
      if (recipient === key && acknowledgedAt !== undefined && !heard.has(messageId)) unheard += 1;
    }
  }
  return unheard;
}

/** Whether the connection that the device had when the message was sent was still there at the end. */
function hasStayed({ connections }: DeviceRecord, { at }: SentMessage): boolean {
  const connection = connections.findLast(({ from }: DeviceConnection) => from <= at);
  return connection !== undefined && connection.until === undefined;
}

/** Counts first pushes only: what is pushed again on a later connection is no disorder. */
function countOutOfOrder({ connections }: DeviceRecord, byId: ReadonlyMap<string, SentMessage>): number {
  const seen = new Set<string>();
  /** The latest time of sending among the messages that came so far, by sender. */
  const latest = new Map<string, number>();
  let count = 0;
  for (const { messageId } of connections.flatMap(({ pushes }) => pushes)) {
    const message = byId.get(messageId);
    if (message === undefined || seen.has(messageId)) continue;
    seen.add(messageId);
    const { sender, at, acknowledgedAt } = message;
    const newest = latest.get(sender) ?? Number.NEGATIVE_INFINITY;
    if (acknowledgedAt !== undefined && newest > acknowledgedAt) count += 1;
    latest.set(sender, Math.max(newest, at));
  }
  return count;
}
