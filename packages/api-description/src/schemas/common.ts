import { list, type Properties, text } from '../schema.js';

/** The largest fee, in satoshis: what clients read is a signed number of 32 bits. */
export const MAX_FEE = 2_147_483_647;

/** Schemas that both documents use. */
export const commonSchemas: Properties = {
  IdentityKey: text('An identity: a compressed public key on secp256k1.', {
    pattern: '^0[23][0-9a-f]{64}$',
    examples: ['0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'],
  }),
  GivenKey: text(
    'A public key in hex. Other spellings of a key (upper case, uncompressed) mean the same identity; answers have the usual one.',
    { pattern: '^(?:0[23][0-9a-fA-F]{64}|0[467][0-9a-fA-F]{128})$' },
  ),
  BoxName: text(
    'The name of a message box: 1 to 255 Unicode code points, compared byte by byte. Any text is possible.',
    {
      minLength: 1,
      maxLength: 255,
      examples: ['inbox'],
    },
  ),
  MessageId: text('Unique for a recipient: 1 to 255 Unicode code points, or up to 256 bytes of UTF-8.', {
    minLength: 1,
    maxLength: 256,
    examples: ['invoice-4711'],
  }),
  Cursor: text('The position of a message in the order of storing. Opaque: use what an answer has given.', {
    pattern: '^[0-9]{1,20}$',
  }),
  Time: text('ISO 8601 in UTC.', { format: 'date-time', examples: ['2027-01-31T12:00:00.000Z'] }),
  ExpiresAt: {
    type: ['string', 'null'],
    description:
      'ISO 8601 with a zone, in the future and at most a year ahead. Null or left out: the message does not expire.',
    examples: ['2027-01-31T12:00:00Z'],
  },
  Urgent: {
    type: ['boolean', 'null'],
    description:
      'False: the recipient’s devices are not told of the message. Otherwise they are, when the box is one of `PUSH_BOXES` and push is enabled.',
    examples: [false],
  },
  Bytes: list({ type: 'integer', minimum: 0, maximum: 255 }, { description: 'Bytes as numbers.' }),
  GivenBody: {
    description: 'A text that is not blank, or an object, which is stored as its JSON. Clients encrypt it as a rule.',
    oneOf: [{ type: 'string', minLength: 1 }, { type: 'object' }, { type: 'array' }],
  },
};
