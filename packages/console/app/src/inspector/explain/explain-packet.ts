import type { SeenPacket, SocketNotice } from '../observe/traffic.js';
import { type AuthMessage, type GeneralMessage, readAppEvent, readAuthMessage } from '../wire/auth-message.js';
import { decodeUtf8, encodeUtf8 } from '../wire/bytes.js';
import { type LabelledBytes, LabelledBytesBuilder } from '../wire/labelled-bytes.js';
import { type Packet, parsePacket } from '../wire/parse-packet.js';
import { explainEncryption, findEncryptedBodies } from './explain-encryption.js';
import { explainInitialRequest, explainInitialResponse } from './explain-handshake.js';
import { explainMessageId } from './explain-message-id.js';
import { explainNonceCheck } from './explain-nonce.js';
import { type ExplainSources, explainSignature } from './explain-signature.js';
import { code, type Explanation, type Step, text } from './steps.js';

/** What a packet holds. */
export interface PacketContent {
  readonly packet: Packet;
  /** The message of BRC-103 in it. */
  readonly message: AuthMessage | undefined;
  /** The name of the event in a general message. */
  readonly eventName: string | undefined;
}

/** A list describes all packets again with each change. Large ones take long to read. */
const contents = new WeakMap<SeenPacket, PacketContent>();

/** Reads a packet, and the message of BRC-103 in an event `authMessage`. */
export function readPacket(seen: SeenPacket): PacketContent {
  const content = contents.get(seen) ?? parseContent(seen);
  contents.set(seen, content);
  return content;
}

function parseContent({ text: packetText, totalLength }: SeenPacket): PacketContent {
  const nothing = { message: undefined, eventName: undefined };
  if (packetText === '') return { packet: { layer: 'engine.io', type: 'bytes', text: '' }, ...nothing };
  if (totalLength > packetText.length) {
    return { packet: { layer: 'unreadable', reason: 'It is longer than what the inspector keeps.' }, ...nothing };
  }
  const packet = parsePacket(packetText);
  const isAuthMessage = packet.layer === 'socket.io' && packet.event === 'authMessage';
  const message = isAuthMessage ? readAuthMessage(packet.args[0]) : undefined;
  if (!isAuthMessage || message === undefined) return { packet, ...nothing };
  const eventName = message.messageType === 'general' ? readAppEvent(message.payload)?.eventName : undefined;
  // The arguments hold the same as the message, and need several times the memory.
  return { packet: { ...packet, args: [] }, message, eventName };
}

/** Explains a packet. */
export async function explainSeenPacket(seen: SeenPacket, sources: ExplainSources): Promise<Explanation> {
  const { packet, message } = readPacket(seen);
  const sender = seen.direction === 'sent' ? 'own' : 'peer';
  if (message === undefined) return explainPacket(packet);
  if (message.messageType === 'initialRequest') {
    return {
      summary: 'The first message of a handshake on the socket (BRC-103).',
      steps: await explainInitialRequest(message, sender, sources),
    };
  }
  if (message.messageType === 'initialResponse') {
    return {
      summary: 'The answer of a handshake on the socket (BRC-103).',
      steps: await explainInitialResponse(message, sender, undefined, sources),
    };
  }
  return {
    summary:
      sender === 'own'
        ? 'An event that only you could have signed (BRC-103).'
        : 'An event that only the server could have signed, for you alone (BRC-103).',
    steps: await explainGeneral(message, sender, sources),
  };
}

async function explainGeneral(
  message: GeneralMessage,
  sender: 'own' | 'peer',
  sources: ExplainSources,
): Promise<Step[]> {
  const isOwn = sender === 'own';
  const event = readAppEvent(message.payload);
  const data = labelPayload(message.payload);
  const encrypted = await explainEncryption(
    findEncryptedBodies(event?.data),
    isOwn ? 'sent' : 'received',
    ownKeyOf(message, isOwn, sources),
    sources,
  );
  const signature = await explainSignature(
    {
      subject: 'the event',
      data,
      signature: message.signature,
      keyID: `${message.nonce} ${message.yourNonce}`,
      keyIDParts: isOwn
        ? 'nonce of this event, session nonce of the server'
        : 'nonce of this event, your session nonce',
      signer: sender,
      ownKey: isOwn ? message.identityKey : undefined,
      peerKey: isOwn ? undefined : message.identityKey,
    },
    sources,
  );
  const written: Step = {
    title: isOwn ? 'The event is written as bytes' : 'The server sends an event',
    text: 'An event is UTF-8 JSON with a name and its data. These bytes are the payload of a general message of BRC-103. The message travels in an event “authMessage” of socket.io, as a list of numbers.',
    facts: [
      code('Event', event?.eventName ?? 'not readable'),
      code('Sender', message.identityKey),
      code('Nonce of this event', message.nonce),
      text('Length of the payload', `${message.payload.length} bytes`),
    ],
    bytes: [{ title: 'Payload', content: data }],
    verified: undefined,
  };
  if (isOwn) return [...explainMessageId(event?.data, sources), ...encrypted, written, ...signature];
  return [written, explainNonceCheck(message.yourNonce, sources), ...signature, ...encrypted];
}

