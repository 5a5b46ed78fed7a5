import { closedObject, integer, list, openObject, orNull, type Properties, schemaRef, text } from '../../schema.js';
import { type Group, json, type Parameter, type RequestBody } from '../operation.js';

const success = { const: 'success' };
const count = (description: string) => integer(description, 0);
const amount = (description: string) => ({ type: 'number', description, minimum: 0 });
const orNullAmount = (description: string) => ({ type: ['number', 'null'], description, minimum: 0 });
const next = { type: ['string', 'null'], description: '`after` of the next request; null at the end.' };
const countedAt = orNull(schemaRef('Time', { description: 'Of the survey; null while the first one runs.' }));
const block = closedObject({
  since: schemaRef('Time'),
  by: schemaRef('IdentityKey', { description: 'The operator.' }),
  reason: { type: ['string', 'null'] },
});

/** Schemas of this group. */
export const operatorSchemas: Properties = {
  Stats: closedObject({
    status: success,
    time: schemaRef('Time'),
    uptimeSeconds: count('Of the process that answers.'),
    rates: closedObject({
      messagesPerSecond: amount('Stored.'),
      acknowledgedPerSecond: amount('Acknowledged.'),
      requestsPerSecond: amount('Of HTTP.'),
      pushesPerSecond: amount('To live sockets.'),
    }),
    deliveryLatencyMs: closedObject({
      p50: orNullAmount('Half of the live deliveries of the last minute were faster.'),
      p95: orNullAmount('95 of 100 were.'),
      p99: orNullAmount('99 of 100 were.'),
    }),
    sockets: count('Open ones.'),
    limitsHit: list(closedObject({ name: text('Of the limit.'), count: count('Since the starts of the instances.') })),
    queue: orNull(
      closedObject({
        waiting: count(''),
        delayed: count(''),
        active: count(''),
        completed: count(''),
        failed: count(''),
      }),
    ),
    storage: orNull(
      closedObject({
        messages: count(''),
        bytes: count('Of bodies.'),
        identities: count('With messages.'),
        databaseBytes: { type: ['integer', 'null'], description: 'Null where the database does not tell.' },
        countedAt: schemaRef('Time'),
      }),
    ),
    history: list(
      closedObject({
        time: schemaRef('Time'),
        messagesPerSecond: amount(''),
        sockets: count(''),
        p95: orNullAmount('Milliseconds.'),
      }),
      { description: 'The last 15 minutes, oldest first.' },
    ),
  }),
  Instance: closedObject(
    {
      id: text('New at each start.'),
      service: text('`api`, `realtime`, `overlay` or `standalone`.'),
      version: text('Of the software.'),
      startedAt: schemaRef('Time'),
      seenAt: schemaRef('Time'),
      state: { enum: ['starting', 'ready', 'not ready', 'draining'] },
      reasons: list({ type: 'string' }, { description: 'What is wrong.' }),
      sockets: count('Open ones.'),
      rssBytes: count(''),
      heapBytes: count(''),
      loopDelayMs: amount('How late timers were; 99 of 100 were less late.'),
      address: text('Of the internal port.'),
    },
    ['address'],
  ),
  BoxUsage: closedObject({
    identityKey: schemaRef('IdentityKey'),
    messageBox: schemaRef('BoxName'),
    messages: count(''),
    bytes: count(''),
    oldest: orNull(schemaRef('Time')),
  }),
  SenderUsage: closedObject({ identityKey: schemaRef('IdentityKey'), messages: count(''), bytes: count('') }),
  Block: block,
  StorageAmount: closedObject({ messages: count(''), bytes: count('') }),
  AuditEntry: closedObject({
    id: text('Of the entry.'),
    time: schemaRef('Time'),
    operator: schemaRef('IdentityKey'),
    action: text('What was done.'),
    subject: text('To whom or what.'),
    details: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } },
  }),
};

