/**
 * The rules that current clients (SDK ≥ 2.8, message-box-client ≥ 2.5, authsocket-client ≥ 2.1) require a server to follow.
 * The numbers are those of the wire contract: `9.n` is rule n of its section on current clients, the others are sections.
 */
export const RULES = {
  '2': 'BRC-103: signatures, nonces and identities of messages',
  '3': 'BRC-104: signed requests and responses over HTTP',
  '4': 'responses of the REST routes',
  '5': 'events of live connections',
  '9.1': 'shapes and sizes of authentication messages',
  '9.2': 'pages of a list by offset',
  '9.3': 'sizes of responses over HTTP',
  '9.4': 'a permission is a record or null',
  '9.5': 'fees are integers from -1 to 2,147,483,647',
  '9.6': 'box names in records are trimmed, at most 128 bytes long and without control characters',
  '9.7': 'device records',
  '9.9': 'sizes of live events',
  '9.10': 'names of live events',
  '9.11': 'a client handles at most 32 frames at once',
  '9.12': 'a client forgets sessions that are idle for 30 minutes',
  '9.13': 'every handshake of a connection is answered',
  '9.14': 'a client accepts at most 100,000 messages in one session',
  '9.15': 'a failed join names the room and the reason',
  '9.18': 'refusals have a code, and an unsigned 401 leads to at most 3 retries',
} as const;

/** The number of a rule. */
export type RuleNumber = keyof typeof RULES;