function ownKeyOf(message: GeneralMessage, isOwn: boolean, { calls, keys }: ExplainSources): string | undefined {
  if (isOwn) return message.identityKey;
  return calls.find('verifySignature', message.signature)[0]?.identityKey ?? keys.identityKeys[0];
}

/** Names the parts of a payload `{"eventName":…,"data":…}` as both sides write it. Another form is one part. */
function labelPayload(payload: Uint8Array): LabelledBytes {
  const whole = (meaning: string) => new LabelledBytesBuilder().add(payload, 'body', 'payload', meaning).build();
  const json = decodeUtf8(payload);
  const eventName = readAppEvent(payload)?.eventName;
  if (json === undefined || eventName === undefined) return whole('No event in JSON');
  const name = JSON.stringify(eventName);
  const before = '{"eventName":';
  const between = ',"data":';
  if (!json.startsWith(before + name + between)) return whole(json.slice(0, 120));
  const rest = json.slice((before + name + between).length);
  return new LabelledBytesBuilder()
    .add(encodeUtf8(before), 'length', 'JSON', before)
    .add(encodeUtf8(name), 'method', 'event name', eventName)
    .add(encodeUtf8(between), 'length', 'JSON', between)
    .add(
      encodeUtf8(rest.slice(0, -1)),
      'body',
      'data',
      rest.length > 120 ? `${rest.slice(0, 120)}…` : rest.slice(0, -1),
    )
    .add(encodeUtf8(rest.slice(-1)), 'length', 'JSON', '}')
    .build();
}

const ENGINE_TEXTS = {
  bytes: 'A packet of bytes. This server sends none.',
  close: 'The transport is closed.',
  noop: 'An empty packet that ends a long poll, so that the connection can move to a websocket.',
  open: 'The server opens the transport and names its settings: the id of the connection, how often it asks whether the client is alive, and the largest packet.',
  ping: 'The server asks whether the client is still there. During an upgrade, the client tries the websocket with it.',
  pong: 'The answer to a ping.',
  upgrade: 'The client leaves long polling and uses the websocket from now on.',
} as const;

function explainPacket(packet: Packet): Explanation {
  if (packet.layer === 'unreadable') {
    return {
      summary: 'A packet that the inspector cannot read.',
      steps: [{ title: 'This packet cannot be read', text: packet.reason, facts: [], verified: undefined }],
    };
  }
  if (packet.layer === 'engine.io') {
    const facts = packet.text === '' ? [] : [code('Content', packet.text)];
    return {
      summary: 'A packet of the transport (engine.io). It names no identity and carries no message.',
      steps: [{ title: `Transport: ${packet.type}`, text: ENGINE_TEXTS[packet.type], facts, verified: undefined }],
    };
  }
  return {
    summary: 'A packet of socket.io that carries no message of BRC-103.',
    steps: [
      {
        title: packet.event === undefined ? `socket.io: ${packet.type}` : `Event “${packet.event}”`,
        text:
          packet.event === undefined
            ? 'socket.io connects and disconnects the two sides with it. It proves no identity: that is what the handshake is for.'
            : 'This event is not signed. The server gives it no rights.',
        facts: packet.args.map((arg, i) => code(`Content ${i + 1}`, JSON.stringify(arg))),
        verified: undefined,
      },
    ],
  };
}

const NOTICE_TEXTS = {
  opening: 'The client asks for a websocket.',
  opened: 'The websocket is open. Nobody’s identity is known yet: the handshake follows.',
  failed: 'The websocket failed. socket.io goes on with long polling, or tries again.',
  closed: 'The websocket is closed.',
} as const;

/** Explains that a websocket was opened or has ended. */
export function explainNotice({ state, detail, url }: SocketNotice): Explanation {
  const facts = [code('Address', url), ...(detail === '' ? [] : [text('Code and reason', detail)])];
  return {
    summary: 'The state of a websocket.',
    steps: [{ title: `Websocket: ${state}`, text: NOTICE_TEXTS[state], facts, verified: undefined }],
  };
}