const limit: Parameter = {
  in: 'query',
  name: 'limit',
  description: 'Default: 50.',
  schema: integer('', 1, 100),
  example: 10,
};
const after: Parameter = {
  in: 'query',
  name: 'after',
  description: '`next` of the last answer.',
  schema: { type: 'string' },
};
const order: Parameter = {
  in: 'query',
  name: 'order',
  description: 'Default: bytes.',
  schema: { enum: ['bytes', 'messages'] },
  example: 'messages',
};
const key: Parameter = {
  in: 'path',
  name: 'key',
  description: 'The identity.',
  schema: schemaRef('GivenKey'),
  example: '02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5',
};
const optional = (schema: RequestBody['schema'], examples: RequestBody['examples'] = {}): RequestBody => ({
  schema,
  required: false,
  examples,
});

/** `/admin/*`, except for fees. */
export const operators: Group = {
  name: 'Operators: server',
  description: 'What runs and what is stored, without bodies. What operators change is recorded.',
  operations: [
    {
      method: 'get',
      path: '/admin/stats',
      operationId: 'getStats',
      summary: 'See all instances together',
      description: 'What can’t be read now is null or empty, so that the rest of an outage is seen.',
      access: 'operator',
      answers: { 200: json('The figures.', schemaRef('Stats')) },
    },
    {
      method: 'get',
      path: '/admin/instances',
      operationId: 'listInstances',
      summary: 'List the processes that run',
      access: 'operator',
      answers: {
        200: json(
          'As they described themselves within the last 15 s.',
          closedObject({ status: success, instances: list(schemaRef('Instance')) }),
        ),
      },
      errors: ['ERR_INSTANCES_UNAVAILABLE'],
    },
    {
      method: 'get',
      path: '/admin/boxes',
      operationId: 'listLargestBoxes',
      summary: 'List the largest boxes',
      access: 'operator',
      parameters: [order, limit, after],
      answers: {
        200: json(
          'The largest first, by the last survey.',
          closedObject({ status: success, boxes: list(schemaRef('BoxUsage')), next, countedAt }),
        ),
      },
      errors: ['ERR_INVALID_ORDER', 'ERR_INVALID_LIMIT', 'ERR_INVALID_AFTER', 'ERR_INVALID_REQUEST'],
    },
    {
      method: 'get',
      path: '/admin/senders',
      operationId: 'listLargestSenders',
      summary: 'List the senders of most of what is stored',
      access: 'operator',
      parameters: [order, limit, after],
      answers: {
        200: json(
          'The largest first, by the last survey.',
          closedObject({ status: success, senders: list(schemaRef('SenderUsage')), next, countedAt }),
        ),
      },
      errors: ['ERR_INVALID_ORDER', 'ERR_INVALID_LIMIT', 'ERR_INVALID_AFTER', 'ERR_INVALID_REQUEST'],
    },
    {
      method: 'get',
      path: '/admin/identities/{key}',
      operationId: 'getIdentity',
      summary: 'See what is kept of an identity',
      access: 'operator',
      parameters: [key],
      answers: {
        200: json(
          'Any valid key has an answer.',
          closedObject({
            status: success,
            identityKey: schemaRef('IdentityKey'),
            blocked: orNull(schemaRef('Block')),
            boxes: list(
              closedObject({
                messageBox: schemaRef('BoxName'),
                messages: count(''),
                bytes: count(''),
                oldest: orNull(schemaRef('Time')),
              }),
            ),
            received: schemaRef('StorageAmount'),
            sent: schemaRef('StorageAmount'),
            devices: count(''),
            permissions: count(''),
          }),
        ),
      },
      errors: ['ERR_INVALID_PUBLIC_KEY'],
    },
    {
      method: 'post',
      path: '/admin/identities/{key}/block',
      operationId: 'blockIdentity',
      summary: 'Block an identity',
      description: 'It can neither send nor list nor listen. Messages to it are stored as ever.',
      access: 'operator',
      parameters: [key],
      body: optional(openObject({ reason: { type: ['string', 'null'], maxLength: 500 } }, ['reason']), {
        'with a reason': { reason: 'spam' },
      }),
      answers: {
        200: json(
          'It is blocked. One that was blocked already stays as it is.',
          closedObject({ status: success, identityKey: schemaRef('IdentityKey'), blocked: schemaRef('Block') }),
        ),
      },
      errors: ['ERR_INVALID_PUBLIC_KEY', 'ERR_INVALID_REQUEST', 'ERR_IDENTITY_IS_OPERATOR', 'ERR_TOO_MANY_BLOCKED'],
    },
    {
      method: 'post',
      path: '/admin/identities/{key}/unblock',
      operationId: 'unblockIdentity',
      summary: 'Unblock an identity',
      access: 'operator',
      parameters: [key],
      answers: {
        200: json(
          'It is not blocked, whether or not it was.',
          closedObject({ status: success, identityKey: schemaRef('IdentityKey'), blocked: { type: 'null' } }),
        ),
      },
      errors: ['ERR_INVALID_PUBLIC_KEY'],
    },
    {
      method: 'post',
      path: '/admin/identities/{key}/purge',
      operationId: 'purgeIdentity',
      summary: 'Remove the messages of an identity',
      description: 'Those that it has not acknowledged, except those that carry a payment.',
      access: 'operator',
      parameters: [key],
      body: optional(openObject({ messageBox: { oneOf: [schemaRef('BoxName'), { type: 'null' }] } }, ['messageBox']), {
        'one box': { messageBox: 'inbox' },
      }),
      answers: {
        200: json(
          'They are removed.',
          closedObject({
            status: success,
            identityKey: schemaRef('IdentityKey'),
            removed: count(''),
            kept: count('Because of a payment.'),
          }),
        ),
      },
      errors: ['ERR_INVALID_PUBLIC_KEY', 'ERR_INVALID_MESSAGEBOX'],
    },
    {
      method: 'get',
      path: '/admin/jobs',
      operationId: 'listJobs',
      summary: 'List jobs of the overlay',
      access: 'operator',
      parameters: [
        {
          in: 'query',
          name: 'state',
          description: 'Default: failed.',
          schema: { enum: ['failed', 'waiting', 'delayed', 'active', 'completed'] },
          example: 'completed',
        },
        limit,
      ],
      answers: {
        200: json(
          'Those that were added last come first.',
          closedObject({ status: success, jobs: list(schemaRef('Job')) }),
        ),
      },
      errors: ['ERR_INVALID_REQUEST', 'ERR_INVALID_LIMIT', 'ERR_JOBS_UNAVAILABLE'],
    },
    {
      method: 'post',
      path: '/admin/jobs/{id}/retry',
      operationId: 'retryJob',
      summary: 'Let a failed job run again',
      access: 'operator',
      parameters: [{ in: 'path', name: 'id', description: 'Of the job.', schema: { type: 'string', minLength: 1 } }],
      answers: { 200: json('It waits.', closedObject({ status: success, jobId: text('Of the job.') })) },
      errors: ['ERR_JOB_NOT_FOUND', 'ERR_JOB_NOT_FAILED', 'ERR_JOBS_UNAVAILABLE'],
    },
    {
      method: 'get',
      path: '/admin/advertisements',
      operationId: 'listAdvertisements',
      summary: 'List the advertisements of this host',
      access: 'operator',
      answers: {
        200: json(
          'Those that are not revoked, oldest first.',
          closedObject({ status: success, advertisements: list(schemaRef('OwnAdvertisement')) }),
        ),
      },
    },
    {
      method: 'get',
      path: '/admin/config',
      operationId: 'getConfig',
      summary: 'Read the configuration, without secrets',
      access: 'operator',
      answers: {
        200: json(
          'Of the instance that answers.',
          closedObject({
            status: success,
            version: text('Of the software.'),
            settings: list(
              closedObject({
                name: text('Of the variable.'),
                value: { type: ['string', 'null'], description: 'Of a secret only `set` or `not set`.' },
                isGiven: { type: 'boolean', description: 'False: the default.' },
              }),
            ),
          }),
        ),
      },
    },
    {
      method: 'get',
      path: '/admin/audit',
      operationId: 'listAudit',
      summary: 'List what operators did',
      access: 'operator',
      parameters: [limit, after],
      answers: {
        200: json('The newest first.', closedObject({ status: success, entries: list(schemaRef('AuditEntry')), next })),
      },
      errors: ['ERR_INVALID_LIMIT', 'ERR_INVALID_AFTER', 'ERR_INVALID_REQUEST'],
    },
  ],
};
