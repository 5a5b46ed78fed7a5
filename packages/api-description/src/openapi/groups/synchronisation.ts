import { closedObject, integer, list, openObject, schemaRef, text } from '../../schema.js';
import { type Group, json } from '../operation.js';

const graphID = text('The output that is synchronised: `TXID.INDEX`.', { pattern: '^[0-9a-f]{64}\\.[0-9]{1,10}$' });

/** The requests of other overlay hosts (GASP, BRC-40). */
export const synchronisation: Group = {
  name: 'Overlay: other hosts',
  description: 'How overlay hosts copy outputs from each other (GASP, BRC-40).',
  operations: [
    {
      method: 'post',
      path: '/requestSyncResponse',
      operationId: 'listOutputsOfTopic',
      summary: 'List the outputs of a topic since a moment',
      access: 'open',
      isAtRoot: true,
      parameters: [
        {
          in: 'header',
          name: 'x-bsv-topic',
          description: 'The topic.',
          schema: { type: 'string' },
          required: true,
          example: 'tm_messagebox',
        },
      ],
      body: {
        schema: openObject(
          {
            version: { const: 1 },
            since: integer('The `since` of the last answer, or 0.', 0),
            limit: integer('At most 1,000 are listed.', 1),
          },
          ['limit'],
        ),
        examples: { 'from the beginning': { version: 1, since: 0 } },
      },
      answers: {
        200: json(
          'The outputs, in the order of their admission.',
          closedObject({
            UTXOList: list(
              closedObject({
                txid: schemaRef('Txid'),
                outputIndex: integer('From 0.', 0),
                score: integer('When it was admitted, in milliseconds since 1970.', 0),
              }),
            ),
            since: integer('Of the request.', 0),
          }),
        ),
      },
      errors: ['ERR_INVALID_JSON', 'ERR_UNKNOWN_TOPIC', 'ERR_INVALID_SYNC_REQUEST', 'ERR_OVERLOADED'],
    },
    {
      method: 'post',
      path: '/requestForeignGASPNode',
      operationId: 'getTransactionOfOutput',
      summary: 'Get a transaction that an output depends on',
      access: 'open',
      isAtRoot: true,
      body: {
        schema: openObject({ graphID, txid: schemaRef('Txid'), outputIndex: integer('From 0.', 0) }),
      },
      answers: {
        200: json(
          'The transaction.',
          closedObject(
            {
              graphID,
              outputIndex: integer('Of the request.', 0),
              rawTx: text('Hex.'),
              proof: text('The merkle path in hex (BRC-74), where the transaction is in a block.'),
            },
            ['proof'],
          ),
        ),
      },
      errors: ['ERR_INVALID_JSON', 'ERR_INVALID_SYNC_REQUEST', 'ERR_UNKNOWN_OUTPUT', 'ERR_OVERLOADED'],
    },
  ],
};
