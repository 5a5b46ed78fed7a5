import type { JsonObject } from '../json.js';
import { API_VERSION, type DescriptionOptions } from '../openapi/document.js';
import { text } from '../schema.js';
import { commonSchemas } from '../schemas/common.js';
import { paymentSchemas } from '../schemas/payment.js';
import { clientEvents } from './client-events.js';
import type { LiveEvent } from './event.js';
import { frameSchemas, frameSummaries } from './frames.js';
import { serverEvents } from './server-events.js';

const description = `The server speaks socket.io, on the same host and port as HTTP. Over the wire goes one socket.io event,
\`authMessage\`, with frames of BRC-103. The payload of a signed frame is \`{"eventName", "data"}\`: the events of this document.
\`@bsv/authsocket-client\` and \`@bsv/message-box-client\` do this by themselves.
`;

const messageRef = (channel: string, key: string): JsonObject => ({ $ref: `#/channels/${channel}/messages/${key}` });
const FRAMES = Object.keys(frameSchemas);

/** Creates the AsyncAPI 3.0 document of the live events. */
export function createAsyncApiDocument({
  routingPrefix = '',
  version = API_VERSION,
}: DescriptionOptions = {}): JsonObject {
  const answered = new Set(clientEvents.flatMap(({ answers }) => answers));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'MessageBox: live events',
      version,
      description,
    },
    defaultContentType: 'application/json',
    servers: {
      thisServer: {
        host: '{host}',
        pathname: `${routingPrefix}/socket.io/`,
        protocol: 'socketio',
        description: 'This server. Long polling works as well.',
        variables: { host: { default: 'localhost:8080', description: 'Host and port, as for HTTP.' } },
      },
    },
    channels: {
      events: {
        address: 'authMessage',
        title: 'Events',
        description: 'The payloads of signed frames.',
        messages: Object.fromEntries(
          [...clientEvents, ...serverEvents].map(({ key }) => [key, { $ref: `#/components/messages/${key}` }]),
        ),
      },
      frames: {
        address: 'authMessage',
        title: 'Frames',
        description: 'The socket.io event `authMessage`, in both directions.',
        messages: Object.fromEntries(FRAMES.map((key) => [key, { $ref: `#/components/messages/${key}` }])),
      },
    },
    operations: {
      ...Object.fromEntries(
        clientEvents.map(({ key, summary, answers }) => [
          key,
          {
            action: 'receive',
            channel: { $ref: '#/channels/events' },
            summary,
            messages: [messageRef('events', key)],
            reply: {
              channel: { $ref: '#/channels/events' },
              messages: answers.map((answer) => messageRef('events', answer)),
            },
          },
        ]),
      ),
      ...Object.fromEntries(
        serverEvents
          .filter(({ key }) => !answered.has(key))
          .map(({ key, summary }) => [
            key,
            {
              action: 'send',
              channel: { $ref: '#/channels/events' },
              summary,
              messages: [messageRef('events', key)],
            },
          ]),
      ),
      sendFrame: {
        action: 'send',
        channel: { $ref: '#/channels/frames' },
        messages: FRAMES.map((key) => messageRef('frames', key)),
      },
      receiveFrame: {
        action: 'receive',
        channel: { $ref: '#/channels/frames' },
        messages: FRAMES.map((key) => messageRef('frames', key)),
      },
    },
    components: {
      messages: {
        ...Object.fromEntries([...clientEvents, ...serverEvents].map((event) => [event.key, toMessageObject(event)])),
        ...Object.fromEntries(
          Object.entries(frameSummaries).map(([key, summary]) => [
            key,
            { name: 'authMessage', title: key, summary, payload: { $ref: `#/components/schemas/${key}` } },
          ]),
        ),
      },
      schemas: {
        ...commonSchemas,
        ...paymentSchemas,
        ...frameSchemas,
        RoomId: text('`KEY-box`: whose box, and its name, which is everything behind the first `-`.', {
          pattern: '^[0-9a-fA-F]+-[^]+$',
        }),
        Txid: text('The id of a transaction: 64 hex characters.', { pattern: '^[0-9a-f]{64}$' }),
      },
    },
  };
}

function toMessageObject({ key, name, summary, description: more, data, examples = [] }: LiveEvent): JsonObject {
  return {
    name,
    title: key,
    summary,
    ...(more === undefined ? {} : { description: more }),
    payload: data,
    ...(examples.length === 0 ? {} : { examples: examples.map((payload) => ({ payload: payload as JsonObject })) }),
  };
}
