import type { AdmitSocket, Broadcast } from '@messagebox/brc103/socket-io';
import { getField } from '@messagebox/messages';
import type { Server } from 'socket.io';
import type { DeliveredMessage, DeliveredMessages } from './delivered-messages.js';
import type { HeldEvent } from './held-events.js';
import { LocalDelivery, readPushedMessage } from './push-broadcast.js';

export interface RoomGateOptions {
  readonly io: Server;
  readonly namespaces: readonly string[];
  readonly delivered: DeliveredMessages;
  /** Holds an event back. @returns false when it is to be delivered now */
  readonly hold: (event: HeldEvent) => boolean;
  /** Called for each message that is delivered. */
  readonly onDelivery: (message: DeliveredMessage) => void;
}

const nobody: AdmitSocket = () => false;
const everybody: AdmitSocket = () => true;

/**
 * Every message for the sockets of a room passes here, live or recovered. A message passes once in each namespace, and a
 * socket that got it in a replay is left out.
 */
export class RoomGate {
  constructor(private readonly options: RoomGateOptions) {}

  /** Records who joins and leaves rooms from now on. */
  trackMembers(): void {
    const { io, namespaces, delivered } = this.options;
    for (const namespace of namespaces) {
      const { adapter } = io.of(namespace);
      adapter.on('join-room', (room: string, socketId: string) => {
        if (room !== socketId) delivered.recordJoin(socketId, room);
      });
      // socket.io gives each socket a room of its own, which it leaves when it closes.
      adapter.on('leave-room', (room: string, socketId: string) => {
        if (room === socketId) delivered.forgetSocket(socketId);
        else delivered.recordLeave(socketId, room);
      });
    }
  }

  /** Decides which sockets get a broadcast. */
  readonly admit = (namespace: string, broadcast: Omit<Broadcast, 'encoded'>): AdmitSocket => {
    const message = readPushedMessage(broadcast);
    if (message === undefined) return everybody;
    const { delivered, hold, onDelivery } = this.options;
    const local = broadcast.meta instanceof LocalDelivery ? broadcast.meta : undefined;
    if (local === undefined) {
      const body = getField(broadcast.data, 'body');
      const size = typeof body === 'string' ? body.length : 0;
      const release = () =>
        this.deliver(namespace, message.room, broadcast, new LocalDelivery(undefined, broadcast.meta));
      if (hold({ namespace, message, size, release })) return nobody;
    }
    const audience = local?.audience;
    if (!delivered.recordDelivery(namespace, message, audience)) return nobody;
    onDelivery(message);
    return ({ id }) => {
      if (delivered.wasReplayed(id, message)) return false;
      return audience === undefined || (delivered.getJoinTime(id, message.room) ?? audience) < audience;
    };
  };

  /** Delivers an event to the sockets of a room on this instance only. */
  deliver(
    namespace: string,
    room: string,
    { event, data }: Pick<Broadcast, 'event' | 'data'>,
    delivery: LocalDelivery,
  ): void {
    this.options.io.of(namespace).local.to(room).emit(event, data, delivery);
  }
}
