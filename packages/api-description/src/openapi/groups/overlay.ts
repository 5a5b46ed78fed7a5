import { closedObject, integer, list, openObject, type Properties, schemaRef, text } from '../../schema.js';
import { type Group, json, type Operation } from '../operation.js';

/** Schemas of this group. */
export const overlaySchemas: Properties = {
  Txid: text('The id of a transaction: 64 hex characters.', { pattern: '^[0-9a-f]{64}$' }),
  Steak: {
    type: 'object',
    description: 'What each topic has done with the transaction (BRC-22).',
    additionalProperties: closedObject(
      {
        outputsToAdmit: list(integer('', 0), { description: 'Outputs that came into the topic.' }),
        coinsToRetain: list(integer('', 0), { description: 'Spent outputs that the topic keeps.' }),
        coinsRemoved: list(integer('', 0), { description: 'Spent outputs that left the topic.' }),
      },
      ['coinsRemoved'],
    ),
  },
  ServiceSummaries: {
    type: 'object',
    description: 'By name.',
    additionalProperties: closedObject({ name: text('Of the service.'), shortDescription: text('In a sentence.') }),
  },
};

const beef = text('Bytes.', { contentMediaType: 'application/octet-stream' });

const documentation = (path: string, operationId: string, parameter: string, example: string): Operation => ({
  method: 'get',
  path,
  operationId,
  summary: `Read the documentation of a ${parameter === 'manager' ? 'topic' : 'lookup service'}`,
  access: 'open',
  isAtRoot: true,
  parameters: [{ in: 'query', name: parameter, description: 'Its name.', schema: { type: 'string' }, example }],
  answers: {
    200: {
      description: 'A page in Markdown. For an unknown name, the page says so.',
      content: { 'text/markdown; charset=utf-8': { type: 'string' } },
    },
  },
});

/** `/submit`, `/lookup` and what belongs to them. */
export const overlay: Group = {
  name: 'Overlay',
  description: 'Where identities receive their messages: topics and lookup services for everybody (BRC-22, BRC-24).',
  operations: [
    {
      method: 'post',
      path: '/submit',
      operationId: 'submitTransaction',
      summary: 'Submit a transaction to topics',
      description: 'All topics take it, or none. A transaction that was submitted before admits nothing again.',
      access: 'open',
      isAtRoot: true,
      parameters: [
        {
          in: 'header',
          name: 'x-topics',
          description: '1 to 16 topics: a JSON list of names, or names with commas between them.',
          schema: { type: 'string', maxLength: 2_048 },
          required: true,
          example: '["tm_messagebox"]',
        },
        {
          in: 'header',
          name: 'x-includes-off-chain-values',
          description:
            '`true`: the body is the length of the BEEF as a varint, the BEEF, and values, which are ignored.',
          schema: { type: 'string' },
        },
      ],
      body: { contentType: 'application/octet-stream', description: 'BEEF (BRC-62, BRC-96).', schema: beef },
      answers: { 200: json('The changes are committed.', schemaRef('Steak')) },
      errors: [
        'ERR_INVALID_TOPICS',
        'ERR_UNKNOWN_TOPIC',
        'ERR_INVALID_TRANSACTION',
        'ERR_DOUBLE_SPEND',
        'ERR_CHAIN_UNAVAILABLE',
        'ERR_OVERLOADED',
      ],
    },
    {
      method: 'post',
      path: '/lookup',
      operationId: 'lookUp',
      summary: 'Ask a lookup service',
      access: 'open',
      isAtRoot: true,
      parameters: [
        {
          in: 'header',
          name: 'x-aggregation',
          description: '`yes`: the answer is binary, with one BEEF for all outputs.',
          schema: { type: 'string' },
        },
      ],
      body: {
        schema: openObject({
          service: text('See `/listLookupServiceProviders`.'),
          query: {
            description: 'As the service documents it.',
            type: ['object', 'string', 'number', 'boolean', 'array', 'null'],
          },
        }),
        examples: {
          'the hosts of an identity': {
            service: 'ls_messagebox',
            query: { identityKey: '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798' },
          },
          'the hosts of a topic': { service: 'ls_ship', query: { topics: ['tm_messagebox'] } },
        },
      },
      answers: {
        200: {
          description: 'The unspent outputs that were found.',
          content: {
            'application/json': closedObject({
              type: { const: 'output-list' },
              outputs: list(
                closedObject({ beef: schemaRef('Bytes'), outputIndex: integer('In the last transaction.', 0) }),
              ),
            }),
            'application/octet-stream': beef,
          },
        },
      },
      errors: ['ERR_INVALID_JSON', 'ERR_UNKNOWN_LOOKUP_SERVICE', 'ERR_INVALID_QUERY', 'ERR_OVERLOADED'],
    },
    {
      method: 'get',
      path: '/listTopicManagers',
      operationId: 'listTopics',
      summary: 'List the topics of this host',
      access: 'open',
      isAtRoot: true,
      answers: { 200: json('The topics.', schemaRef('ServiceSummaries')) },
    },
    {
      method: 'get',
      path: '/listLookupServiceProviders',
      operationId: 'listLookupServices',
      summary: 'List the lookup services of this host',
      access: 'open',
      isAtRoot: true,
      answers: { 200: json('The lookup services.', schemaRef('ServiceSummaries')) },
    },
    documentation('/getDocumentationForTopicManager', 'getTopicDocumentation', 'manager', 'tm_messagebox'),
    documentation(
      '/getDocumentationForLookupServiceProvider',
      'getLookupServiceDocumentation',
      'lookupService',
      'ls_messagebox',
    ),
  ],
};
