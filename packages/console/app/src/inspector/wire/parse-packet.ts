/** A packet of engine.io (version 4) that holds no packet of socket.io. */
export interface EnginePacket {
  readonly layer: 'engine.io';
  readonly type: 'bytes' | 'close' | 'noop' | 'open' | 'ping' | 'pong' | 'upgrade';
  /** The rest of the packet: JSON of the settings for `open`, `probe` for the probes of a new websocket. */
  readonly text: string;
}

/** A packet of socket.io (version 5). */
export interface SocketPacket {
  readonly layer: 'socket.io';
  readonly type: 'ack' | 'binary ack' | 'binary event' | 'connect' | 'connect error' | 'disconnect' | 'event';
  /** `/` unless another one is named. */
  readonly namespace: string;
  readonly ackId: number | undefined;
  /** The name of an event. */
  readonly event: string | undefined;
  /** The arguments of an event or acknowledgement, or the content of another packet in a list. */
  readonly args: readonly unknown[];
}

/** A packet that cannot be read, and why. */
export interface UnreadablePacket {
  readonly layer: 'unreadable';
  readonly reason: string;
}

/** What one packet holds. */
export type Packet = EnginePacket | SocketPacket | UnreadablePacket;

const ENGINE_TYPES = ['open', 'close', 'ping', 'pong', 'message', 'upgrade', 'noop'] as const;
const SOCKET_TYPES = ['connect', 'disconnect', 'event', 'ack', 'connect error', 'binary event', 'binary ack'] as const;

/** Reads one packet: a text message of a websocket, or a part of the body of a long poll. Never throws. */
export function parsePacket(text: string): Packet {
  if (text.startsWith('b')) return { layer: 'engine.io', type: 'bytes', text: text.slice(1) };
  const type = ENGINE_TYPES[digitOf(text)];
  if (type === undefined) return unreadable('It does not begin with a packet type of engine.io.');
  const rest = text.slice(1);
  return type === 'message' ? parseSocketPacket(rest) : { layer: 'engine.io', type, text: rest };
}

/** `type [attachments-][/namespace,][ack id][JSON]` */
function parseSocketPacket(text: string): SocketPacket | UnreadablePacket {
  const type = SOCKET_TYPES[digitOf(text)];
  if (type === undefined) return unreadable('It does not begin with a packet type of socket.io.');
  const parts = /^(?:\d+-)?(?:(\/[^,]*)(?:,|$))?(\d*)(.*)$/s.exec(text.slice(1));
  const [, namespace = '/', ackId = '', json = ''] = parts ?? [];
  let content: unknown;
  try {
    content = json === '' ? undefined : JSON.parse(json);
  } catch {
    return unreadable('Its content is not JSON.');
  }
  const args = Array.isArray(content) ? (content as unknown[]) : content === undefined ? [] : [content];
  const isEvent = type === 'event' || type === 'binary event';
  const [name] = args;
  if (isEvent && typeof name !== 'string') return unreadable('It is an event without a name.');
  return {
    layer: 'socket.io',
    type,
    namespace,
    ackId: ackId === '' ? undefined : Number(ackId),
    event: isEvent ? (name as string) : undefined,
    args: isEvent ? args.slice(1) : args,
  };
}

const unreadable = (reason: string): UnreadablePacket => ({ layer: 'unreadable', reason });

/** The first character as a digit; NaN, and so no type, for another one. */
const digitOf = (text: string): number => (/^\d/.test(text) ? Number(text[0]) : Number.NaN);
