import { closedObject, integer, list, openObject, schemaRef, text } from '../../schema.js';
import { type Group, json } from '../operation.js';

/** The play chain of `NETWORK=local`. */
export const development: Group = {
  name: 'Development',
  description: 'The play chain, and play money. Served with `NETWORK=local` only.',
  operations: [
    {
      method: 'post',
      path: '/development/chain',
      operationId: 'callPlayChain',
      summary: 'Ask the play chain',
      access: 'open',
      isAtRoot: true,
      body: {
        schema: openObject(
          { method: text('Such as `getHeight`.'), args: list({}, { description: 'By its method.' }) },
          ['args'],
        ),
        examples: { 'the height of the chain': { method: 'getHeight', args: [] } },
      },
      answers: { 200: json('The result; null when nothing was found.', closedObject({ result: {} })) },
      errors: ['ERR_INVALID_JSON', 'ERR_INVALID_QUERY'],
    },
    {
      method: 'post',
      path: '/development/faucet',
      operationId: 'takePlayMoney',
      summary: 'Take play money',
      access: 'open',
      isAtRoot: true,
      body: {
        schema: openObject({
          lockingScript: text('Hex.'),
          satoshis: integer('How much.', 1, 1_000_000_000),
        }),
        examples: { 'to anybody': { lockingScript: '51', satoshis: 1_000 } },
      },
      answers: {
        200: json(
          'An output that is in a block already.',
          closedObject({
            txid: schemaRef('Txid'),
            outputIndex: integer('From 0.', 0),
            satoshis: integer('As asked for.', 1),
            atomicBeef: schemaRef('Bytes'),
          }),
        ),
      },
      errors: ['ERR_INVALID_JSON', 'ERR_INVALID_QUERY'],
    },
  ],
};
