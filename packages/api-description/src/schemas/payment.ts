import { closedObject, integer, list, openObject, type Properties, schemaRef, text } from '../schema.js';

const customInstructions = {
  description: 'For the owner of the output. JSON with `recipientIdentityKey` says who that is, in a send to several.',
};

/** The payment of a send (BRC-29, BRC-100). */
export const paymentSchemas: Properties = {
  Payment: openObject(
    {
      tx: schemaRef('Bytes', { description: 'The transaction as AtomicBEEF (BRC-95).' }),
      beefR2Key: text('In place of `tx`: the `key` of `/beef/upload-url`, an upload with the AtomicBEEF.'),
      outputs: list(schemaRef('PaymentOutput'), {
        description:
          'The server’s output comes first when the delivery costs something. The others belong to recipients who charge a fee.',
        maxItems: 2_000,
      }),
      description: text('Reaches the recipient’s wallet, cut to 50 bytes of UTF-8.'),
      labels: list({ type: 'string' }, { maxItems: 100 }),
    },
    ['tx', 'beefR2Key', 'outputs', 'description', 'labels'],
  ),
  PaymentOutput: {
    oneOf: [
      openObject(
        {
          outputIndex: integer('Which output of the transaction.', 0),
          protocol: { const: 'wallet payment' },
          paymentRemittance: openObject(
            {
              derivationPrefix: text('Base64.', { maxLength: 399 }),
              derivationSuffix: text('Base64.', { maxLength: 399 }),
              senderIdentityKey: text('Of the payer. For a recipient’s output: the key of `anyone`.', {
                pattern: '^0[23][0-9a-f]{64}$',
              }),
              customInstructions,
            },
            ['customInstructions'],
          ),
          customInstructions,
        },
        ['customInstructions'],
      ),
      openObject(
        {
          outputIndex: integer('Which output of the transaction.', 0),
          protocol: { const: 'basket insertion' },
          insertionRemittance: openObject({
            basket: text('The basket in the owner’s wallet.'),
          }),
          customInstructions,
        },
        ['customInstructions'],
      ),
    ],
  },
  Outpoint: closedObject({ txid: text('64 hex characters.'), outputIndex: integer('From 0.', 0) }),
};
